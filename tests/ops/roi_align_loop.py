"""RoIAlign as a loop that a child could read: the reference of its tests."""

import numpy as np


def bilinear(image: np.ndarray, y: float, x: float) -> np.ndarray:
    """(F,) at a position where pixel centres are integers; zero beyond a pixel outside."""
    height, width = image.shape[:2]
    if not (-1 <= y <= height and -1 <= x <= width):
        return np.zeros(image.shape[2])
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = y - top, x - left
    upper = (1 - across) * image[top, left] + across * image[top, right]
    lower = (1 - across) * image[bottom, left] + across * image[bottom, right]
    return (1 - down) * upper + down * lower


def roi_align_loop(
    features,
    boxes,
    batch_indices,
    levels,
    *,
    scales,
    output_size,
    sampling_ratio=2,
    aligned=True,
    reduce="average",
) -> np.ndarray:
    """As `kmaskrcnn.ops.roi_align`, float64."""
    size = (output_size, output_size) if isinstance(output_size, int) else output_size
    features = [np.asarray(feature, np.float64) for feature in features]
    pooled = np.zeros((len(boxes), *size, features[0].shape[-1]))
    for roi, (box, image, level) in enumerate(zip(boxes, batch_indices, levels, strict=True)):
        left, top, right, bottom = np.float64(box) * scales[level] - (0.5 if aligned else 0)
        height, width = bottom - top, right - left
        if not aligned:
            height, width = max(height, 1), max(width, 1)
        step_y, step_x = height / size[0], width / size[1]
        samples_y = sampling_ratio or max(int(np.ceil(step_y)), 0)
        samples_x = sampling_ratio or max(int(np.ceil(step_x)), 0)
        for bin_y, bin_x in np.ndindex(*size):
            samples = [
                bilinear(
                    features[level][image],
                    top + (bin_y + (y + 0.5) / samples_y) * step_y,
                    left + (bin_x + (x + 0.5) / samples_x) * step_x,
                )
                for y, x in np.ndindex(samples_y, samples_x)
            ]
            if samples:
                summarise = np.mean if reduce == "average" else np.max
                pooled[roi, bin_y, bin_x] = summarise(samples, axis=0)
    return pooled


def finite_differences(loss, features, step=1e-5):
    """(level, place, d loss / d features[level][place]) in float64, at some places of each level.

    Args:
        loss: a function of a list of float64 arrays, as `features`.
    """
    for level, feature in enumerate(features):
        for index in range(0, 280, 21):
            place = np.unravel_index(index % np.size(feature), np.shape(feature))
            values = []
            for sign in (1, -1):
                moved = [np.array(other, np.float64) for other in features]
                moved[level][place] += sign * step
                values.append(loss(moved))
            yield level, place, (values[0] - values[1]) / (2 * step)
