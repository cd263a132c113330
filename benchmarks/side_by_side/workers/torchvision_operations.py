"""torchvision's single operations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.side_by_side import operands, worker


def make_roi_align(folder: Path) -> worker.Case:
    """`MultiScaleRoIAlign` forward."""
    import torch

    pool = pooling()

    def run() -> worker.Answer:
        with torch.no_grad():
            return {"sum_of_a_roi": pool()[1][0].sum().item()}

    return run


def make_roi_align_gradient(folder: Path) -> worker.Case:
    """Its gradient of the features, for a gradient of ones."""
    import torch

    features, pooled = pooling(requires_grad=True)()
    upstream = torch.ones_like(pooled)

    def run() -> worker.Answer:
        gradients = torch.autograd.grad(pooled, features, upstream, retain_graph=True)
        return {"sum_of_a_level": gradients[3].sum().item()}

    return run


def pooling(requires_grad: bool = False):
    """A function that pools, and gives the features and what was pooled."""
    import torch
    from torchvision.ops import MultiScaleRoIAlign

    layer = MultiScaleRoIAlign([str(i) for i in range(len(operands.STRIDES))], 7, 2)
    features = [torch.from_numpy(level).permute(0, 3, 1, 2) for level in operands.pyramid()]
    features = [level.contiguous().requires_grad_(requires_grad) for level in features]
    boxes = [torch.from_numpy(operands.boxes(1000))]
    named = {str(i): level for i, level in enumerate(features)}
    return lambda: (features, layer(named, boxes, [operands.SIZE]))


def make_nms(folder: Path) -> worker.Case:
    """As `RoIHeads.postprocess_detections` does it: scores above 0.05, `batched_nms`, the best."""
    import torch
    from torchvision.ops import batched_nms

    boxes, scores = (torch.from_numpy(array) for array in operands.candidates())

    def run() -> worker.Answer:
        rows, labels = torch.where(scores > 0.05)
        likely = scores[rows, labels]
        kept = batched_nms(boxes[rows], likely, labels, 0.5)[:100]
        return {"kept": len(kept), "scores": likely[kept].sum().item()}

    return run


def make_paste(folder: Path) -> worker.Case:
    """`paste_masks_in_image`, and the threshold."""
    import torch
    from torchvision.models.detection.roi_heads import paste_masks_in_image

    boxes, masks = (torch.from_numpy(array) for array in operands.masks())

    def run() -> worker.Answer:
        pasted = paste_masks_in_image(masks[:, None], boxes, operands.SIZE) > 0.5
        return {"mask_pixels": int(np.count_nonzero(pasted[:, 0].numpy()))}

    return run


def make_match_and_sample(folder: Path) -> worker.Case:
    """The targets of `RegionProposalNetwork` and of `RoIHeads`."""
    import torch
    from torchvision.models.detection.image_list import ImageList

    from benchmarks.side_by_side.workers.torchvision import make_model, training_batch

    model = make_model(folder).train()
    _, targets = training_batch(folder / "train_800.npz")
    features = [torch.zeros(2, 1, *level.shape[1:3]) for level in operands.pyramid()]
    images = ImageList(torch.zeros(2, 3, *operands.SIZE), 2 * [operands.SIZE])
    anchors = model.rpn.anchor_generator(images, features)
    proposals = [torch.from_numpy(boxes) for boxes in operands.proposals()]

    def run() -> worker.Answer:
        labels, truth = model.rpn.assign_targets_to_anchors(anchors, targets)
        model.rpn.box_coder.encode(truth, anchors)
        positive, _ = model.rpn.fg_bg_sampler(labels)
        rois, _, classes, _ = model.roi_heads.select_training_samples(proposals, targets)
        return {
            "positive_anchors": int(sum(one.sum() for one in positive)),
            "positive_rois": int(sum((one > 0).sum() for one in classes)),
        }

    return run


def make_evaluate(folder: Path) -> worker.Case:
    """pycocotools' figures of masks, from two files."""
    import contextlib
    import sys

    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def run() -> worker.Answer:
        with contextlib.redirect_stdout(sys.stderr):
            truth = COCO(str(folder / "truth.json"))
            found = truth.loadRes(str(folder / "results.json"))
            evaluation = COCOeval(truth, found, "segm")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return {"mask_ap": evaluation.stats[0]}

    return run


OPERATIONS = {
    "roi_align": make_roi_align,
    "roi_align_gradient": make_roi_align_gradient,
    "nms": make_nms,
    "paste": make_paste,
    "match_and_sample": make_match_and_sample,
    "evaluate": make_evaluate,
}
