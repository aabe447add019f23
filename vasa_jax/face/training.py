"""The second task of stage one: the whole face model and its discriminator, if any."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import config as config_lib
from vasa_jax import types
from vasa_jax.face import augmentation, decoder, encoder_training
from vasa_jax.face import config as face_config
from vasa_jax.face import model as face_model
from vasa_jax.face.losses import (
    cycles,
    discriminator,
    distances,
    frame_losses,
    loss_weights,
    mobilefacenet,
    perceptual,
    regions,
)
from vasa_jax.train import loss_schedule, metric_states

FaceLossConfig = loss_weights.FaceLossConfig


class FaceTask:
    """Train the face model on pairs of frames.

    Paper: VASA-1 §3.1. Follows: MegaPortraits.

    Args:
        config: of the face model.
        loss: weights.
        augment: how drivers are changed before their dynamics are encoded.
        expression_weight: `[52]` weight of each ARKit unit.
        perceptual_network: whose features compare crops, for the perceptual term.
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
        augment: augmentation.AugmentationConfig,
        expression_weight: np.ndarray,
        perceptual_network: perceptual.FrozenNetwork | None = None,
        identity_network: perceptual.FrozenNetwork | None = None,
        discriminator_channels: tuple[int, ...] = (32, 64, 128),
    ):
        self._model = face_model.FaceModel(config)
        self._loss = loss
        self._augment = augment
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
        config_lib.require(
            config.use_shortcut or not loss.decoded,
            f"FaceLossConfig.decoded is {loss.decoded} without the shortcut, where the "
            "frame is the painted image and would count twice; set decoded to 0.",
        )
        self._judge = discriminator.PatchDiscriminator(discriminator_channels)
        self.losses = {"face": self.face_loss}
        if loss.adversarial or loss.feature_matching:
            self.losses["discriminator"] = self.discriminator_loss

    def init(self, key: jax.Array) -> dict:
        """Return the parameters of the face model, and of the discriminator if any."""
        params = encoder_training.init_face(self._model, key)
        if "discriminator" in self.losses:
            crop = jnp.zeros((1, 64, 64, 3))
            params["discriminator"] = self._judge.init(
                jax.random.fold_in(key, 1), crop
            )["params"]
        return params

    def face_loss(self, params, batch, key, step):
        """Sum all terms; see `task.LossFunction`."""
        scene = self._prepare(params, batch)
        scene["places"] = self._places(batch, key)
        frame, latents = self._render(params, scene)
        if "flow" in scene and self._loss.visibility:
            frame = decoder.hold_mask(frame)
        terms = frame_losses.compare(frame, scene, self._model.config.mirrors_face)
        if latents.background is not None and "source_surroundings" in scene:
            found, truth = _surroundings(latents, scene)
            terms["background"] = distances.background(found, truth).mean()
            truth = (
                regions.sized(scene[f"driver_{part}"], frame.body.shape[1])
                for part in ("surroundings", "torso")
            )
            terms["stillness"] = distances.stillness(
                frame.stillness, frame.body, *truth
            ).mean()
        terms |= self._motion_terms(params, frame, scene)
        total = loss_schedule.weighted_sum(self._loss, terms, step)
        dear_total, dear = self._dear_terms(params, frame, latents, scene, step)
        metrics = {**terms, **dear}
        if "discriminator" in self.losses:
            adversarial, more = self._adversarial_terms(params, frame, scene, step)
            total, metrics = total + adversarial, metrics | more
            metrics["shared"] = {"image": frame.image}
        return total + dear_total, metrics

    def discriminator_loss(self, params, batch, key, step):
        """Judge crops of drivers and of the frames that the face's loss has made."""
        places = self._places(batch, key)
        real = regions.crops(encoder_training.to_float(batch["driver"]), places)
        fake = regions.crops(batch["shared"]["image"], places)

        def compute(operands):
            judge, real, fake = operands
            real, _ = self._judge.apply({"params": judge}, real)
            fake, _ = self._judge.apply({"params": judge}, fake)
            hinge = sum(
                distances.hinge_discriminator(a, b).mean()
                for a, b in zip(real, fake, strict=True)
            )
            return hinge, {"hinge": hinge}

        operands = (params["discriminator"], real, fake)
        every = self._loss.adversarial_every
        return _on_every(every, step, ("hinge",), compute, operands)

    def evaluate(self, params, batch, key):
        """Measure same-identity driving with unchanged drivers."""
        del key
        scene = self._prepare(params, batch, is_changed=False)
        frame, latents = self._render(params, scene)
        mouth = regions.inside(scene["driver_regions"], frame.image.shape[1])

        def psnr(image, mask):
            error = (jnp.square(image - scene["driver"]).mean(-1) * mask).sum((1, 2))
            error = error / jnp.maximum(mask.sum((1, 2)), 1.0)
            return 10.0 * jnp.log10(4.0 / (error + 1e-8))

        everywhere = regions.learnable(scene, frame.image.shape[1])[..., 0]
        mouth = mouth * everywhere
        states = {
            "psnr": psnr(frame.image, everywhere),
            "psnr_copy": psnr(scene["source"], everywhere),
            "psnr_mouth_and_eyes": psnr(frame.image, mouth),
            "psnr_mouth_and_eyes_copy": psnr(scene["source"], mouth),
            "l1": jnp.abs(frame.image - scene["driver"]),
        }
        states |= self._motion_terms(params, frame, scene, is_measured=True)
        if "flow" in scene:
            states["flow_error"] = distances.end_point_error(
                frame.flow, scene["flow"], scene["visible"]
            )
        if latents.background is not None and "source_surroundings" in scene:
            logits, truth = _surroundings(latents, scene)
            states["background_found"] = (logits > 0.0) == (truth > 0.5)
        return {
            name: metric_states.Mean.from_batch(jnp.atleast_1d(value))
            for name, value in states.items()
        }

    def sample(self, params, batch):
        """Render a batch as `evaluate` does, for pictures: (scene, frame)."""
        scene = self._prepare(params, batch, is_changed=False)
        return scene, self._render(params, scene)[0]

    def _apply(self, params, *args, method):
        def apply(params, *args):
            return self._model.apply({"params": params}, *args, method=method)

        # Ours: then the losses' renderings need their memory one after the other.
        if self._model.config.use_remat:
            apply = jax.checkpoint(apply)
        return apply(params["face"], *args)

    def _prepare(self, params, batch, is_changed=True):
        """Turn a batch into floats, poses and the codes of facial dynamics."""
        scene = {
            name: value for name, value in batch.items() if not name.endswith("_key")
        }
        for who in ("source", "driver", "other"):
            if who in batch:
                scene[who] = encoder_training.to_float(batch[who])
                pose = types.HeadPose.from_vector(batch[f"{who}_pose"])
                scene[f"{who}_pose"] = seen = pose
                image = scene[who]
                if is_changed:
                    moved, moved_pose, image, seen = self._change(
                        batch["example_key"], who, image, pose
                    )
                    if who == "driver" and self._loss.is_motion_trained:
                        scene["driver_moved"] = moved, moved_pose
                code = self._code(params, who, scene, image, seen)
                if not self._loss.is_motion_trained:
                    code = jax.lax.stop_gradient(code)
                scene[f"{who}_code"] = code
        return scene

    def _code(self, params, who, scene, image, head_pose):
        """Return facial dynamics `[B, Z]` of one of the frames."""
        known = scene.get(f"{who}_arkit"), scene.get(f"{who}_gaze")
        is_known = who != "source" and not any(part is None for part in known)
        if self._loss.uses_dynamics_map and is_known:
            return self._apply(params, *known, method="write_dynamics")
        return self._apply(params, image, head_pose, method="encode_motion")[1]

    def _change(self, keys, who, image, head_pose):
        stream = ("source", "driver", "other").index(who)

        def change(row, image, head_pose):
            own = jax.random.fold_in(row, stream)
            if who == "source":
                key = jax.random.split(own, 3)[0]
                seen = augmentation.shake_pose(key, head_pose, self._augment)
                return image, head_pose, image, seen
            return augmentation.change_driver(
                own, image, head_pose, self._augment, self._loss.is_motion_trained
            )

        return jax.vmap(change)(keys, image, head_pose)

    def _render(self, params, scene):
        def render(model):
            latents = model.encode_portrait(
                scene["source"], scene["source_pose"], scene["source_code"]
            )
            frame = model.render(latents, scene["driver_pose"], scene["driver_code"])
            return frame, latents

        return self._apply(params, method=render)

    def _motion_terms(self, params, frame, scene, is_measured=False):
        """Compare what the motion encoders read from frames with what was asked."""
        weights, terms = self._loss, {}
        readout = self._apply(params, scene["driver_code"], method="read_dynamics")
        if "driver_arkit" in scene and (weights.expression or is_measured):
            terms["expression"] = distances.expression(
                readout.arkit,
                scene["driver_arkit"],
                jnp.asarray(self._expression_weight),
            ).mean()
        if "driver_gaze" in scene and (weights.gaze or is_measured):
            terms["gaze"] = distances.gaze(
                readout.gaze_in_head, scene["driver_gaze"]
            ).mean()
        if weights.head_pose or is_measured:
            unchanged = scene["driver"], scene["driver_pose"]
            image, truth = scene.get("driver_moved", unchanged)
            found = self._apply(params, image, method=lambda m, x: m.pose_encoder(x))
            terms["head_pose"] = distances.head_pose(found, truth).mean()
        read_back = (
            weights.motion_cycle,
            weights.contrast,
            weights.expression_cycle,
            weights.pose_cycle,
        )
        if any(read_back) or is_measured:
            use_other = "other_code" in scene and not is_measured
            terms |= cycles.compare(
                functools.partial(self._apply, jax.lax.stop_gradient(params)),
                frame.image,
                scene,
                self._expression_weight,
                use_other,
            )
        return terms

    def _dear_terms(self, params, frame, latents, scene, step):
        names = ("consistency", "cross_identity", "canonical", "perceptual")
        names = [name for name in names if getattr(self._loss, name)]
        if not names:
            return 0.0, {}

        def compute(operands):
            params, image, latents = operands
            computed = {
                name: getattr(self, f"_{name}")(params, image, latents, scene)
                for name in names
            }
            return loss_schedule.weighted_sum(self._loss, computed, step), computed

        operands = (params, frame.image, latents)
        return _on_every(self._loss.dear_every, step, names, compute, operands)

    def _consistency(self, params, image, latents, scene):
        """Render from either frame's latents: they must agree. Paper: §3.1."""
        del image

        def render(model):
            own = model.encode_portrait(
                scene["driver"], scene["driver_pose"], scene["driver_code"]
            )
            pose, code = scene["source_pose"], scene["driver_code"]
            return (
                model.render(own, pose, code).image,
                model.render(latents, pose, code).image,
            )

        return distances.agreement(*self._apply(params, method=render)).mean()

    def _cross_identity(self, params, image, latents, scene):
        """Drive the source with another person: it must stay itself. Paper: §3.1."""
        del image
        if "other" not in scene:
            return jnp.zeros(())
        pose = scene["other_pose"]
        frame = self._apply(params, latents, pose, scene["other_code"], method="render")
        shown = mobilefacenet.align(frame.image, pose)
        known = mobilefacenet.align(scene["source"], scene["source_pose"])
        return distances.cosine_distance(
            self._identity_network(shown)[-1],
            jax.lax.stop_gradient(self._identity_network(known)[-1]),
        ).mean()

    def _canonical(self, params, _, latents, scene):
        """Both frames have one canonical volume. Follows: EMOPortraits."""
        own = self._apply(
            params,
            scene["driver"],
            scene["driver_pose"],
            scene["driver_code"],
            method="encode_portrait",
        )
        return distances.agreement(
            own.appearance_volume, latents.appearance_volume
        ).mean()

    def _perceptual(self, params, image, latents, scene):
        """Compare frozen features of crops. Follows: MegaPortraits."""
        del params, latents
        predicted = regions.crops(regions.learnt(image, scene), scene["places"])
        target = regions.crops(scene["driver"], scene["places"])
        return distances.feature_distance(
            self._perceptual_network(predicted), self._perceptual_network(target)
        ).mean()

    def _places(self, batch, key):
        hidden = regions.hidden_head(batch) if "visible" in batch else None
        return regions.places(
            batch["driver_regions"], key, self._loss.crops_elsewhere, hidden
        )

    def _adversarial_terms(self, params, frame, scene, step):
        def compute(operands):
            judge, image, driver = operands
            fake, fake_maps = self._judge.apply(
                {"params": judge}, regions.crops(image, scene["places"])
            )
            _, real_maps = self._judge.apply(
                {"params": judge}, regions.crops(driver, scene["places"])
            )
            fooled = sum(distances.hinge_generator(logits).mean() for logits in fake)
            matched = distances.feature_distance(fake_maps, real_maps).mean()
            terms = {"adversarial": fooled, "feature_matching": matched}
            is_on = (step >= self._loss.adversarial_start).astype(jnp.float32)
            return is_on * loss_schedule.weighted_sum(self._loss, terms, step), terms

        judge = jax.lax.stop_gradient(params["discriminator"])
        operands = (judge, frame.image, scene["driver"])
        names, every = ("adversarial", "feature_matching"), self._loss.adversarial_every
        return _on_every(every, step, names, compute, operands)


def _on_every(every, step, names, compute, operands):
    """Compute (total, terms) on every n-th step, n times as heavy; else zeros."""

    def heavier(operands):
        total, terms = compute(operands)
        return every * total, terms

    def skip(operands):
        del operands
        return jnp.zeros(()), {name: jnp.zeros(()) for name in names}

    if every == 1:
        return compute(operands)
    return jax.lax.cond(step % every == 0, heavier, skip, operands)


def _surroundings(latents, scene):
    """Return the logits `[B, h, w]` of what lies around the head, and the truth."""
    logits = latents.background[..., -1]
    return logits, regions.sized(scene["source_surroundings"], logits.shape[1])
