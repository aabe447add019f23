"""The last task of stage one: where mouths open and eyes look.

Ours: it needs neither decoder nor flow, so that a step takes 0.6 to 1.3 s where one of
theirs takes 6; see `shortcut.mouth` and `shortcut.eyes`.
"""

import einops
import jax
import jax.numpy as jnp

from vasa_jax import config as config_lib
from vasa_jax import types
from vasa_jax.face import config as face_config
from vasa_jax.face import encoder_training, examples, scene
from vasa_jax.face import model as face_model
from vasa_jax.face.drawing import eye_terms, mouth_terms
from vasa_jax.face.shortcut import eyes as eyes_lib
from vasa_jax.face.shortcut import mouth as mouth_lib
from vasa_jax.train import metric_states, task

DRIVER_FIELDS = ("pose", "arkit", "gaze", *examples.FEATURE_FIELDS)
OWN_FIELDS = ("image", "pose", "arkit", "gaze", "mouth_edge", "eye_rims", "eye_discs")
"""What of a batch of `examples.frames` teaches, as a frame and as its portrait."""


class DrawingTask:
    """Train the networks of mouth and eyes on frames of one clip.

    Ours: see the module. Every frame is the portrait of the next.

    Args:
        config: of the face model.

    Raises:
        UserError: the model leaves mouths and eyes to the decoder.
    """

    def __init__(self, config: face_config.FaceConfig):
        draws = config.shortcut is not None and config.shortcut.drawn_hidden
        config_lib.require(
            bool(draws),
            "This model leaves mouths and eyes to the decoder (shortcut.drawn_hidden "
            "is None); give a preset that draws them, such as demo_drawing.",
        )
        self._model = face_model.FaceModel(config)
        self._mouth = mouth_lib.MouthShape(config.shortcut.drawn_hidden)
        self._eyes = eyes_lib.EyeShape(config.shortcut.drawn_hidden)
        self.losses = {"face": self.loss}

    def init(self, key: jax.Array) -> dict:
        """Return the parameters of the whole face model."""
        return encoder_training.init_face(self._model, key)

    def loss(self, params, batch, key, step):
        """Sum the terms; see `task.LossFunction`."""
        del key, step
        keys = jax.vmap(lambda key: jax.random.split(key, 3))(batch["example_key"])
        predicted, truth = self._predict(params["face"], batch, keys.reshape(-1))
        terms = {
            **mouth_terms.terms(predicted["mouth"], truth["pose"], truth["mouth"]),
            **eye_terms.terms(predicted["eyes"], truth["pose"], *truth["eyes"]),
        }
        return sum(terms.values()), task.Outputs(terms)

    def evaluate(self, params, batch, key):
        """Measure distances in pixels of a frame of 256."""
        del key
        predicted, truth = self._predict(params["face"], batch, None)
        values = {
            **mouth_terms.measures(predicted["mouth"], truth["pose"], truth["mouth"]),
            **eye_terms.measures(predicted["eyes"], truth["pose"], *truth["eyes"]),
        }
        return {
            name: metric_states.Mean.from_batch(jnp.atleast_1d(value))
            for name, value in values.items()
        }

    def _predict(self, params, batch, keys):
        """Return what is predicted of all frames, and the truth."""
        driver = {name: _flat(batch[name]) for name in DRIVER_FIELDS}
        own = {name: _flat(jnp.roll(batch[name], 1, axis=1)) for name in OWN_FIELDS}
        image = scene.to_float(own["image"])
        own_pose, pose = map(types.HeadPose.from_vector, (own["pose"], driver["pose"]))

        def encode(model):
            _, dynamics = model.encode_motion(image, own_pose)
            known = [(frame["arkit"], frame["gaze"]) for frame in (own, driver)]
            asked = model.shift_dynamics(dynamics, *known)
            return dynamics, model.read_change(dynamics, asked)

        moved = self._model.apply({"params": params}, method=encode)
        moved = jax.lax.stop_gradient(moved)
        lips = mouth_lib.flat_lips(own["mouth_edge"], own_pose)
        eyes = eyes_lib.encode_eyes(own["eye_rims"], own["eye_discs"], own_pose)
        if keys is not None:
            lips = jax.vmap(mouth_terms.disturbed)(keys, lips)
            eyes = jax.vmap(eye_terms.disturbed)(keys, eyes)

        def predict(network, name, seen):
            part = params["shortcut"][name]
            return network.apply({"params": part}, seen, *moved)

        predicted = {
            "mouth": predict(self._mouth, "mouth_shape", lips),
            "eyes": predict(self._eyes, "eye_shape", eyes),
        }
        edge, teeth = driver["mouth_edge"], driver["mouth_teeth"]
        truth = {
            "pose": pose,
            "mouth": mouth_terms.Truth(edge=edge, teeth=teeth),
            "eyes": (driver["eye_rims"], driver["eye_discs"]),
        }
        return predicted, truth


def _flat(values):
    return einops.rearrange(values, "b n ... -> (b n) ...")
