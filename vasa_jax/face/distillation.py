"""A narrower decoder, taught to make what a wider one makes.

Ours: eyes, mouths and the portrait's own pixels need no wide decoder, and a step needs
no truth but the teacher's frames: any portrait in any motion teaches.
"""

from typing import Any

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import traverse_util

from vasa_jax import types
from vasa_jax.face import config as face_config
from vasa_jax.face import encoder_training, rendered_frame, scene
from vasa_jax.face import model as face_model
from vasa_jax.face.losses import distances
from vasa_jax.train import metric_states, task

TRAINED = (
    "decoder",
    "shortcut/overlay",
    "shortcut/background_overlay",
    "shortcut/coarse_flow",
    "shortcut/mirrored_features",
    "shortcut/mirror",
    "shortcut/fine_flow",
    "shortcut/light",
)
"""Paths of what is trained: the decoder, and what reads or writes features of its
widths. All else is the teacher's."""

OVERDONE = (0.8, 1.4)
"""By how much of themselves facial dynamics differ from the portrait's. Ours: frames
overdo them, see `motion.shaping.gains`."""

PIXELS = 128.0
"""Of a frame of 256, in half an image."""

WEIGHTS = {
    "image": 2.0,
    "edges": 4.0,
    "painted": 1.0,
    "painted_edges": 2.0,
    "mirrored": 0.3,
    "mask": 2.0,
    "mirrored_share": 0.5,
    "flow": 0.3,
    "coarse_flow": 0.1,
    "mirrored_flow": 0.03,
    "shares": 0.5,
}
"""Of the terms. Ours: half a pixel of flow counts as a tenth of the range of colours;
mirrors are seldom seen."""


class DistillationTask:
    """Train the decoder, and what hangs on its widths, on a teacher's frames.

    Ours: see the module. All that is not of `TRAINED` is the teacher's, and stays.

    Args:
        config: of the face model to train.
        teacher_config: of the teacher's face model.
        teacher_params: its parameters.
    """

    def __init__(
        self,
        config: face_config.FaceConfig,
        teacher_config: face_config.FaceConfig,
        teacher_params: dict[str, Any],
    ):
        self._model = face_model.FaceModel(config)
        self._teacher = face_model.FaceModel(teacher_config)
        self._teacher_params = teacher_params
        self.losses = {"face": self.loss}

    def init(self, key: jax.Array) -> dict:
        """Return the parameters of the face model, and the teacher's, a constant."""
        return {
            **encoder_training.init_face(self._model, key),
            "teacher": jax.tree.map(jnp.asarray, self._teacher_params),
        }

    def loss(self, params, batch, key, step):
        """Sum the terms; see `task.LossFunction`."""
        del key, step
        draw = jax.vmap(lambda key: jax.random.uniform(key, (), jnp.float32, *OVERDONE))
        frames = self._render(params, batch, draw(batch["example_key"]))
        terms = {name: value.mean() for name, value in compare(*frames).items()}
        total = sum(WEIGHTS[name] * value for name, value in terms.items())
        return total, task.Outputs(terms)

    def evaluate(self, params, batch, key):
        """Measure the terms in motions as they are."""
        del key
        frames = self._render(params, batch, jnp.ones(len(batch["pose"])))
        return {
            name: metric_states.Mean.from_batch(value)
            for name, value in compare(*frames).items()
        }

    def _render(self, params, batch, gain):
        """Render each row's first frame in its own motions and in the next row's."""
        image = scene.to_float(batch["image"][:, 0])
        own_pose = types.HeadPose.from_vector(batch["pose"][:, 0])

        def motions(name):
            both = [batch[name], jnp.roll(batch[name], 1, axis=0)]
            return einops.rearrange(jnp.concatenate(both, 1), "b n ... -> (b n) ...")

        poses = types.HeadPose.from_vector(motions("pose"))
        arkit, gaze = motions("arkit"), motions("gaze")
        times = len(gaze) // len(image)

        def frames(model):
            latents = model.encode_portrait(image, own_pose)
            latents = jax.tree.map(lambda x: jnp.repeat(x, times, axis=0), latents)
            own = latents.facial_dynamics
            asked = model.write_dynamics(arkit, gaze)
            asked = own + jnp.repeat(gain, times)[:, None] * (asked - own)
            return model.render(latents, poses, asked)

        target = self._teacher.apply({"params": params["teacher"]}, method=frames)
        held = traverse_util.path_aware_map(_held, params["face"])
        made = self._model.apply({"params": held}, method=frames)
        return made, jax.lax.stop_gradient(target)


def _held(path, value):
    """Keep gradients from what is not trained, which would cost most of a step."""
    name = "/".join(path)
    is_trained = any(name.startswith(f"{trained}/") for trained in TRAINED)
    return value if is_trained else jax.lax.stop_gradient(value)


def compare(
    made: rendered_frame.RenderedFrame, target: rendered_frame.RenderedFrame
) -> dict[str, jax.Array]:
    """Compare frames and all that they are made of.

    Ours: absolute differences, of flows in pixels of a frame of 256.

    Args:
        made: B frames.
        target: of the same portraits in the same motions.

    Returns:
        `[B]` by the names of `WEIGHTS`.
    """
    ours, theirs = made.shortcut, target.shortcut

    def apart(first, second):
        return distances.mean_per_example(jnp.abs(first - second))

    def edges_apart(first, second):
        across = apart(jnp.diff(first, axis=1), jnp.diff(second, axis=1))
        return across + apart(jnp.diff(first, axis=2), jnp.diff(second, axis=2))

    def flows_apart(name):
        return PIXELS * apart(getattr(ours, name), getattr(theirs, name))

    def shares_apart(name):
        return apart(*(nn.sigmoid(getattr(parts, name)) for parts in (ours, theirs)))

    shares = [apart(ours.still_share, theirs.still_share)]
    shares += [apart(ours.body_share, theirs.body_share)]
    return {
        "image": apart(made.image, target.image),
        "edges": edges_apart(made.image, target.image),
        "painted": apart(made.decoded, target.decoded),
        "painted_edges": edges_apart(made.decoded, target.decoded),
        "mirrored": apart(ours.mirrored, theirs.mirrored),
        "mask": shares_apart("mask_logits"),
        "mirrored_share": shares_apart("mirrored_logits"),
        "flow": flows_apart("flow"),
        "coarse_flow": flows_apart("coarse_flow"),
        "mirrored_flow": flows_apart("mirrored_flow"),
        "shares": sum(shares),
    }
