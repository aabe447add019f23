"""Named arrays, and the glossary of shapes that every docstring uses.

Shapes: B batch, T frames, H W pixels, D volume depth, C channels, L tokens, N heads,
S diffusion steps; Z channels of facial dynamics, I of identity, A of audio features,
M = 6 + Z channels of motion, K frames of the previous window.

Layout: channels last. Images are float32 in [-1, 1], `[B, H, W, 3]`; volumes
`[B, D, H, W, C]`; grids hold (x, y, z) in [-1, 1] at pixel centres: x to the right of
the image, y down, z away from the viewer (right-handed), so that index 0 of a volume's
depth is nearest to the viewer.

Signs: with all angles in radians, yaw > 0 turns the face to the right side of the
image, pitch > 0 looks down, roll > 0 turns the head counter-clockwise as one sees it.
The rotation matrix is yaw times pitch times roll. Gaze is in the camera frame with the
signs of yaw and pitch.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

EMOTIONS = (
    "neutral",
    "happiness",
    "sadness",
    "anger",
    "surprise",
    "disgust",
    "fear",
    "contempt",
)
"""The eight AffectNet classes, in the order of every emotion vector. Neutral is the
origin that the others are offsets from: its entry is always 0. An emotion that is not
known, or not asked for, is no vector: the denoiser gets its null token."""

POSE_CHANNELS = 6
"""Channels of a head pose as a vector: yaw, pitch, roll, x, y, scale."""

FRAME_RATE_HZ = 25
"""Frames a second of every clip. Follows: DiffPoseTalk, FLOAT (25 a second)."""

SAMPLE_RATE_HZ = 16_000
"""Samples a second of every waveform. Follows: wav2vec 2.0, Whisper."""

SAMPLES_PER_FRAME = SAMPLE_RATE_HZ // FRAME_RATE_HZ

LUMA = np.array([0.299, 0.587, 0.114])
"""Shares of red, green and blue in brightness. Follows: ITU-R BT.601."""


@struct.dataclass
class HeadPose:
    """Weak-perspective head pose.

    Ours: the paper gives z_pose no form; an explicit pose can be measured and
    controlled, and head distance is the inverse of scale.

    Attributes:
        rotation: `[..., 3]` yaw, pitch, roll about the head centre, radians.
        translation: `[..., 2]` projected head centre, image units in [-1, 1], y down.
        scale: `[..., 1]` apparent size; 1 is the framing of the one crop definition.
    """

    rotation: jax.Array
    translation: jax.Array
    scale: jax.Array

    def to_vector(self) -> jax.Array:
        """Return `[..., 6]`: yaw, pitch, roll, x, y, scale."""
        return jnp.concatenate([self.rotation, self.translation, self.scale], axis=-1)

    @classmethod
    def from_vector(cls, vector: jax.Array) -> "HeadPose":
        """Split `[..., 6]` as `to_vector` wrote it."""
        return cls(
            rotation=vector[..., 0:3],
            translation=vector[..., 3:5],
            scale=vector[..., 5:6],
        )

    @property
    def head_distance(self) -> jax.Array:
        """Distance `[..., 1]` from the camera, 1 at the reference framing."""
        return 1.0 / self.scale


@struct.dataclass
class Eyes:
    """The eyes of B portraits, the image's left one first; see `portrait.eyes`.

    Layers lie in each eye's own square: its x goes from corner to corner of the lids,
    of which it reaches `portrait.eyes.SPAN` to each side.

    Attributes:
        rims: `[B, 2, 16, 2]` of the lids in the portrait, in [-1, 1]: the upper lid to
            the right, then the lower one back.
        discs: `[B, 2, 3, 2]` irises: the centre, and the ends of the radii that point
            to the eye's right side and down; likewise.
        white: `[B, 2, h, w, 3]` of the eye without the shade of the upper lid, 0 to 1.
        iris: `[B, 2, h, w, 4]` colours times opacity, and opacity, where it was seen;
            likewise.
        rest: `[B, 2, h, w, 3]` what both leave over of the portrait; likewise.
        photograph: `[B, 2, h, w, 3]` the portrait.
        lid: `[B, 2, h, w, 3]` the portrait without an iris behind lashes.
        shade: `[B, 2, K]` light at K distances below the upper lid.
        presence: `[B, 2]` how far to show all this, 0 to 1.
    """

    rims: jax.Array
    discs: jax.Array
    white: jax.Array
    iris: jax.Array
    rest: jax.Array
    photograph: jax.Array
    lid: jax.Array
    shade: jax.Array
    presence: jax.Array


@struct.dataclass
class Teeth:
    """What the mouths of B portraits show inside, painted; see `portrait.mouths`.

    Attributes:
        rows: the upper row, and the lower one with the tongue: `[B, h, w, 4]` colours
            times opacity, and opacity, 0 to 1; where on a head they are tells
            `face.shortcut.mouth`.
        cavity: `[B, 3]` colour behind them, 0 to 1.
    """

    rows: tuple[jax.Array, jax.Array]
    cavity: jax.Array


@struct.dataclass
class SeenMouth:
    """The mouths of B portraits, as frames are drawn by; see `face.shortcut.mouth`.

    Attributes:
        lips: `[B, 24, 2]` where the lips meet in the head's frame, half images at scale
            1, as if they were flat.
        gaps: `[B, 11, 3]` how far they are apart; see `face.shortcut.mouth.gaps`.
        teeth: what is inside.
    """

    lips: jax.Array
    gaps: jax.Array
    teeth: Teeth


@struct.dataclass
class Marks:
    """What landmarks tell of the faces of B portraits; see `portrait.marks`.

    Attributes:
        lips: `[B, 24, 2]` the lips' inner edge in [-1, 1]; see `portrait.lips`.
        teeth: what is inside of the mouth.
        eyes: both eyes, taken apart.
    """

    lips: jax.Array
    teeth: Teeth
    eyes: Eyes


@struct.dataclass
class PortraitPixels:
    """What the image shortcut takes from a portrait, beside the paper's latents.

    Attributes:
        image: `[B, H, W, 3]` the portrait; frames come out at its size.
        features: `[B, h, w, C]` of it.
        displacement: `[B, D, H, W, 3]` from canonical space to the portrait's
            expression, before its rigid pose.
        behind_head: `[B, h, w, C + 3]` features and colours of the background, also
            where the head hides it.
        background_logits: `[B, h, w, 1]` that a cell of the portrait shows background.
        chroma: `[B, 1]` 0 where the portrait is grey, 1 where it has colours.
        mouth: the portrait's; None leaves the inside of mouths to the decoder. See
            `shortcut.mouth`.
        eyes: the portrait's; None leaves eyes to the decoder. See `shortcut.eyes`.
        person: `[B, P, P, 4]` squares of the person's colours, which go on beyond it,
            and of its share of each pixel, all in [0, 1], of the portrait and, where P
            is more than H and W, of as much around each side; None leaves the
            background to the decoder. For B frames of one portrait B may be 1.
        backdrop: `[B, H, W, 3]` what stands behind the person in every frame, with
            `person`, and alike; or `[B, H, W, 4]` with opacity in [0, 1], which frames
            then have, too.
    """

    image: jax.Array
    features: jax.Array
    displacement: jax.Array
    behind_head: jax.Array
    background_logits: jax.Array
    chroma: jax.Array
    mouth: SeenMouth | None = None
    eyes: Eyes | None = None
    person: jax.Array | None = None
    backdrop: jax.Array | None = None


@struct.dataclass
class FaceLatents:
    """What one portrait is turned into; all that rendering needs of it.

    Attributes:
        appearance_volume: `[B, D, H, W, C]` canonical volume (V_app).
        identity: `[B, I]` identity code (z_id).
        head_pose: the portrait's own `HeadPose`, leading shape `[B]`.
        facial_dynamics: `[B, Z]` the portrait's own z_dyn.
        pixels: for the image shortcut; None without it.
        rest_rotation: `[B, 3]` radians, about which motion turns the head; None where
            motion tells rotations of the camera's frame.
    """

    appearance_volume: jax.Array
    identity: jax.Array
    head_pose: HeadPose
    facial_dynamics: jax.Array
    pixels: PortraitPixels | None = None
    rest_rotation: jax.Array | None = None


@struct.dataclass
class Conditions:
    """What steers the motion denoiser, and which parts of it are dropped.

    Attributes:
        audio: `[B, T, A]` features of the window's frames.
        previous_motion: `[B, K, M]` normalised motion before the window.
        previous_audio: `[B, K, A]` features before the window.
        gaze: `[B, 2]` main gaze (theta, phi), radians, camera frame.
        head_distance: `[B, 1]` mean distance of the head, 1 at the reference framing.
        emotion: `[B, 8]` offset per class of `EMOTIONS`.
        liveliness: `[B, 1]` of the head in the window, of `motion.liveliness`.
        audio_dropped, previous_dropped, gaze_dropped, distance_dropped,
            emotion_dropped, liveliness_dropped: bool `[B]`; true puts the learned null
            token in place. `previous_dropped` covers both motion and audio of the
            prefix.
        past_end: bool `[B, T]`; true after the last frame of a window that is shorter
            than T: neither voice nor motion of those frames is seen.
    """

    audio: jax.Array
    previous_motion: jax.Array
    previous_audio: jax.Array
    gaze: jax.Array
    head_distance: jax.Array
    emotion: jax.Array
    liveliness: jax.Array
    audio_dropped: jax.Array
    previous_dropped: jax.Array
    gaze_dropped: jax.Array
    distance_dropped: jax.Array
    emotion_dropped: jax.Array
    liveliness_dropped: jax.Array
    past_end: jax.Array
