"""What counts as the same: the one table of limits, for float32 on a CPU."""

STAGES = (
    *("input", "features", "rpn", "anchors", "proposals", "box", "mask head"),
    *("detections", "masks", "keypoints", "losses", "gradients"),
)
"""In the order in which one follows from the other."""

LIMITS = {
    # Relative L2 distance of the sampled values.
    "input": 3e-5,
    "features": 3e-5,
    "rpn": 3e-5,
    "box": 3e-5,
    "mask head": 3e-5,
    # Pixels.
    "sizes": 0.0,
    "anchors": 1e-3,
    # Share of those without a partner, of theirs or of ours, whichever is larger.
    "proposals": 0.01,
    "detections": 0.02,
    "keypoints": 0.02,
    # Masks of partners: what the areas differ by, in parts of what they may; 1 - IoU.
    "mask areas": 1.0,
    "mask IoU": 0.01,
    # Relative.
    "losses": 1e-3,
    "gradients": 1e-2,
}

# What makes two of a list partners.
PROPOSAL_PIXELS = 0.05
DETECTION_PIXELS = 0.1
DETECTION_SCORE = 1e-3
KEYPOINT_PIXELS = 0.5
AREA_SHARE, AREA_PIXELS = 0.005, 4
# Gradients whose norm is this small beside the largest are rounding.
SMALL_GRADIENT = 1e-6
