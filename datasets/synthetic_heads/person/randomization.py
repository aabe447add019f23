"""Domain randomisation: how far synthetic heads leave the looks of people."""

import dataclasses

import numpy as np

from datasets.synthetic_heads.person import appearance, patterns
from datasets.synthetic_heads.rendering import filters
from vasa_jax import errors


@dataclasses.dataclass(frozen=True, kw_only=True)
class Randomization:
    """How much is randomised, so that a model learns to carry whatever is shown.

    Follows: domain randomisation (Tobin et al. 2017). All numbers are ours: most
    identities stay people, and every kind of change is common enough to be learnt.

    Attributes:
        strength: 0 plausible people only, 1 the full range; multiplies what follows.
        natural_share: share of identities whose shape, skin and colours stay a
            person's; light, grading and flaws may still vary.
        shape_exaggeration: largest addition to the factor of local shapes.
        smooth_probability: of broad clouds of colour on the skin.
        grain_probability: of fine noise on the skin.
        spots_probability: of freckles and dots.
        strokes_probability: of painted lines and patches.
        tiling_probability: of stripes, checks and dots.
        recolour_probability: of another skin colour altogether.
        colours_probability: of any colours of hair, eyes, lips and clothes.
        light_probability: of coloured, hard light; background_probability: of
            strong colours behind the head.
        grade_probability: of colour grading; sepia and grey are among it.
        painterly_probability: of a painterly filter.
        blur_probability, noise_probability, compression_probability: of flaws.
        largest_blur: pixels at a picture of 128; largest_noise: levels in [0, 1];
            lowest_quality: of JPEG.
    """

    strength: float = 0.5  # ours
    natural_share: float = 0.35  # ours
    shape_exaggeration: float = 0.8  # ours
    smooth_probability: float = 0.4  # ours
    grain_probability: float = 0.4  # ours
    spots_probability: float = 0.3  # ours
    strokes_probability: float = 0.2  # ours
    tiling_probability: float = 0.12  # ours
    recolour_probability: float = 0.2  # ours
    colours_probability: float = 0.35  # ours
    light_probability: float = 0.4  # ours
    background_probability: float = 0.4  # ours
    grade_probability: float = 0.7  # ours
    painterly_probability: float = 0.3  # ours
    blur_probability: float = 0.4  # ours
    noise_probability: float = 0.4  # ours
    compression_probability: float = 0.4  # ours
    largest_blur: float = 1.0  # ours
    largest_noise: float = 0.05  # ours
    lowest_quality: int = 30  # ours

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            is_share = field.name.endswith(("strength", "share", "probability"))
            if is_share and not 0.0 <= value <= 1.0:
                raise errors.UserError(
                    f"Randomization.{field.name} is {value}; give 0 to 1."
                )
        if not 5 <= self.lowest_quality <= 95:
            raise errors.UserError(
                f"Randomization.lowest_quality is {self.lowest_quality}; give 5 to 95."
            )
        if min(self.shape_exaggeration, self.largest_blur, self.largest_noise) < 0:
            raise errors.UserError(
                "Randomization's exaggeration, blur and noise must be 0 or more."
            )


def happens(
    domain: Randomization, generator: np.random.Generator, probability: float
) -> bool:
    """Decide whether a change is made, at the domain's strength."""
    return bool(generator.random() < probability * domain.strength)


def stays_natural(domain: Randomization, identity_seed: int) -> bool:
    """Tell whether an identity is left a person.

    Ours: real portraits are what users bring, so many of them are seen as they are.
    """
    generator = np.random.default_rng([identity_seed, 6])
    return bool(generator.random() < domain.natural_share)


def shape_exaggeration(domain: Randomization, identity_seed: int) -> float:
    """Draw the factor of an identity's local shapes, 1 or more.

    Ours: painted and drawn portraits overstate shapes.
    """
    if stays_natural(domain, identity_seed):
        return 1.0
    generator = np.random.default_rng([identity_seed, 3])
    most = domain.strength * domain.shape_exaggeration
    return float(1.0 + most * generator.random() ** 2)


def randomize_appearance(
    domain: Randomization, identity_seed: int, looks: appearance.Appearance
) -> appearance.Appearance:
    """Lay random paint over an appearance; the same arguments give the same arrays.

    Ours: changes live on the skin's own coordinates, so that they move with it.
    """
    if stays_natural(domain, identity_seed):
        return looks
    generator = np.random.default_rng([identity_seed, 4])
    texture = looks.skin_texture.astype(np.float32) / 255
    lips = looks.lips
    for probability, change in (
        (domain.recolour_probability, patterns.recolour),
        (domain.smooth_probability, patterns.smooth_field),
        (domain.grain_probability, patterns.fine_grain),
        (domain.spots_probability, patterns.spots),
        (domain.tiling_probability, patterns.tiling),
        (domain.strokes_probability, patterns.strokes),
    ):
        if happens(domain, generator, probability):
            texture = change(generator, texture)
            if change is patterns.recolour:
                lips = texture.mean(axis=(0, 1)) * generator.uniform(0.6, 1.1, 3)
    changed = {"lips": np.clip(lips, 0.02, 1.0).astype(np.float64)}
    for name in ("hair", "iris", "lips", "cloth", "cloth_trim", "frame", "hat"):
        if happens(domain, generator, domain.colours_probability):
            changed[name] = patterns.vivid_colour(generator).astype(np.float64)
    if happens(domain, generator, domain.grain_probability):
        changed["gloss"] = float(generator.uniform(0.0, 3.0))
    pixels = (np.clip(texture, 0.0, 1.0) * 255).astype(np.uint8)
    return dataclasses.replace(looks, skin_texture=pixels, **changed)


def random_filter(
    domain: Randomization, identity_seed: int
) -> filters.PhotoFilter | None:
    """Draw what happens to all pictures of an identity after rendering.

    Ours: per identity, not per clip, since pairs of frames cross takes.
    """
    generator = np.random.default_rng([identity_seed, 5])
    matrix, offset = np.eye(3, dtype=np.float32), np.zeros(3, np.float32)
    gamma = contrast = 1.0
    vignette = 0.0
    if happens(domain, generator, domain.grade_probability):
        matrix, offset = _random_grade(generator)
        gamma = float(np.exp(generator.normal(0.0, 0.22)))
        contrast = float(np.clip(generator.normal(1.0, 0.15), 0.6, 1.35))
        vignette = float(max(0.0, generator.normal(0.0, 0.35)))
    painterly, blur, noise, sharpness, quality = "none", 0.0, 0.0, 0.0, None
    is_natural = stays_natural(domain, identity_seed)
    if not is_natural and happens(domain, generator, domain.painterly_probability):
        painterly = str(generator.choice(filters.PAINTERLY))
    if happens(domain, generator, domain.blur_probability):
        blur = float(generator.uniform(0.2, 1.0) * domain.largest_blur)
    elif happens(domain, generator, domain.blur_probability):
        sharpness = float(generator.uniform(0.3, 1.5))
    if happens(domain, generator, domain.noise_probability):
        noise = float(generator.uniform(0.1, 1.0) * domain.largest_noise)
    if happens(domain, generator, domain.compression_probability):
        quality = int(generator.integers(domain.lowest_quality, 96))
    return filters.PhotoFilter(
        painterly=painterly,
        matrix=matrix,
        offset=offset,
        gamma=gamma,
        contrast=contrast,
        vignette=min(vignette, 0.8),
        blur=blur,
        sharpness=sharpness,
        noise=noise,
        quality=quality,
    )


def _random_grade(generator):
    """Return a mix of colour channels `[3, 3]` and an offset `[3]`."""
    grey = np.full((3, 3), [0.30, 0.59, 0.11])
    saturation = float(np.clip(generator.normal(1.0, 0.35), 0.0, 1.8))
    if generator.random() < 0.12:
        saturation = 0.0
    matrix = grey + (np.eye(3) - grey) * saturation
    matrix = matrix * np.exp(generator.normal(0.0, 0.10, 3))[:, None]
    if generator.random() < 0.08:
        matrix = matrix * np.array([1.08, 0.95, 0.78])[:, None]
    matrix = matrix + generator.normal(0.0, 0.03, (3, 3))
    offset = generator.normal(0.0, 0.03, 3)
    return matrix.astype(np.float32), offset.astype(np.float32)
