"""In place of `kmaskrcnn.benchmark.worker`: known speeds and memory, and each way to go wrong."""

import json
import os
import sys
import time

from kmaskrcnn.benchmark.job import OUT_OF_MEMORY, Job, Request
from kmaskrcnn.doctor.probe import say

BARE, EACH = 100e6, 10e6  # bytes


def main() -> None:
    job = Job.from_json(sys.stdin.readline())
    if job.precision == "float16":
        time.sleep(600)
    say(devices=["CPU 0"], roi_align="", versions={"keras": "3"})
    for line in sys.stdin:
        request = Request(**json.loads(line))
        if job.precision == "bfloat16" and job.work == "train":
            print("words of a library", file=sys.stderr)
            os._exit(3)
        if job.precision == "bfloat16":
            return say(error="UnimplementedError: no kernel")
        peak = BARE + EACH * request.images
        if peak > job.memory_limit:
            os._exit(OUT_OF_MEMORY)
        answer = {"images": request.images, "first": request.images, "peak": peak, "objects": 10}
        answer["seconds"] = [0.1 + 0.1 * request.images, 9.0, 0.01][: request.most]
        say(**answer)


if __name__ == "__main__":
    main()
