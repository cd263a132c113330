"""Opening a COCO file of instances_train2017's size, beside ``pycocotools.COCO``.

    python -m benchmarks.open_coco [--sizes 0.5 1 2] [--repeats 1] [--folder DIR]

Writes a file for each size (1 is 118,287 images and 860,001 annotations, 450 MB; see
``benchmarks.coco_file``) and opens it with either, each time in a process of its own whose peak of
resident memory is taken. The file is read once before, so that both find it in the system's cache.
pycocotools looks for no photographs and checks nothing; kmaskrcnn looks for all (here they are
empty files) and checks every annotation. A process's peak holds what it imports, TensorFlow too.
Prints the best time, in brackets that of the processor, and the smallest peak of the repeats, and
ours as a share of pycocotools'.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.coco_file import ANNOTATIONS, IMAGES, lay_empty_files, write

READERS = {
    "pycocotools": ("pycocotools.coco", "COCO"),
    "kmaskrcnn": ("kmaskrcnn.data.formats.coco", "CocoDataset"),
}


def open_here(reader: str, file: Path) -> dict[str, float]:
    """Opens the file in this process: seconds, those of the processor, MB of peak and before it."""
    module, name = READERS[reader]
    opener = getattr(importlib.import_module(module), name)
    before, start, busy = peak(), time.perf_counter(), time.process_time()
    opener(str(file))
    seconds, processor = time.perf_counter() - start, time.process_time() - busy
    return {"seconds": seconds, "processor": processor, "peak": peak(), "before": before}


def peak() -> float:
    """Largest resident size of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def open_in_child(reader: str, file: Path) -> dict[str, float]:
    """The same in a new process."""
    command = [sys.executable, "-m", "benchmarks.open_coco", "--reader", reader, str(file)]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(result.stdout.splitlines()[-1])


def compare(size: float, folder: Path, repeats: int) -> str:
    """A row of the table; the files are removed again."""
    file = folder / "instances.json"
    write(file, round(size * IMAGES), round(size * ANNOTATIONS))
    lay_empty_files(folder / "images", round(size * IMAGES))
    with file.open("rb") as stream:
        while stream.read(2**24):
            pass
    runs = {r: [open_in_child(r, file) for _ in range(repeats)] for r in READERS}
    best = {r: {key: min(run[key] for run in runs[r]) for key in runs[r][0]} for r in READERS}
    theirs, ours = (best[reader] for reader in READERS)
    share = {key: ours[key] / theirs[key] for key in ours}
    return (
        f"| {size:g} | {file.stat().st_size / 1e6:.0f} MB | {times(theirs)} | {times(ours)} | "
        f"{share['seconds']:.2f} ({share['processor']:.2f}) | {theirs['peak']:.0f} MB | "
        f"{ours['peak']:.0f} MB, {ours['before']:.0f} of it before | {share['peak']:.2f} |"
    )


def times(best: dict[str, float]) -> str:
    """Seconds of the clock and of the processor."""
    return f"{best['seconds']:.1f} s ({best['processor']:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=float, nargs="+", default=(0.5, 1, 2))
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the files are written for a while")
    parser.add_argument("--reader", choices=READERS, help=argparse.SUPPRESS)
    parser.add_argument("file", type=Path, nargs="?", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.reader:
        print(json.dumps(open_here(args.reader, args.file)))
        return
    print("| size | file | pycocotools | kmaskrcnn | share | its peak | our peak | share |")
    print("| --- " * 8 + "|")
    for size in args.sizes:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            print(compare(size, Path(folder), args.repeats), flush=True)


if __name__ == "__main__":
    main()
