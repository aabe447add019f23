"""Names and order of keypoints and mask classes."""

KEYPOINT_NAMES = (
    "left_eye",
    "right_eye",
    "mouth",
    "mouth_left",
    "mouth_right",
    "lip_top",
    "lip_bottom",
    "nose_tip",
    "chin",
    "head_centre",
)
"""Points whose place in the image every frame tells; left is the person's own left.

Ours: what losses weigh (eyes, mouth) and what evaluation measures (inner lips).
"""

MASK_CLASSES = (
    "background",
    "torso",
    "head",
    "hair",
    "eyes",
    "mouth_interior",
)
"""Class of each id in a mask.

Ours: skin of head and neck is `head`, and so are glasses; hats are `hair`, clothes are
`torso`.
"""
