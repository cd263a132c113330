"""What `memory_curve` and its peer share, and the peer: torchvision over images of mixed sizes.

    PYTHON -m benchmarks.memory_curve_peer MIN_SIZE MAX_SIZE IMAGES

It prints the resident memory after each image. Only the standard library, NumPy, torch and
torchvision are imported, so that it runs where nothing of ours is installed.
"""

from __future__ import annotations

import sys

import numpy as np


def image_sizes(count: int, max_size: int) -> list[tuple[int, int]]:
    """(height, width) of images from tall to wide, half to three times as long as `max_size`."""
    rng = np.random.default_rng(0)
    side, aspect = rng.uniform(0.5, 3.0, count) * max_size, rng.uniform(0.4, 2.5, count)
    heights, widths = side * np.minimum(1, aspect), side * np.minimum(1, 1 / aspect)
    return [(max(32, int(h)), max(32, int(w))) for h, w in zip(heights, widths, strict=True)]


def note_memory(times: int = 1) -> None:
    """Prints the resident memory of this process in MB, a line an image."""
    with open("/proc/self/status") as status:
        resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    print(f"resident_mb {resident / 1024:.1f}\n" * times, end="", flush=True)


def main() -> None:
    import torch
    from torchvision.models.detection import maskrcnn_resnet50_fpn

    min_size, max_size, count = map(int, sys.argv[1:])
    torch.set_num_threads(2)
    model = maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, min_size=min_size, max_size=max_size
    ).eval()
    rng = np.random.default_rng(0)
    for height, width in image_sizes(count, max_size):
        photo = torch.from_numpy(rng.random((3, height, width), np.float32))
        with torch.inference_mode():
            model([photo])
        note_memory()


if __name__ == "__main__":
    main()
