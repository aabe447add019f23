"""The person of a picture is told from the background."""

import einops
import numpy as np
from numpy import linalg

from vasa_jax import arkit
from vasa_jax.portrait import person_mask


def _rendered_person():
    """Return a picture of a rendered head, and where it shows the person."""
    from datasets.synthetic_heads import names
    from datasets.synthetic_heads.person import avatar, geometry
    from datasets.synthetic_heads.rendering import renderer, scene

    still = np.zeros(arkit.NUM_UNITS, np.float32)
    state = geometry.FrameState(still, np.zeros(2), np.zeros(3), np.zeros(3))
    frame = renderer.Renderer(256).render(
        avatar.build_avatar(46), scene.random_scene(46), scene.camera(20.0), state
    )
    return frame.image, frame.masks != names.MASK_CLASSES.index("background")


def test_a_rendered_person_is_found_to_its_edges():
    image, truth = _rendered_person()
    found = person_mask.person_mask(image)
    assert found.shape == image.shape[:2]
    found = einops.reduce(found, "(h i) (w j) -> h w", "mean", i=4, j=4)
    assert 0 <= found.min() and found.max() <= 1
    common = np.minimum(found, truth).sum() / np.maximum(found, truth).sum()
    assert common > 0.93


def test_symmetric_systems_are_solved_as_numpy_solves_them():
    generator = np.random.default_rng(0)
    factors = generator.normal(size=(5, 7, 3, 3))
    systems = factors @ factors.swapaxes(-1, -2) + 0.1 * np.eye(3)
    right = generator.normal(size=(5, 7, 3))
    solved = person_mask._solved(
        lambda row, column: systems[..., row, column], list(np.moveaxis(right, -1, 0))
    )
    expected = linalg.solve(systems, right[..., None])[..., 0]
    np.testing.assert_allclose(np.stack(solved, axis=-1), expected, rtol=1e-6)


def test_areas_of_doubt_become_person_and_edges_stay():
    doubtful = np.zeros((200, 200), np.float32)
    doubtful[:, 100:] = 0.4
    doubtful[:, 150:] = 1
    decided = person_mask._decided(doubtful)
    assert decided[:, 105:].min() > 0.99
    assert decided[:, :95].max() < 0.01
    sharp = np.zeros((200, 200), np.float32)
    sharp[:, 100:] = 1
    sharp[:, 99] = 0.3
    np.testing.assert_array_equal(person_mask._decided(sharp), sharp)
