"""Both layers of both eyes as patches of the mesh."""

import numpy as np

from datasets.photo_heads.fit import face_mesh, photo_head
from datasets.photo_heads.parts import eyes, patch
from datasets.photo_heads.rendering import rasterizer
from vasa_jax.portrait import eyelids, pose
from vasa_jax.portrait import irises as irises_lib

WHITE_BEHIND, DISC_BEHIND = 0.6, 0.59
"""Added to depths in the z-buffer: eyes never poke through lids, nor whites through
irises."""


def irises_of(shape: photo_head.HeadShape) -> irises_lib.Irises:
    """Return the irises as photographed."""
    rotation = np.asarray(shape.rotation, np.float64)
    fit = pose.HeadFit(rotation=rotation, centre=np.zeros(2), unit=1.0)
    return irises_lib.Irises(
        centres=shape.irises[:, :2].astype(np.float64),
        radii=shape.irises[:, 2].astype(np.float64),
        rest_gaze=shape.gaze.astype(np.float64),
        turn=fit.matrix(),
    )


def build_eyes(shape: photo_head.HeadShape) -> list[patch.Patch]:
    """Build white and iris of both eyes."""
    irises = irises_of(shape)
    centres, matrix = irises_lib.discs(irises, np.zeros(2))
    loops = [shape.face[loop] for loop in face_mesh.face_mesh().eye_loops]
    rims = [photo_head.project(loop) for loop in loops]
    layers = [
        eyes.eye_layers(rim, loop[:, 2], centre, matrix * radius)
        for rim, loop, centre, radius in zip(
            rims, loops, centres, irises.radii, strict=True
        )
    ]
    result = []
    for eye, other in ((0, 1), (1, 0)):
        mine, theirs = layers[eye], layers[other]
        mirrored = _mirrored(mine.white, rims[eye], rims[other])
        white = patch.Patch(
            points=mine.on_surface(mine.white),
            mirrored=theirs.on_surface(mirrored),
            triangles=mine.white_triangles,
            kind=_kinds(mine.is_white_photographed),
            behind=WHITE_BEHIND,
            tile=patch.EYE_TILES[eye],
        )
        disc = patch.Patch(
            points=_disc_points(irises, mine, eye),
            mirrored=_disc_points(irises, theirs, other)[eyes.MIRRORED_DISC],
            triangles=mine.disc_triangles,
            kind=_kinds(mine.is_disc_photographed),
            behind=DISC_BEHIND,
            tile=patch.EYE_TILES[eye],
            moves=_disc_moves(irises, mine, eye, slice(None)),
            mirrored_moves=_disc_moves(irises, theirs, other, eyes.MIRRORED_DISC),
        )
        result += [white, disc]
    return result


def _kinds(is_photographed):
    return np.where(is_photographed, rasterizer.EYE, rasterizer.HIDDEN_EYE)


def _disc_points(irises, layers, eye, added_gaze=(0.0, 0.0)):
    """Place the points of an iris for a gaze, `[D, 3]`."""
    centres, matrix = irises_lib.discs(irises, np.asarray(added_gaze, np.float64))
    screen = centres[eye] + irises.radii[eye] * layers.disc @ matrix.T
    return layers.on_surface(screen)


def _disc_moves(irises, layers, eye, order):
    rest = _disc_points(irises, layers, eye)

    def moves(state, _=None):
        return (_disc_points(irises, layers, eye, state.gaze) - rest)[order]

    return moves


def _mirrored(points, rim, other_rim):
    """Find screen points `[P, 2]` of one eye in the other, relative to its corners."""
    corners, others = (eyelids.Lids.of_rim(r).upper[[0, -1]] for r in (rim, other_rim))
    along, other_along = corners[1] - corners[0], others[1] - others[0]
    across = np.array([-along[1], along[0]])
    other_across = np.array([-other_along[1], other_along[0]])
    away = (points - corners.mean(axis=0)) / (along @ along)
    right, down = away @ along, away @ across
    return (
        others.mean(axis=0)
        + np.outer(-right, other_along)
        + np.outer(down, other_across)
    )
