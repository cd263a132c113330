"""The blobs of Caffe2 under Detectron2's names: MSRA's and FAIR's ImageNet bodies, and Detectron1.

Their names are those that detectron2/checkpoint/c2_model_loading.py reads. A detector of Detectron1
loads where each level of its pyramid has one anchor size; its C4 models order their anchors in
another way, so that their RPN is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

_WEIGHTS = (
    (r"_[bg]n_(s|gamma)$", ".norm.weight"),
    (r"_[bg]n_(b|bias|beta)$", ".norm.bias"),
    (r"_bn_(rm|running_mean)$", ".norm.running_mean"),
    (r"_bn_(riv|running_var)$", ".norm.running_var"),
    (r"_w$", ".weight"),
    (r"_b$", ".bias"),
)
_LAYERS = (
    (r"^(res_)?conv1\.", "backbone.stem.conv1."),
    (r"^res(\d)_(\d+)_branch1\.", r"backbone.res\1.\2.shortcut."),
    (r"^res(\d)_(\d+)_branch2a\.", r"backbone.res\1.\2.conv1."),
    (r"^res(\d)_(\d+)_branch2b\.", r"backbone.res\1.\2.conv2."),
    (r"^res(\d)_(\d+)_branch2c\.", r"backbone.res\1.\2.conv3."),
    (r"^fpn_inner_res(\d)_\d+_sum(_lateral)?\.", r"backbone.fpn_lateral\1."),
    (r"^fpn_res(\d)_\d+_sum\.", r"backbone.fpn_output\1."),
    (r"^conv_rpn_fpn2\.", "proposal_generator.rpn_head.conv."),  # level 2's, for all of them
    (r"^rpn_cls_logits_fpn2\.", "proposal_generator.rpn_head.objectness_logits."),
    (r"^rpn_bbox_pred_fpn2\.", "proposal_generator.rpn_head.anchor_deltas."),
    (r"^head_conv(\d)\.", r"roi_heads.box_head.conv\1."),
    (r"^fc6\.", "roi_heads.box_head.fc1."),
    (r"^fc7\.", "roi_heads.box_head.fc2."),
    (r"^(cls_score|bbox_pred)\.", r"roi_heads.box_predictor.\1."),
    (r"^_?\[mask\]_fcn(\d)\.", r"roi_heads.mask_head.mask_fcn\1."),
    (r"^conv5_mask\.", "roi_heads.mask_head.deconv."),
    (r"^mask_fcn_logits\.", "roi_heads.mask_head.predictor."),
    (r"^conv_fcn(\d)\.", r"roi_heads.keypoint_head.conv_fcn\1."),
    (r"^kps_score_lowres\.", "roi_heads.keypoint_head.score_lowres."),
)
_NO_PARAMETERS = r".*_momentum$|lr$|weight_order$"


def is_caffe2(names: Iterable[str]) -> bool:
    """Whether these are the names of blobs of a ResNet."""
    return any(re.fullmatch(r"res\d_\d+_branch2a_w", name) for name in names)


def to_detectron2(blobs: Mapping[str, np.ndarray], epsilon: float) -> dict[str, np.ndarray]:
    """Blobs → arrays by Detectron2's names, background last; other names stay as they are.

    Args:
        blobs: by ``res2_0_branch2a_w``, ``conv1_b``, …
        epsilon: that of the norms. Where a norm is scale and shift alone, its mean is 0 and its
            variance 1 − epsilon, which is the same.
    """
    named = {
        _name(blob): np.asarray(array)
        for blob, array in blobs.items()
        if not re.match(_NO_PARAMETERS, blob)
    }
    for name, array in named.items():
        named[name] = _background_last(name, array)
    affine = [blob for blob in blobs if re.search(r"_bn_(s|gamma)$", blob)]
    for name in map(_name, affine):
        norm, ones = name.removesuffix(".weight"), np.ones_like(named[name])
        named.setdefault(f"{norm}.running_mean", 0 * ones)
        named.setdefault(f"{norm}.running_var", ones - np.asarray(epsilon, ones.dtype))
    return named


def _name(blob: str) -> str:
    for pattern, weight in _WEIGHTS:
        name, count = re.subn(pattern, weight, blob)
        if count:
            break
    for pattern, layer in _LAYERS:
        name, count = re.subn(pattern, layer, name)
        if count:
            return name
    return blob


def _background_last(name: str, array: np.ndarray) -> np.ndarray:
    """Background is their class 0, with deltas and a mask of its own that mean nothing."""
    if ".cls_score." in name:
        return np.roll(array, -1, axis=0)
    if ".bbox_pred." in name:
        return array[4:]
    return array[1:] if ".mask_head.predictor." in name else array
