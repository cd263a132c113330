"""RoIPool, RoIWarp and matterport's crop as loops that a child could read: references of tests."""

import math

import numpy as np

from tests.ops.roi_align_loop import bilinear, roi_align_loop


def nearest(value):
    """The nearest whole number, halves away from zero."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def roi_pool_loop(features, boxes, batch_indices, levels, *, scales, output_size):
    """As `kmaskrcnn.ops.roi_pool`; bins are computed in the precision of the boxes."""
    size = (output_size, output_size) if isinstance(output_size, int) else output_size
    number = boxes.dtype.type
    pooled = np.zeros((len(boxes), *size, features[0].shape[-1]))
    for roi, (box, image, level) in enumerate(zip(boxes, batch_indices, levels, strict=True)):
        feature = np.asarray(features[level])[image]
        left, top, right, bottom = (nearest(edge * number(scales[level])) for edge in box)
        bin_height = number(max(bottom - top + 1, 1)) / number(size[0])
        bin_width = number(max(right - left + 1, 1)) / number(size[1])
        for i, j in np.ndindex(*size):
            first_row = max(top + math.floor(number(i) * bin_height), 0)
            last_row = max(top + math.ceil(number(i + 1) * bin_height), 0)
            first_column = max(left + math.floor(number(j) * bin_width), 0)
            last_column = max(left + math.ceil(number(j + 1) * bin_width), 0)
            cells = feature[first_row:last_row, first_column:last_column]
            if cells.size:
                pooled[roi, i, j] = cells.max(axis=(0, 1))
    return pooled


def roi_warp_loop(features, boxes, batch_indices, levels, *, scales, **arguments):
    """As `kmaskrcnn.ops.roi_warp`: RoIAlign of boxes that are whole feature cells."""
    rounded = []
    for box, level in zip(boxes, levels, strict=True):
        left, top, right, bottom = (nearest(edge * np.float32(scales[level])) for edge in box)
        rounded.append([left, top, max(right, left + 1), max(bottom, top + 1)])
    ones = [1.0] * len(features)
    return roi_align_loop(features, rounded, batch_indices, levels, scales=ones, **arguments)


def roi_crop_loop(features, boxes, batch_indices, levels, *, output_size):
    """As `kmaskrcnn.ops.roi_crop`, float64."""
    pooled = np.zeros((len(boxes), output_size, output_size, features[0].shape[-1]))
    for roi, (box, image, level) in enumerate(zip(boxes, batch_indices, levels, strict=True)):
        feature = np.asarray(features[level], np.float64)[image]
        last_row, last_column = feature.shape[0] - 1, feature.shape[1] - 1
        for i, j in np.ndindex(output_size, output_size):
            y = last_row * (box[1] + (box[3] - box[1]) * i / (output_size - 1))
            x = last_column * (box[0] + (box[2] - box[0]) * j / (output_size - 1))
            if 0 <= y <= last_row and 0 <= x <= last_column:
                pooled[roi, i, j] = bilinear(feature, y, x)
    return pooled
