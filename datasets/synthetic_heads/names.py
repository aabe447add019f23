"""Names and order of expression weights, keypoints and mask classes."""

ARKIT_NAMES = (
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)
"""The 52 expression weights in alphabetical order; Left is the person's own left.

Follows: ARKit's blend shapes (Apple), as the CC0 units of faceunits01 name them.
"""

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
