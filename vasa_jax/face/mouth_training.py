"""The last task of stage one: where mouths open, and what is inside.

Ours: it needs neither decoder nor flow, so that a step takes 0.6 to 1.3 s where one of
theirs takes 6; see `shortcut.mouth`.
"""

import dataclasses
from typing import ClassVar

import einops
import jax
import jax.numpy as jnp
import optax

from vasa_jax import config as config_lib
from vasa_jax import geometry, types
from vasa_jax.face import config as face_config
from vasa_jax.face import encoder_training, examples, scene
from vasa_jax.face import model as face_model
from vasa_jax.face.shortcut import mouth as mouth_lib
from vasa_jax.face.shortcut import mouth_layer
from vasa_jax.train import metric_states, task

LIPS_SHIFT, LIPS_NOISE = 0.004, 0.003
"""Standard deviations of what is added to a portrait's lips, together and each, half
images. Ours: half a pixel of 256."""

COLOUR_NOISE = 0.05
"""Standard deviation of what is added to all its colours. Ours."""

INSET = 0.3
"""How far inside of the lips' edge colours are compared, pixels over
`mouth_layer.SOFT`. Ours: at the edge itself frames mix both."""

FIELDS = ("image", "pose", "arkit", "gaze", *examples.MOUTH_FIELDS)
"""What of a batch of `examples.frames` teaches."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MouthLossConfig:
    """Weights of the mouths' losses; constants, since no run changed them.

    Ours: chosen so that all terms are of like size at the start.

    Attributes:
        places: of the lips' edge and of teeth, with the corners where they are.
        corners: of the corners where poses alone put them.
        gap: of how far lips are apart.
        presence: of whether the inside is to be drawn.
        colours: of the inside and of its gradients.
    """

    places: ClassVar[float] = 20.0
    corners: ClassVar[float] = 6.0
    gap: ClassVar[float] = 20.0
    presence: ClassVar[float] = 0.3
    colours: ClassVar[float] = 1.0


class MouthTask:
    """Train the mouth's network and its textures on frames of one clip.

    Ours: see the module. Every frame is the portrait of the next.

    Args:
        config: of the face model.

    Raises:
        UserError: the model leaves mouths to the decoder.
    """

    def __init__(self, config: face_config.FaceConfig):
        has_mouth = config.shortcut is not None and config.shortcut.mouth_hidden
        config_lib.require(
            bool(has_mouth),
            "This model leaves the inside of mouths to the decoder "
            "(shortcut.mouth_hidden is None); give a preset that has it, such as "
            "demo_mouth.",
        )
        self._model = face_model.FaceModel(config)
        self._shape = mouth_lib.MouthShape(config.shortcut.mouth_hidden)
        self._rows = mouth_layer.MouthRows()
        self.losses = {"face": self.loss}

    def init(self, key: jax.Array) -> dict:
        """Return the parameters of the whole face model."""
        return encoder_training.init_face(self._model, key)

    def loss(self, params, batch, key, step):
        """Sum the terms; see `task.LossFunction`."""
        del key, step
        keys = jax.vmap(lambda key: jax.random.split(key, 3))(batch["example_key"])
        told, truth, drawn = self._predict(params, batch, keys)
        terms = _terms(told, truth) | {"colours": drawn}
        weights = MouthLossConfig()
        total = sum(getattr(weights, name) * term for name, term in terms.items())
        return total, task.Outputs(terms)

    def evaluate(self, params, batch, key):
        """Measure distances in pixels of a frame of 256."""
        del key
        told, truth, drawn = self._predict(params, batch, None)
        terms = _terms(told, truth)
        pixels = {f"{name}_px": 128.0 * terms[name] for name in ("corners", "gap")}
        edge = jnp.linalg.norm(told.edge - truth["edge"], axis=-1)
        teeth = jnp.linalg.norm(told.teeth - truth["teeth"], axis=-1)
        found = (told.presence_logits > 0.0) == (truth["is_painted"] > 0.5)
        values = {
            **pixels,
            "edge_px": 128.0 * edge,
            "teeth_px": 128.0 * teeth,
            "presence_found": found,
            "colours": drawn,
        }
        return {
            name: metric_states.Mean.from_batch(jnp.atleast_1d(value))
            for name, value in values.items()
        }

    def _predict(self, params, batch, keys):
        """Return what is told of all frames, the truth, and how colours differ."""
        driver = {name: _flat(batch[name]) for name in FIELDS}
        own = {
            name: _flat(jnp.roll(batch[name], 1, axis=1))
            for name in ("image", "pose", "mouth_edge")
        }
        image, pose = (
            scene.to_float(own["image"]),
            types.HeadPose.from_vector(own["pose"]),
        )

        def encode(model):
            _, dynamics = model.encode_motion(image, pose)
            asked = model.write_dynamics(driver["arkit"], driver["gaze"])
            return dynamics, asked

        face = params["face"]
        dynamics = self._model.apply({"params": face}, method=encode)
        lips, colours = mouth_lib.encode_lips(own["mouth_edge"], image, pose)
        if keys is not None:
            lips, colours = _disturbed(keys.reshape(-1), lips, colours)
        dynamics = jax.lax.stop_gradient(dynamics)
        shape = face["shortcut"]["mouth_shape"]
        mouth = self._shape.apply({"params": shape}, lips, colours, *dynamics)
        pose = types.HeadPose.from_vector(driver["pose"])
        truth = {
            "edge": driver["mouth_edge"],
            "teeth": driver["mouth_teeth"],
            "is_painted": driver["mouth_is_painted"][:, None],
        }
        return (
            _told(mouth, pose, truth),
            truth,
            self._colours(face, mouth, pose, truth, driver["image"]),
        )

    def _colours(self, face, mouth, pose, truth, image):
        """Compare the frames with what is drawn, its rows where they truly are.

        Ours: rows a pixel or two off, now here, now there, teach one grey slab; drawn
        off by as much in use, teeth are still teeth.
        """
        edge, size = jax.lax.stop_gradient((mouth.edge, mouth.size))
        anchors = jax.lax.stop_gradient(_true_anchors(mouth, pose, truth))
        mouth = mouth.replace(edge=edge, anchors=anchors, size=size)
        corners = mouth_lib.corners(truth["edge"])
        layer = self._rows.apply(
            {"params": face["shortcut"]["mouth_rows"]},
            mouth,
            pose,
            corners,
            image.shape[1],
        )
        size = image.shape[1]
        target = mouth_layer.cut(scene.to_float(image), layer)
        grid = jnp.broadcast_to(geometry.image_grid(size, size), (*image.shape[:3], 2))
        places = mouth_layer.cut(grid, layer)
        inside = mouth_layer.edge_distance(places, truth["edge"]) * (0.5 * size)
        weight = jnp.clip(inside / mouth_layer.SOFT - INSET, 0.0, 1.0)
        weight = weight * truth["is_painted"][:, None, None]
        error = layer.colours - target
        total = (jnp.abs(error) * weight).sum()
        total += (jnp.abs(jnp.diff(error, axis=1)) * weight[:, 1:]).sum()
        total += (jnp.abs(jnp.diff(error, axis=2)) * weight[:, :, 1:]).sum()
        return total / (3.0 * jnp.maximum(weight.sum(), 1.0))


def _true_anchors(mouth, pose, truth):
    """Shift the rows' anchors in their plane to where the truth has the teeth."""
    edges = mouth_lib.posed_edge(mouth, pose), truth["edge"]
    corners = map(mouth_lib.corners, edges)
    told = mouth_lib.shifted(mouth_lib.posed_teeth(mouth, pose), *corners)
    missing = (truth["teeth"] - told).mean(axis=2) / pose.scale[:, None]
    rotation = geometry.rotation_matrix(pose.rotation)
    move = jnp.einsum("bij,brj->bri", jnp.linalg.inv(rotation[:, :2, :2]), missing)
    return mouth.anchors.at[..., :2].add(move)


@dataclasses.dataclass(frozen=True)
class _Told:
    """What is told of B frames, in their image: `[B, 24, 2]`, `[B, 2, 4, 2]`."""

    edge: jax.Array
    teeth: jax.Array
    corners: jax.Array
    presence_logits: jax.Array


def _told(mouth, pose, truth):
    edge = mouth_lib.posed_edge(mouth, pose)
    corners, true_corners = mouth_lib.corners(edge), mouth_lib.corners(truth["edge"])
    shift = corners, true_corners
    return _Told(
        edge=mouth_lib.shifted(edge, *shift),
        teeth=mouth_lib.shifted(mouth_lib.posed_teeth(mouth, pose), *shift),
        corners=corners,
        presence_logits=mouth.presence_logits,
    )


def _terms(told, truth):
    off = jnp.abs(told.edge - truth["edge"]).mean()
    gap = _gap(told.edge) - _gap(truth["edge"])
    corners = told.corners - mouth_lib.corners(truth["edge"])
    return {
        "places": off + jnp.abs(told.teeth - truth["teeth"]).mean(),
        "corners": jnp.abs(corners).mean(),
        "gap": jnp.abs(gap).mean(),
        "presence": optax.sigmoid_binary_cross_entropy(
            told.presence_logits, truth["is_painted"]
        ).mean(),
    }


def _gap(edge):
    """Return the way from the upper lip to the lower one, `[B, 11, 2]`."""
    last = mouth_lib.MOUTH_CORNERS[1]
    upper, lower = edge[:, 1:last], edge[:, last + 1 :]
    return lower[:, ::-1] - upper


def _disturbed(keys, lips, colours):
    def disturb(key, lips, colours):
        together, each, light = jax.random.split(key, 3)
        lips += LIPS_SHIFT * jax.random.normal(together, (1, 2))
        lips += LIPS_NOISE * jax.random.normal(each, lips.shape)
        return lips, colours + COLOUR_NOISE * jax.random.normal(light)

    return jax.vmap(disturb)(keys, lips, colours)


def _flat(values):
    return einops.rearrange(values, "b n ... -> (b n) ...")
