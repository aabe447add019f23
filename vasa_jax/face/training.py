"""The second task of stage one: the whole face model and its discriminator, if any."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import config as config_lib
from vasa_jax.face import augmentation, encoder_training, scene, validation
from vasa_jax.face import config as face_config
from vasa_jax.face import model as face_model
from vasa_jax.face.losses import (
    adversarial,
    discriminator,
    expensive_terms,
    frame_losses,
    loss_weights,
    perceptual,
    read_back_losses,
    regions,
)
from vasa_jax.face.shortcut import blending
from vasa_jax.train import task

FaceLossConfig = loss_weights.FaceLossConfig


class FaceTask:
    """Train the face model on pairs of frames.

    Paper: VASA-1 §3.1. Follows: MegaPortraits.

    Args:
        config: of the face model.
        loss: weights.
        amounts: how drivers are changed before their dynamics are encoded.
        expression_weight: `[52]` weight of each ARKit unit.
        perceptual_network: whose features compare frames, for the perceptual term.
        identity_network: whose vectors compare faces, for L_cross_id; it sees them as
            `mobilefacenet.align` cuts them out.
        discriminator_channels: of the patch discriminator.

    Raises:
        UserError: a term has a weight, and the network that it needs is None.
    """

    def __init__(
        self,
        config: face_config.FaceConfig,
        loss: FaceLossConfig,
        amounts: augmentation.Amounts,
        expression_weight: np.ndarray,
        perceptual_network: perceptual.FrozenNetwork | None = None,
        identity_network: perceptual.FrozenNetwork | None = None,
        discriminator_channels: tuple[int, ...] | None = None,
    ):
        self._model = face_model.FaceModel(config)
        self._loss = loss
        self._amounts = amounts
        self._expression_weight = expression_weight
        self._perceptual_network = perceptual_network
        self._identity_network = identity_network
        networks = {
            "perceptual": perceptual_network,
            "cross_identity": identity_network,
        }
        for term, network in networks.items():
            config_lib.require(
                network is not None or not getattr(loss, term),
                f"FaceLossConfig.{term} is {getattr(loss, term)} without a frozen "
                f"network; give FaceTask one, or set {term} to 0.",
            )
        if discriminator_channels is None:
            discriminator_channels = (
                discriminator.FRAME_CHANNELS
                if loss.num_random_crops is None
                else discriminator.CROP_CHANNELS
            )
        self._discriminator = discriminator.PatchDiscriminator(discriminator_channels)
        self.losses = {"face": self.face_loss}
        if loss.adversarial or loss.feature_matching:
            self.losses["discriminator"] = self.discriminator_loss

    def init(self, key: jax.Array) -> dict:
        """Return the parameters of the face model, and of the discriminator if any."""
        params = encoder_training.init_face(self._model, key)
        if "discriminator" in self.losses:
            crop = jnp.zeros((1, 64, 64, 3))
            params["discriminator"] = self._discriminator.init(
                jax.random.fold_in(key, 1), crop
            )["params"]
        return params

    def face_loss(self, params, batch, key, step):
        """Sum all terms; see `task.LossFunction`."""
        apply = functools.partial(self._apply, params)
        pair = scene.changed(batch, apply, self._loss, self._amounts)
        centres = self._crop_centres(batch, key)
        frame, latents = self._render(params, pair)
        if self._loss.visibility and _has_mask_truth(frame, pair):
            frame = blending.hold_mask(frame)
        terms = frame_losses.compare(frame, latents, pair)
        terms |= read_back_losses.taught(
            apply, pair, self._loss, self._expression_weight
        )
        if any(getattr(self._loss, name) for name in read_back_losses.READ_BACK):
            terms |= read_back_losses.read_back(
                functools.partial(self._apply, jax.lax.stop_gradient(params)),
                frame.image,
                pair,
                self._expression_weight,
            )
        total = loss_weights.weighted_sum(self._loss, terms)
        more, expensive = self._expensive_terms(
            params, frame, latents, pair, centres, step
        )
        metrics, shared = {**terms, **expensive}, {}
        if "discriminator" in self.losses:
            game, found = self._adversarial_terms(
                params, frame.image, pair, centres, step
            )
            total, metrics = total + game, metrics | found
            shared = {"image": frame.image}
        return total + more, task.Outputs(metrics, shared)

    def discriminator_loss(self, params, batch, key, step):
        """Judge drivers and the frames that the face's loss has made."""
        del step
        centres = self._crop_centres(batch, key)
        hinge = adversarial.discriminator_loss(
            self._judge(params["discriminator"]),
            fake=regions.views(batch[task.SHARED_FIELD]["image"], centres),
            real=regions.views(scene.to_float(batch["driver"]), centres),
        )
        return hinge, task.Outputs({"hinge": hinge})

    def evaluate(self, params, batch, key):
        """Measure same-identity driving with unchanged drivers."""
        del key
        pair, frame, latents = self._as_they_are(params, batch)
        apply = functools.partial(self._apply, params)
        terms = read_back_losses.measured(
            apply, frame.image, pair, self._expression_weight
        )
        return validation.measure(frame, latents, pair, terms)

    def sample(self, params, batch):
        """Render a batch as `evaluate` does, for pictures: (scene, frame)."""
        pair, frame, _ = self._as_they_are(params, batch)
        return pair, frame

    def _as_they_are(self, params, batch):
        apply = functools.partial(self._apply, params)
        pair = scene.unchanged(batch, apply, self._loss)
        return pair, *self._render(params, pair)

    def _apply(self, params, *args, method):
        def apply(params, *args):
            return self._model.apply({"params": params}, *args, method=method)

        # Ours: then the losses' renderings need their memory one after the other.
        if self._model.config.use_remat:
            apply = jax.checkpoint(apply)
        return apply(params["face"], *args)

    def _render(self, params, pair):
        def render(model):
            source = pair.source
            latents = model.encode_portrait(
                source.image, source.head_pose, source.facial_dynamics
            )
            asked = pair.driver.head_pose, pair.driver.facial_dynamics
            return model.render(latents, *asked), latents

        return self._apply(params, method=render)

    def _crop_centres(self, batch, key):
        """Choose where the networks look; None shows them whole frames."""
        if self._loss.num_random_crops is None:
            return None
        truth, hidden = scene.correspondence_of(batch), None
        if truth is not None:
            hidden = regions.hidden_head(truth, scene.surroundings_of(batch))
        return regions.crop_centres(
            batch["driver_regions"], key, self._loss.num_random_crops, hidden
        )

    def _expensive_terms(self, params, frame, latents, pair, centres, step):
        names = expensive_terms.weighted_names(self._loss)
        if not names:
            return 0.0, {}

        def compute(operands):
            params, image, latents = operands
            rendered = functools.partial(self._apply, params), latents, pair
            terms = {
                "consistency": lambda: expensive_terms.consistency(*rendered),
                "cross_identity": lambda: expensive_terms.cross_identity(
                    *rendered, self._identity_network
                ),
                "canonical": lambda: expensive_terms.canonical(*rendered),
                "perceptual": lambda: expensive_terms.perceptual_term(
                    image, pair, centres, self._perceptual_network
                ),
            }
            computed = {name: terms[name]() for name in names}
            return loss_weights.weighted_sum(self._loss, computed), computed

        operands = (params, frame.image, latents)
        return expensive_terms.on_every_nth_step(
            self._loss.expensive_every, step, names, compute, operands
        )

    def _adversarial_terms(self, params, image, pair, centres, step):
        terms = adversarial.generator_terms(
            self._judge(jax.lax.stop_gradient(params["discriminator"])),
            fake=regions.views(image, centres),
            real=regions.views(pair.driver.image, centres),
        )
        is_on = (step >= self._loss.adversarial_start).astype(jnp.float32)
        return is_on * loss_weights.weighted_sum(self._loss, terms), terms

    def _judge(self, params):
        return functools.partial(self._discriminator.apply, {"params": params})


def _has_mask_truth(frame, pair):
    return frame.shortcut is not None and pair.correspondence is not None
