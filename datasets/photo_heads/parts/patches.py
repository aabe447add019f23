"""What lies behind the holes of lids and lips: eyes, the mouth's inside, teeth."""

import numpy as np

from datasets.photo_heads.fit import (
    contours,
    face_mesh,
    landmark_units,
    lips_and_lids,
    photo_head,
)
from datasets.photo_heads.parts import eye_patches, mouth_sheets, patch
from datasets.photo_heads.rendering import rasterizer
from vasa_jax import arkit
from vasa_jax.portrait import mouth_interior, mouths, pose

MOUTH_SET_BACK, CAVITY_SET_BACK = 0.04, 0.02
"""How far behind their rims patches lie, head units."""

MOUTH_SCALE, CAVITY_SCALE = 1.04, 1.1
"""How much wider than their holes patches are."""

BEHIND, CAVITY_BEHIND, SHEETS_BEHIND = 0.6, 1.5, (0.70, 0.72, 0.90)
"""Added to depths in the z-buffer, so that what lies behind lips never pokes through
skin: the photographed inside, the cavity, and upper teeth, lower teeth and tongue."""

_JAW_UNITS = ("jawOpen", "jawLeft", "jawRight", "jawForward")


def build_patches(shape: photo_head.HeadShape) -> list[patch.Patch]:
    """Build all patches of a head, farthest last."""
    dense = face_mesh.face_mesh()
    mirror = np.einsum(
        "nkc,nk->nc", shape.face[dense.mirror_points], dense.mirror_weights
    )

    result = eye_patches.build_eyes(shape)
    if lips_and_lids.mouth_gap(shape.landmarks) > mouths.OPEN_MOUTH:
        loop = dense.mouth_loop
        result.append(
            patch.Patch(
                points=_fan_points(shape.face[loop], MOUTH_SCALE, MOUTH_SET_BACK),
                mirrored=_fan_points(mirror[loop], MOUTH_SCALE, MOUTH_SET_BACK),
                triangles=_fan(len(loop)),
                kind=rasterizer.MOUTH,
                behind=BEHIND,
            )
        )
    return [*result, _cavity(shape, dense), *_inside_mouth(shape, dense)]


def _fan_points(loop, scale, back):
    """Close a hole's rim `[R, 3]`: the rim, made wider, and its middle."""
    ring = photo_head.project(loop)
    middle = ring.mean(axis=0)
    flat = np.concatenate([middle + scale * (ring - middle), middle[None]])
    depth = np.append(loop[:, 2], loop[:, 2].mean()) + back
    return photo_head.lift(flat, depth)


def _fan(count):
    ring = np.arange(count)
    return np.stack([ring, np.roll(ring, -1), np.full(count, count)], axis=1)


def _cavity(shape, dense):
    """Close the mouth by a cavity whose rim goes with the lips."""
    loop = dense.mouth_loop

    def moves(_, face_moves):
        rim = face_moves[loop]
        rim = np.concatenate([rim, rim.mean(axis=0, keepdims=True)])
        return CAVITY_SCALE * rim - (CAVITY_SCALE - 1) * rim.mean(axis=0)

    points = _fan_points(shape.face[loop], CAVITY_SCALE, CAVITY_SET_BACK)
    angle = np.linspace(0, 2 * np.pi, len(loop), endpoint=False)
    rim = 0.5 - 0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return patch.Patch(
        points=points,
        mirrored=points,
        triangles=_fan(len(loop)),
        kind=rasterizer.INVENTED,
        behind=CAVITY_BEHIND,
        tile=patch.MOUTH_TILES[-1],
        uv=np.concatenate([rim, [[0.5, 0.5]]]),
        moves=moves,
    )


def _inside_mouth(shape, dense):
    """Put teeth and tongue behind the lips; all but the upper teeth follow the jaw."""
    turn = pose.HeadFit(rotation=shape.rotation, centre=np.zeros(2), unit=1.0).matrix()
    chosen = [arkit.index(name) for name in _JAW_UNITS]
    jaw = landmark_units.landmark_units()[chosen, contours.LIP_BOTTOM] @ turn.T
    # The rim's lower middle; see `FaceMesh.mouth_loop`.
    under = dense.mouth_loop[len(dense.mouth_loop) * 3 // 4 + 1]
    closing = dense.close_lips.moves(shape.landmarks)[under]

    def with_jaw(state, _):
        return state.arkit[chosen] @ jaw + state.close_lips * closing

    result = []
    for number, sheet in enumerate(mouth_sheets.sheets(mouth_shape(shape))):
        is_upper = number == 0
        edge = contours.LIP_TOP if is_upper else contours.LIP_BOTTOM
        points = shape.landmarks[edge] + sheet.points @ turn.T
        result.append(
            patch.Patch(
                points=points,
                mirrored=points,
                triangles=sheet.triangles,
                kind=rasterizer.CUT_OUT,
                behind=SHEETS_BEHIND[number],
                tile=patch.MOUTH_TILES[number],
                uv=sheet.uv,
                moves=None if is_upper else with_jaw,
            )
        )
    return result


def mouth_shape(shape: photo_head.HeadShape) -> mouth_interior.MouthShape:
    """Return the shape of what is in a head's mouth."""
    return mouth_interior.MouthShape(*(float(number) for number in shape.mouth))
