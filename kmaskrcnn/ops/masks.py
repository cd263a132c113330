"""Masks: the compact form in which truth travels, what the mask head is trained on, and pasting.

Compact and exact: of a truth only an integer window ``x1 y1 x2 y2`` of the network's input is kept,
and of the window one bit a pixel. The crop's rows are packed by ``np.packbits`` (first pixel in the
highest bit, each row starts a new byte) and appended to the byte string of the image.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from kmaskrcnn.ops.levels import divided
from kmaskrcnn.ops.pasting import Window, paste_soft_mask

_BITS_OF_BYTE = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).view(np.int64)[:, 0]

_MAX_SAMPLES = 1024.0  # of a bin's axis; only a gigantic RoI would take more
TARGET_KINDS = ("binary", "soft", "crop")
_NOWHERE = [-9.0, -9.0, -9.0, -9.0]  # a box that samples nothing


def pack_masks(
    masks: Sequence[tuple[Sequence[int], np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pack the masks of one image into its byte string.

    Args:
        masks: N pairs of window (x1 y1 x2 y2 in whole pixels, half-open, inside the image) and crop
            (y2 - y1, x2 - x1) bool. An empty window, as 0 0 0 0, says that there is no mask.

    Returns:
        mask_bytes (L,) uint8, windows (N, 4) int32, offsets (N,) int32 of the first byte of each.

    Raises:
        ValueError: a crop is not of its window's size, or a window is inverted or negative.
    """
    packed, windows, offsets, length = [], [], [], 0
    for index, (window, crop) in enumerate(masks):
        x1, y1, x2, y2 = (int(edge) for edge in window)
        crop = np.asarray(crop, bool)
        if min(x1, y1, x2 - x1, y2 - y1) < 0 or crop.shape != (y2 - y1, x2 - x1):
            raise ValueError(
                f"mask {index}: the window {(x1, y1, x2, y2)} needs a crop of shape "
                f"{(y2 - y1, x2 - x1)}, height and width, and corners >= 0; got {crop.shape}"
            )
        packed.append(np.packbits(crop, axis=1).ravel())
        windows.append((x1, y1, x2, y2))
        offsets.append(length)
        length += packed[-1].size
    mask_bytes = np.concatenate(packed) if packed else np.zeros(0, np.uint8)
    return mask_bytes, np.array(windows, np.int32).reshape(-1, 4), np.array(offsets, np.int32)


def unpack_mask(mask_bytes: np.ndarray, window: Sequence[int], offset: int) -> np.ndarray:
    """The crop of one truth, the inverse of `pack_masks`.

    Args:
        mask_bytes: (L,) uint8, the byte string of the image, padded or not.
        window: x1 y1 x2 y2 of the truth.
        offset: its first byte.

    Returns:
        (y2 - y1, x2 - x1) bool.
    """
    x1, y1, x2, y2 = (int(edge) for edge in window)
    height, row_bytes = y2 - y1, -(-(x2 - x1) // 8)
    rows = np.asarray(mask_bytes)[offset : offset + height * row_bytes].reshape(height, row_bytes)
    return np.unpackbits(rows, axis=1, count=x2 - x1).astype(bool)


def mask_targets(
    mask_bytes: tf.Tensor,
    windows: tf.Tensor,
    offsets: tf.Tensor,
    boxes: tf.Tensor,
    batch_indices: tf.Tensor,
    truth_indices: tf.Tensor,
    image_size: tf.Tensor,
    *,
    mask_size: int,
    kind: str = "binary",
    aligned: bool = True,
) -> tf.Tensor:
    """What the mask head should say: each RoI's truth, pooled to M × M (Mask R-CNN §3).

    It is RoIAlign with adaptive sampling (a sample a pixel, rounded up) of the full-size mask, or
    matterport's ``crop_and_resize`` of it, which takes one sample a cell. Bilinear sampling of a
    grid is separable, so that a target is A_y · crop · A_xᵀ, and only the rows and columns of the
    window are needed: the rest of the mask is 0.

    Args:
        mask_bytes: (B, L) uint8, of `pack_masks`.
        windows: (B, N, 4) int32 x1 y1 x2 y2.
        offsets: (B, N) int32.
        boxes: (R, 4) RoIs x1 y1 x2 y2 in pixels of the network's input; for "crop" normalised,
            over (side - 1).
        batch_indices: (R,) int32 image of each RoI.
        truth_indices: (R,) int32 truth of each RoI.
        image_size: (B, 2) height, width of each image, or (2,) of all: of a mask of full size. It
            matters to RoIs at a border.
        mask_size: M.
        kind: "binary": 1 where the average is at least 0.5 (Detectron2); "soft": the average
            (torchvision); "crop": 1 where the sample is above 0.5, the first on the RoI's corner
            and the last on the other, 0 outside (matterport).
        aligned: True with the half-pixel shift (Detectron2), False without (torchvision); "crop"
            has none.

    Returns:
        (R, M, M) float32 in [0, 1], without gradient. A truth without a mask gives zeros; so does a
        box that is not finite, or that is empty or inverted while `aligned`.

    Raises:
        ValueError: another kind.
    """
    if kind not in TARGET_KINDS:
        raise ValueError(f"mask targets are one of {', '.join(TARGET_KINDS)}, not {kind!r}")
    boxes = tf.cast(boxes, tf.float32)
    is_finite = tf.reduce_all(tf.math.is_finite(boxes), axis=-1, keepdims=True)
    where = tf.stack([tf.cast(batch_indices, tf.int32), tf.cast(truth_indices, tf.int32)], axis=1)
    sizes = tf.broadcast_to(tf.cast(image_size, tf.float32), [tf.shape(mask_bytes)[0], 2])
    targets = _pool_all(
        tf.convert_to_tensor(mask_bytes),
        (
            tf.where(is_finite, boxes, _NOWHERE),
            where[:, 0],
            tf.gather_nd(tf.cast(windows, tf.int32), where),
            tf.gather_nd(tf.cast(offsets, tf.int32), where),
            tf.gather(sizes, where[:, 0]),
        ),
        mask_size=mask_size,
        kind=kind,
        aligned=aligned,
    )
    if kind == "binary":
        targets = tf.cast(targets >= 0.5, tf.float32)
    return tf.stop_gradient(tf.round(targets) if kind == "crop" else targets)


@tf.function(reduce_retracing=True, autograph=False)  # eagerly, a hundred times slower
def _pool_all(mask_bytes, parts, *, mask_size, kind, aligned):
    """(R, M, M) averages; `parts` are boxes, images, windows, offsets and sizes of the R RoIs."""

    def pool(part):
        box, batch_index, window, offset, image_size = part
        crop = _unpack_bits(mask_bytes[batch_index], window, offset)
        size = tf.shape(crop)
        matrices = []
        for axis in (1, 0):
            ends, limit = (box[axis], box[axis + 2]), image_size[1 - axis]
            if kind == "crop":
                samples, weights = _crop_samples(*ends, limit, mask_size)
            else:
                samples, weights = _pooling_samples(*ends, limit, mask_size, aligned)
            matrices.append(_matrix(samples, weights, window[axis], size[1 - axis]))
        rows, columns = matrices
        return tf.matmul(rows, tf.matmul(crop, columns, transpose_b=True))

    signature = tf.TensorSpec([mask_size, mask_size], tf.float32)
    return tf.map_fn(pool, parts, fn_output_signature=signature, parallel_iterations=32)


def _unpack_bits(image_bytes, window, offset):
    """(h, 8 · ceil(w / 8)) float32 of one truth; the columns past the window are 0."""
    height = window[3] - window[1]
    row_bytes = (window[2] - window[0] + 7) // 8
    packed = tf.cast(image_bytes[offset : offset + height * row_bytes], tf.int32)
    bits = tf.bitcast(tf.gather(_BITS_OF_BYTE, packed), tf.uint8)  # eight at once, a byte each
    return tf.cast(tf.reshape(bits, [height, row_bytes * 8]), tf.float32)


def _pooling_samples(start, end, limit, mask_size, aligned):
    """Positions and weights (M, samples) of an axis' samples in each of the M bins.

    The rules at the border are those of the peers' kernel: a sample in [-1, 0] reads pixel 0, one
    in [limit - 1, limit] the last pixel, and one further out reads 0 but is counted.
    """
    if aligned:
        start, end = start - 0.5, end - 0.5
        size = end - start
    else:
        size = tf.maximum(end - start, 1.0)
    bin_size = size / mask_size
    num_samples = tf.clip_by_value(tf.math.ceil(bin_size), 1.0, _MAX_SAMPLES)
    bins = tf.range(mask_size, dtype=tf.float32)[:, None]
    steps = tf.range(num_samples)[None, :]
    samples = start + bins * bin_size + (steps + 0.5) * bin_size / num_samples
    counts = (samples >= -1.0) & (samples <= limit) & (bin_size > 0.0)
    weights = tf.where(counts, 1.0 / num_samples, 0.0)
    return tf.clip_by_value(samples, 0.0, limit - 1.0), weights


def _crop_samples(start, end, limit, mask_size):
    """The same of crop_and_resize, in its order of operations: one sample a bin, 0 outside."""
    last = limit - 1.0
    step = divided((end - start) * last, mask_size - 1)
    samples = (start * last + tf.range(mask_size, dtype=tf.float32) * step)[:, None]
    inside = (samples >= 0.0) & (samples <= last)
    return tf.clip_by_value(samples, 0.0, last), tf.cast(inside, tf.float32)


def _matrix(samples, weights, first, count):
    """(M, count): how much each pixel of an axis, from `first` on, weighs in each of the M bins."""
    mask_size = samples.shape[0]
    lower = tf.floor(samples)
    upper_share = samples - lower
    pixels = tf.cast(lower, tf.int32) - first
    pixels = tf.stack([pixels, pixels + 1])  # (2, M, samples)
    weights = tf.stack([weights * (1.0 - upper_share), weights * upper_share])
    cells = tf.range(mask_size)[:, None] * count + pixels
    cells = tf.where((pixels >= 0) & (pixels < count), cells, -1)  # the sum leaves -1 out
    matrix = tf.math.unsorted_segment_sum(weights, cells, mask_size * count)
    return tf.reshape(matrix, [mask_size, count])


def paste_mask(
    probabilities: np.ndarray,
    box: np.ndarray,
    image_size: Sequence[int],
    *,
    threshold: float = 0.5,
    mode: str = "detectron2",
) -> tuple[Window, np.ndarray]:
    """Stretch a mask head's answer over its box and cut it at the threshold, inside the box only.

    Args:
        probabilities: (M, M) in [0, 1], any float dtype.
        box: (4,) in pixels of the image.
        image_size: height, width of the image.
        threshold: a pixel belongs to the mask from this probability on.
        mode: ``"detectron2"``, ``"torchvision"`` or ``"matterport"``, see `paste_soft_mask`.

    Returns:
        window (x1, y1, x2, y2) in whole pixels, half-open, inside the image, and the crop
        (y2 - y1, x2 - x1) bool. A box that is empty, not finite, or outside gives 0 0 0 0.

    Raises:
        ValueError: another mode.
    """
    window, soft = paste_soft_mask(probabilities, box, image_size, mode=mode)
    return window, soft >= threshold
