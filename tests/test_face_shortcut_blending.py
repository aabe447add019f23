"""The portrait's own pixels are laid over what is painted, at the portrait's size."""

import face_pairs
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import geometry, types
from vasa_jax.face.shortcut import background, blending, flows

CELLS, DECODED = 8, 16
PAINTED, BEHIND = 0.2, -0.6
SHARE, MIRRORED, LIGHT = 0.3, 0.25, 0.4


@jax.jit
def _blend(portrait, mask_logit):
    """Blend even parts over a portrait `[1, H, H, 3]` that nothing moves."""

    def even(value, size, channels):
        return jnp.full((1, size, size, channels), value)

    grid = geometry.image_grid(CELLS, CELLS)[None]
    logit = np.log(MIRRORED / (1 - MIRRORED))
    return blending.blend(
        even(PAINTED, DECODED, 3),
        even(mask_logit, DECODED, 1),
        flows.Coarse(
            flow=grid,
            mirrored_flow=grid,
            person_flow=grid,
            still_share=even(0.0, CELLS, 1),
            body_share=even(0.0, CELLS, 1),
        ),
        flows.Fine(flow=grid, person_flow=grid, light=even(LIGHT, CELLS, 3)),
        flows.Mirrored(
            flow=grid, logits=even(logit, CELLS, 1), light=even(0.0, CELLS, 3)
        ),
        background.Uncovered(
            share=even(SHARE, CELLS, 1), features=None, colours=even(BEHIND, CELLS, 3)
        ),
        face_pairs.only(types.PortraitPixels, image=portrait),
    )


@pytest.mark.parametrize("size", [DECODED, 2 * DECODED])
def test_a_frame_is_its_warped_portrait_over_its_painted_part(size):
    # Even where the mirror image would sample it, so that its size does not matter.
    portrait = jnp.full((1, size, size, 3), 0.5)
    frame = _blend(portrait, 0.8)
    gain = np.exp(flows.LIGHT_REACH * np.tanh(LIGHT))
    warped = (1 - SHARE) * (1.5 * gain - 1) + SHARE * BEHIND
    painted = (1 - MIRRORED) * PAINTED + MIRRORED * 0.5
    mask = 1 / (1 + np.exp(-0.8))
    assert frame.image.shape == portrait.shape
    np.testing.assert_allclose(frame.shortcut.warped, warped, atol=1e-5)
    np.testing.assert_allclose(frame.shortcut.painted, painted, atol=1e-5)
    np.testing.assert_allclose(
        frame.image, mask * warped + (1 - mask) * painted, atol=1e-5
    )


def test_a_portrait_larger_than_the_decoder_keeps_its_own_pixels():
    size = 4 * DECODED
    portrait = jax.random.uniform(jax.random.key(1), (1, size, size, 3), minval=-1.0)
    frame = _blend(portrait, 20.0)
    gain = np.exp(flows.LIGHT_REACH * np.tanh(LIGHT))
    expected = (1 - SHARE) * ((portrait + 1) * gain - 1) + SHARE * BEHIND
    # The outermost half cell of a grown grid repeats its last place.
    inside = slice(size // CELLS, -size // CELLS)
    np.testing.assert_allclose(
        frame.image[:, inside, inside], expected[:, inside, inside], atol=1e-3
    )


def test_a_person_stands_before_its_backdrop_where_the_frame_moves():
    size, share = 2 * DECODED, 0.75
    colours, behind = 0.5, -0.4
    squares = np.concatenate(
        [
            np.full((1, size, size, 3), (colours + 1) / 2),
            np.full((1, size, size, 1), 1),
        ],
        axis=-1,
    )
    squares[..., 3] *= share
    pixels = face_pairs.only(
        types.PortraitPixels,
        image=jnp.full((2, size, size, 3), colours),
        person=jnp.asarray(squares**2, jnp.float32),
        backdrop=jnp.full((1, size, size, 3), behind),
    )

    @jax.jit
    def frames(still_share, pixels, shift=0.0):
        grid = jnp.repeat(geometry.image_grid(CELLS, CELLS)[None], 2, axis=0) + shift

        def even(value, size, channels):
            return jnp.full((2, size, size, channels), value)

        return blending.blend(
            even(PAINTED, DECODED, 3),
            even(0.8, DECODED, 1),
            flows.Coarse(
                grid, grid, grid, even(still_share, CELLS, 1), even(0.0, CELLS, 1)
            ),
            flows.Fine(grid, grid, even(LIGHT, CELLS, 3)),
            flows.Mirrored(grid, even(-9.0, CELLS, 1), even(0.0, CELLS, 3)),
            background.Uncovered(even(SHARE, CELLS, 1), None, even(BEHIND, CELLS, 3)),
            pixels,
        )

    gain = np.exp(flows.LIGHT_REACH * np.tanh(LIGHT))
    mask = 1 / (1 + np.exp(-0.8))
    warped = (colours + 1) * gain - 1
    lit = mask * warped + (1 - mask) * PAINTED
    moving = frames(0.0, pixels)
    np.testing.assert_allclose(moving.person, share, atol=1e-3)
    expected = share * lit + (1 - share) * behind
    np.testing.assert_allclose(moving.image, expected, atol=1e-3)
    still = frames(1.0, pixels)
    np.testing.assert_allclose(still.image, behind, atol=1e-5)
    clear = jnp.full((1, size, size, 4), behind)
    alone = frames(0.0, pixels.replace(backdrop=clear.at[..., 3].set(0.0)))
    np.testing.assert_allclose(alone.image, lit, atol=1e-3)
    np.testing.assert_allclose(alone.person, share, atol=1e-3)
    half = frames(0.0, pixels.replace(backdrop=clear.at[..., 3].set(0.5)))
    total = share + (1 - share) / 2
    np.testing.assert_allclose(half.person, total, atol=1e-3)
    expected = behind + share / total * (lit - behind)
    np.testing.assert_allclose(half.image, expected, atol=1e-3)
    each = pixels.replace(
        person=jnp.concatenate([pixels.person, 0.0 * pixels.person]),
        backdrop=jnp.concatenate([pixels.backdrop, 0.0 * pixels.backdrop]),
    )
    of_two = frames(0.0, each).image
    np.testing.assert_allclose(of_two[0], moving.image[0], atol=1e-5)
    np.testing.assert_allclose(of_two[1], 0.0, atol=1e-5)
    # Around the portrait there is no person; a frame that moves shows it from there.
    margin = ((0, 0), (size // 4,) * 2, (size // 4,) * 2, (0, 0))
    wider = pixels.replace(person=jnp.pad(pixels.person, margin))
    inside = slice(size // CELLS, -size // CELLS)
    same = frames(0.0, wider)
    for found, known in ((same.image, moving.image), (same.person, moving.person)):
        np.testing.assert_allclose(
            found[:, inside, inside], known[:, inside, inside], atol=1e-5
        )
    shifted = frames(0.0, wider, 0.25)
    assert shifted.image.shape == moving.image.shape
    np.testing.assert_allclose(shifted.person[:, :, -size // 16 :], 0.0, atol=1e-5)
    np.testing.assert_allclose(shifted.person[:, inside, size // 2], share, atol=1e-3)
    kept = frames(0.0, pixels, 0.25)
    np.testing.assert_allclose(kept.person[:, :, -size // 16 :], share, atol=1e-3)


def test_what_is_painted_into_a_grey_portrait_is_grey():
    grey = jnp.repeat(jax.random.uniform(jax.random.key(0), (1, 8, 8, 1)), 3, axis=-1)
    warm = grey + jnp.array([0.2, 0.0, -0.2])[None, None, None]
    chroma = blending.chroma(jnp.concatenate([grey, warm]))
    np.testing.assert_allclose(chroma, [[0.0], [1.0]], atol=1e-6)
    painted = jax.random.uniform(jax.random.key(1), (2, 8, 8, 3))
    found = np.asarray(blending.coloured(painted, chroma))
    np.testing.assert_allclose(found[0], found[0, ..., :1] * np.ones(3), atol=1e-6)
    np.testing.assert_allclose(found.mean(-1), painted.mean(-1), atol=1e-6)
    np.testing.assert_allclose(found[1], painted[1], atol=1e-6)
