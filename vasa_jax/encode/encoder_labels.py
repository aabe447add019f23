"""Gaze and expression as the motion encoder reads them, lids by landmarks.

Ours: the encoder of facial dynamics that ships reads expression weights better than
linear maps from landmarks do, on rendered heads and on photographs; gaze is best told
by both (`docs/labels.md`).
"""

import functools
import pathlib

import jax
import numpy as np

from vasa_jax import config, export
from vasa_jax.animate import rendering, trained
from vasa_jax.face import config as face_config
from vasa_jax.face import dynamics_code, encoders
from vasa_jax.face import model as face_model
from vasa_jax.portrait import (
    crop,
    face_labels,
    gaze,
    landmark_labels,
    landmarks,
    pose,
    resample,
)

MAPS_PATH = pathlib.Path(__file__).parent.parent / "weights" / "demo_labels.npz"
"""Which units the encoder knows, and the map from units to emotions, as
`experiments.tools.fit_encoder_labels` writes it."""

BATCH = 32
"""Faces that are read at once. Ours: one shape is one compilation."""

PARTS = ("dynamics_encoder", "dynamics_heads")
"""The parts of a face model that are used."""

_EYES_SHAPE = (2, gaze.NUM_IRIS_POINTS + gaze.NUM_LID_POINTS, 2)
_EYES_BYTES = 4 * int(np.prod(_EYES_SHAPE))
"""Of `gaze.find_eyes` in what is kept of a frame; the face's picture follows."""


class EncoderEstimator:
    """Estimate labels; see `face_labels.LabelEstimator`."""

    def __init__(self):
        """Load the encoder that ships."""
        self._sizes, self._params = load_encoder()
        self._side = self._sizes.dynamics_encoder.size

    def see(self, image: np.ndarray, found: landmarks.Landmarks) -> np.ndarray:
        """Find eyes and cut the face out; uint8, the bytes of both."""
        eyes = np.ascontiguousarray(gaze.find_eyes(image, found), np.float32)
        face = cut_face(image, pose.fit_head(found.points), self._side)
        return np.concatenate([eyes.view(np.uint8).ravel(), face.ravel()])

    def measure(
        self, seen: np.ndarray, points: np.ndarray, fit: pose.HeadFit
    ) -> np.ndarray:
        """Return gaze, the head's turn, the lids' gap and unit weights, `[n, 57]`.

        Ours: a look that is kept for the next frame too is read once.
        """
        raw, faces = np.split(seen, [_EYES_BYTES], axis=1)
        eyes = np.ascontiguousarray(raw).view(np.float32).reshape(-1, *_EYES_SHAPE)
        is_new = np.append(True, (seen[1:] != seen[:-1]).any(axis=1))
        read = self._read(faces[is_new])[np.cumsum(is_new) - 1]
        units, in_head = np.split(read, [-2], axis=1)
        turn = fit.rotation[:, :2]
        looking = (gaze.gaze_between_lids(eyes, fit) + in_head + turn) / 2
        gap = gaze.eye_aperture(eyes)[..., None]
        parts = [looking, turn, gap, units]
        return np.concatenate(parts, axis=-1).astype(np.float32)

    def estimate(self, measured: np.ndarray) -> face_labels.FaceLabels:
        """Estimate labels of a clip; see `face_labels.LabelEstimator.estimate`."""
        return landmark_labels.estimate(measured, load_maps())

    def _read(self, faces):
        """Return unit weights and gaze in the head `[n, 54]`, batch by batch."""
        faces = faces.reshape(-1, self._side, self._side, 3)
        found = []
        for start in range(0, len(faces), BATCH):
            rows = np.minimum(np.arange(start, start + BATCH), len(faces) - 1)
            read = _read(self._sizes, self._params, faces[rows])
            found.append(np.concatenate([read.arkit, read.gaze_in_head], axis=1))
        return np.concatenate(found)[: len(faces)]


def cut_face(image: np.ndarray, fit: pose.HeadFit, size: int) -> np.ndarray:
    """Cut a face out of a picture as `encoders.align_face` does out of a portrait.

    Args:
        image: uint8 `[H, W, 3]`.
        fit: of the head in it, without leading axes.
        size: side of the result, pixels.

    Returns:
        uint8 `[size, size, 3]`.
    """
    half_image = crop.HALF_IMAGE_HEAD_UNITS * float(fit.unit)
    middle = fit.centre + half_image * (fit.matrix() @ encoders.FACE_CENTRE)[:2]
    # Rolls count counter-clockwise.
    turn = resample.rotation_2d(-float(fit.rotation[2]))
    matrix = turn * (2 * half_image * encoders.FACE_HALF_SIZE / size)
    corner = middle - matrix @ np.array([size / 2, size / 2])
    seen = resample.sample_affine(image, np.column_stack([matrix, corner]), size, size)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


@functools.cache
def load_encoder() -> tuple[face_config.FaceConfig, dict]:
    """Return the sizes of the face model that ships, and `PARTS` of its parameters."""
    params, configs, _ = export.load_export(trained.SHIPPED_FOLDER)
    sizes = config.from_json(face_config.FaceConfig, configs["face"])
    return sizes, jax.device_put({name: params["face"][name] for name in PARTS})


@functools.cache
def load_maps() -> dict[str, np.ndarray]:
    """Read `unit_known` bool `[52]`, `emotion_map` `[52, 8]`, `emotion_bias` `[8]`."""
    with np.load(MAPS_PATH, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@functools.partial(jax.jit, static_argnums=0)
def _read(sizes, params, faces):
    """Read what faces uint8 `[n, S, S, 3]` show."""

    def read(model):
        return model.read_dynamics(
            model.dynamics_encoder(rendering.to_model_range(faces))
        )

    found = face_model.FaceModel(sizes).apply({"params": params}, method=read)
    return dynamics_code.Expression(arkit=found.arkit, gaze_in_head=found.gaze_in_head)
