"""Where a frame of a rendered head shows its lips' inner edge and its teeth."""

import functools

import numpy as np

from datasets.synthetic_heads.person import geometry, head
from datasets.synthetic_heads.rendering import scene
from vasa_jax import arkit
from vasa_jax.portrait import lips

HALF_WIDTHS, HEIGHT, EDGE, CURVE = (0.183, 0.173), 0.174, 0.01, 2.2
"""Of what moved photographs show of rows of teeth, head units. Follows:
`vasa_jax.portrait.mouth_interior`."""

CORNER_POINTS = 4
"""Points of the edge over which a mouth opens from its corners. Ours: as photographed
lips do."""

_FRONT = 0.06
_MOVES_WITH_JAW = -0.05


def find(
    shape: geometry.HeadGeometry, posed: geometry.PosedHead, camera: scene.Camera
) -> dict[str, np.ndarray]:
    """Find the mouth of one frame: `face.examples.MOUTH_FIELDS` by name.

    Args:
        shape: of the head.
        posed: in the frame.
        camera: the clip's.
    """
    points, weights = _edge()
    positions = [weights @ posed.points[points]]
    for teeth, is_upper in zip(_teeth(), (True, False), strict=True):
        rest = shape.points[teeth]
        turn, shift = _rigid(rest, posed.points[teeth])
        positions.append(_corners(rest, is_upper) @ turn.T + shift)
    seen = camera.project(np.concatenate(positions))[:, :2].astype(np.float32)
    count = len(weights)
    return {
        "mouth_edge": seen[:count],
        "mouth_teeth": seen[count:].reshape(2, 4, 2),
    }


@functools.lru_cache(maxsize=1)
def _edge():
    """Return points of the mesh `[P]` and what each point of the edge has of them.

    Ours: the lips' inner edge is the seam between the textures of face and mouth.
    """
    mesh = head.load_head_mesh()
    inner = mesh.inner_mouth > 0
    outer = ~inner & (mesh.vertex_materials == head.SKIN)
    loop = np.intersect1d(mesh.point_of_vertex[inner], mesh.point_of_vertex[outer])
    positions = mesh.base[loop]
    order = np.argsort(
        np.arctan2(positions[:, 1] - positions[:, 1].mean(), -positions[:, 0])
    )
    order = np.roll(order, -int(np.argmin(positions[order, 0])))
    if positions[order[1], 1] < positions[order[-1], 1]:
        order = np.roll(order[::-1], 1)
    loop, positions = loop[order], positions[order]
    end = int(np.argmax(positions[:, 0]))
    closed = np.append(np.arange(len(loop)), 0)
    upper = _spread(positions, closed[: end + 1], lips.NUM_UPPER)
    lower = _spread(positions, closed[end:], lips.NUM_LOWER + 2)[1:-1]
    # The seam runs behind the corners, where lips touch: there it closes gently.
    gap = upper[1:-1] - lower[::-1]
    from_corner = np.minimum(
        np.arange(1, lips.NUM_UPPER - 1), np.arange(lips.NUM_UPPER - 2, 0, -1)
    )
    closed_by = (
        0.5 * (1.0 - np.minimum(from_corner / CORNER_POINTS, 1.0))[:, None] * gap
    )
    upper[1:-1] -= closed_by
    lower += closed_by[::-1]
    return loop, np.concatenate([upper, lower])


def _spread(positions, chain, count):
    """Return weights `[count, P]` of points evenly along a chain of points."""
    steps = np.linalg.norm(np.diff(positions[chain], axis=0), axis=1)
    length = np.append(0.0, np.cumsum(steps))
    at = np.linspace(0.0, length[-1], count)
    hats = np.stack([np.interp(at, length, row) for row in np.eye(len(chain))], axis=1)
    weights = np.zeros((count, len(positions)))
    np.add.at(weights, (slice(None), chain), hats)
    return weights


@functools.lru_cache(maxsize=1)
def _teeth():
    """Return the points of upper and lower teeth."""
    mesh = head.load_head_mesh()
    teeth = np.unique(mesh.point_of_vertex[mesh.vertex_materials == head.TEETH])
    jaw = mesh.expression_deltas[arkit.index("jawOpen"), teeth, 1] < _MOVES_WITH_JAW
    return teeth[~jaw], teeth[jaw]


def _rigid(rest, posed):
    """Return the turn `[3, 3]` and shift `[3]` from points to points `[P, 3]`."""
    middle, seen = rest.mean(0), posed.mean(0)
    left, _, right = np.linalg.svd((posed - seen).T @ (rest - middle))
    turn = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    return turn, seen - turn @ middle


def _corners(teeth, is_upper):
    """Return where a photograph's row would have its corners, `[4, 3]` mesh units."""
    front = teeth[np.abs(teeth[:, 0]) < _FRONT]
    biting = front[:, 1].min() - EDGE if is_upper else front[:, 1].max() + EDGE
    rows = (biting + HEIGHT, biting) if is_upper else (biting, biting - HEIGHT)
    half, depth = HALF_WIDTHS[0 if is_upper else 1], front[:, 2].max()
    return np.array(
        [[x, y, depth - CURVE * half**2] for y in rows for x in (-half, half)]
    )
