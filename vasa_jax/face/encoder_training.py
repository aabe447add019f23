"""The first task of stage one: pose and facial dynamics, taught by the truth.

Ours: a renderer learns to use expression only from an encoder that sees it, and the
encoders alone cost a twentieth of the renderer's step; so they come first.
"""

import dataclasses
from typing import ClassVar

import einops
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import arkit, geometry, types
from vasa_jax.face import augmentation, encoders, scene
from vasa_jax.face import config as face_config
from vasa_jax.face import model as face_model
from vasa_jax.face.losses import distances
from vasa_jax.train import metric_states, task

CODE_NOISE = 0.1
"""Standard deviation of noise added to facial dynamics before they are read. Ours: so
near codes mean near faces, and unused channels stay quiet."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncoderLossConfig:
    """Weights of the encoders' losses.

    Ours: chosen so that all terms are of like size at the start. `head_pose`,
    `code_map` and `code_size` are constants (`ClassVar`), since no run changed them.

    Attributes:
        head_pose: weight of the head pose.
        code_map: weight of the distance of facial dynamics from what the map makes of
            the truth. Ours: it takes out of them whatever is neither expression nor
            gaze.
        code_size: weight of the mean square of facial dynamics.
        expression, gaze: weights, 0 for sets that do not know them. Ours: they are
            compared as read out of the encoder's code and of the map's, so that the
            map's code also holds what an encoder hardly sees, such as brows.
    """

    head_pose: ClassVar[float] = 2.0
    code_map: ClassVar[float] = 0.5
    code_size: ClassVar[float] = 0.003
    expression: float = 4.0
    gaze: float = 2.0


class EncoderTask:
    """Train pose encoder, dynamics encoder and its heads on single frames.

    Ours: see the module.

    Args:
        config: of the face model.
        loss: weights.
        amounts: how far frames are changed.
        expression_weight: `[52]` weight of each ARKit unit.
    """

    def __init__(
        self,
        config: face_config.FaceConfig,
        loss: EncoderLossConfig,
        amounts: augmentation.Amounts,
        expression_weight: np.ndarray,
    ):
        self._config = config
        self._model = face_model.FaceModel(config)
        self._loss = loss
        self._amounts = amounts
        self._expression_weight = expression_weight
        self.losses = {"face": self.loss}

    def init(self, key: jax.Array) -> dict:
        """Return the parameters of the whole face model."""
        return init_face(self._model, key)

    def loss(self, params, batch, key, step):
        """Sum the terms; see `task.LossFunction`."""
        del key, step
        image, truth, known = _flatten(batch)
        count = image.shape[0] // batch["image"].shape[0]
        keys = jax.vmap(lambda row: jax.random.split(row, count))(batch["example_key"])
        keys = keys.reshape(-1)

        pose_size = self._config.pose_encoder.size
        small = geometry.resize(image, 2 * pose_size, 2 * pose_size)

        def change(key, image, head_pose):
            parts = jax.random.split(key, 3)
            image, head_pose = augmentation.move(
                parts[0], image, head_pose, self._amounts, pose_size
            )
            image = augmentation.jitter_colour(parts[1], image, self._amounts)
            return image, head_pose, parts[2]

        moved, moved_truth, keys = jax.vmap(change)(keys, small, truth)

        def shake(key, head_pose):
            return augmentation.shake_pose(key, head_pose, self._amounts)

        seen = jax.vmap(shake)(keys, truth)
        face = encoders.align_face(image, seen, self._config.dynamics_encoder.size)

        def disturb(key, face):
            parts = jax.random.split(jax.random.fold_in(key, 1), 2)
            noise = jax.random.normal(parts[0], (self._config.dynamics_channels,))
            return augmentation.jitter_colour(parts[1], face, self._amounts), noise

        face, noise = jax.vmap(disturb)(keys, face)

        def encode(model):
            codes = [model.dynamics_encoder(face)]
            if "arkit" in known and "gaze" in known:
                codes.append(model.write_dynamics(known["arkit"], known["gaze"]))
            codes = jnp.stack(codes)
            readout = model.read_dynamics(codes + CODE_NOISE * noise[None])
            return model.pose_encoder(moved), codes, readout

        head_pose, codes, readout = self._apply(params, encode)
        terms = {
            "head_pose": distances.head_pose(head_pose, moved_truth).mean(),
            "code_size": jnp.square(codes).mean(),
        }
        if "arkit" in known:
            weight = jnp.asarray(self._expression_weight)
            compare = jax.vmap(distances.expression, in_axes=(0, None, None))
            terms["expression"] = compare(readout.arkit, known["arkit"], weight).mean()
        if "gaze" in known:
            compare = jax.vmap(distances.gaze, in_axes=(0, None))
            terms["gaze"] = compare(readout.gaze_in_head, known["gaze"]).mean()
        if len(codes) == 2:
            seen, written = codes
            written = jax.lax.stop_gradient(written)
            terms["code_map"] = jnp.square(seen - written).mean()
        total = sum(getattr(self._loss, name) * term for name, term in terms.items())
        return total, task.Outputs(terms)

    def evaluate(self, params, batch, key):
        """Measure unchanged frames, faces aligned by the estimated pose."""
        del key
        image, truth, known = _flatten(batch)

        def encode(model):
            head_pose, dynamics = model.encode_motion(image)
            return head_pose, model.read_dynamics(dynamics)

        head_pose, readout = self._apply(params, encode)
        turn = jnp.abs(head_pose.rotation - truth.rotation)
        states = {
            "pose_error_degrees": metric_states.Mean.from_batch(jnp.rad2deg(turn)),
            "place_error": metric_states.Mean.from_batch(
                jnp.abs(head_pose.translation - truth.translation)
            ),
            "size_error": metric_states.Mean.from_batch(
                jnp.abs(head_pose.scale - truth.scale)
            ),
        }
        if "gaze" in known:
            states["gaze_error_degrees"] = metric_states.Mean.from_batch(
                jnp.rad2deg(jnp.abs(readout.gaze_in_head - known["gaze"]))
            )
        if "arkit" not in known:
            return states
        truth = known["arkit"]
        states["arkit_error"] = metric_states.Mean.from_batch(
            jnp.abs(readout.arkit - truth)
        )
        for name, unit in MEASURED_UNITS.items():
            states[f"{name}_correlation"] = metric_states.Correlation.from_batch(
                readout.arkit[:, unit, None], truth[:, unit, None]
            )
        return states

    def _apply(self, params, function):
        return self._model.apply({"params": params["face"]}, method=function)


MEASURED_UNITS = {
    "jaw_open": arkit.index("jawOpen"),
    "blink": arkit.index("eyeBlinkLeft"),
    "lips_pressed": arkit.index("mouthPressLeft"),
    "pucker": arkit.index("mouthPucker"),
}
"""Ours: lips and lids are what a coarse encoder misses first."""


def init_face(model: face_model.FaceModel, key: jax.Array) -> dict:
    """Return `{"face": parameters}` of a face model."""
    size = model.config.image_size
    image = jnp.zeros((1, size, size, 3))
    return {"face": model.init(key, image, image)["params"]}


def _flatten(batch):
    """Return images, head poses, and what else is known, with one leading axis."""
    flat = {
        name: einops.rearrange(batch[name], "b n ... -> (b n) ...")
        for name in ("image", "pose", "arkit", "gaze")
        if name in batch
    }
    head_pose = types.HeadPose.from_vector(flat.pop("pose"))
    return scene.to_float(flat.pop("image")), head_pose, flat
