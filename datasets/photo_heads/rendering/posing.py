"""Where a head's points lie in a state, and what its pose and keypoints then are."""

import dataclasses

import numpy as np

from datasets.photo_heads.fit import contours, face_mesh, landmark_units, photo_head
from datasets.photo_heads.parts import eyes, patch, patches
from datasets.photo_heads.rendering import kernels, rasterizer
from datasets.synthetic_heads import names
from vasa_jax.portrait import gaze, landmarks, pose

PIVOT = np.array([0.0, 0.91, 0.23])
"""Where the neck turns, in the head frame. Follows: the synthetic heads."""

RAISE = 0.4
"""How far above the rim the edge of a closed lid finds its skin, in heights of the eye.
Ours: beyond lashes and their shade, which would be smeared over the lid."""

RIM_REACH, RIM_FADE = 0.12, 0.3
"""How near the outline's points must be to move the sheet, and how far from the outline
that fades, head units."""

_POSE_STEPS = 8
"""In which `at_pose` comes within a thousandth of any pose that faces the viewer."""

_LARGEST_FADE = 2.5
_SIZE_PAIRS = np.array([(61, 291), (33, 263), (168, 152)])
"""Landmarks between which a face's size is measured: mouth, eyes, height."""


@dataclasses.dataclass(frozen=True)
class Rig:
    """What states of a head are posed from; N points: face, sheet, patches.

    Attributes:
        shape: the head.
        rest: float32 `[N, 3]`; screen: `[N, 2]` the same as the camera sees them.
        triangles, kinds: int32 `[T, 3]` and `[T]`, see `rasterizer`.
        turning: float32 `[N]` how much of the head's turn each point follows.
        behind: float32 `[N]` added to depths in the z-buffer.
        patches: what lies behind holes.
        matrix: float64 `[3, 3]` the head's rotation as photographed.
        unit_size: size of expressions, of those of a canonical face.
    """

    shape: photo_head.HeadShape
    rest: np.ndarray
    screen: np.ndarray
    triangles: np.ndarray
    kinds: np.ndarray
    turning: np.ndarray
    behind: np.ndarray
    patches: list[patch.Patch]
    matrix: np.ndarray
    unit_size: float

    @property
    def pivot(self) -> np.ndarray:
        """The point `[3]` about which the head turns, camera frame."""
        return self.matrix @ PIVOT


def build_rig(shape: photo_head.HeadShape) -> Rig:
    """Put face, sheet and patches of a head into one mesh."""
    behind_holes = patches.build_patches(shape)
    triangles = [face_mesh.face_mesh().triangles, shape.sheet_triangles]
    kinds = [
        np.full(len(part), kind)
        for part, kind in zip(
            triangles, (rasterizer.FACE, rasterizer.SHEET), strict=True
        )
    ]
    points = [shape.face, shape.sheet]
    behind = [np.zeros(len(shape.face) + len(shape.sheet))]
    for one in behind_holes:
        triangles.append(one.triangles + sum(map(len, points)))
        kinds.append(np.broadcast_to(one.kind, len(one.triangles)))
        points.append(one.points)
        behind.append(np.full(len(one.points), one.behind))
    rest = np.concatenate(points).astype(np.float32)
    turning = np.ones(len(rest), np.float32)
    turning[len(shape.face) : len(shape.face) + len(shape.sheet)] = shape.turning
    return Rig(
        shape=shape,
        rest=rest,
        screen=photo_head.project(rest),
        triangles=np.concatenate(triangles).astype(np.int32),
        kinds=np.concatenate(kinds).astype(np.int32),
        turning=turning,
        behind=np.concatenate(behind).astype(np.float32),
        patches=behind_holes,
        matrix=_matrix(shape.rotation),
        unit_size=unit_size(shape.landmarks),
    )


def pose_points(rig: Rig, state: photo_head.State) -> np.ndarray:
    """Return the points float32 `[N, 3]` of a state, camera frame.

    Ours: units, lids and lips move the face, its outline takes the sheet along, and
    what then turns about the neck's pivot turns by its share of the angle.
    """
    moves = point_moves(rig, state)
    return turned(rig, rig.rest + moves, rig.turning, state)


def point_moves(rig: Rig, state: photo_head.State) -> np.ndarray:
    """Return how expressions move the points before the head turns, `[N, 3]`."""
    dense, shape = face_mesh.face_mesh(), rig.shape
    face = face_moves(rig, state, slice(None))
    result = np.zeros((len(rig.rest), 3), np.float32)
    start, end = len(shape.face), len(shape.face) + len(shape.sheet)
    result[:start] = face
    ring = dense.outline[::2]
    _follow_rim(rig.screen[start:end], rig.screen[ring], face[ring], result[start:end])
    for one in rig.patches:
        start, end = end, end + len(one.points)
        if one.moves is not None:
            result[start:end] = one.moves(state, face)
    return result


def face_moves(rig: Rig, state: photo_head.State, which) -> np.ndarray:
    """Return how expressions move points of the face, `[M, 3]`.

    Args:
        rig: of the head.
        state: of the face.
        which: indices of the points, or a slice.
    """
    dense, landmarks_at_rest = face_mesh.face_mesh(), rig.shape.landmarks
    moves = _unit_moves(rig, state, dense.unit_moves[:, which])
    close_eyes = eyes.lid_closing(state.close_eyes, state.gaze)
    for amount, closing in zip(close_eyes, dense.close_eyes, strict=True):
        if amount:
            moves += amount * closing.moves(landmarks_at_rest)[which]
    if state.close_lips:
        moves += state.close_lips * dense.close_lips.moves(landmarks_at_rest)[which]
    return moves


def folds(rig: Rig, state: photo_head.State) -> np.ndarray:
    """Tell how far above itself a closing lid finds its skin, screen `[N, 2]`.

    Ours: the rim keeps its lashes, in one row of triangles; what would smear is left
    out, as in the synthetic heads' lids.
    """
    dense = face_mesh.face_mesh()
    result = np.zeros((len(rig.rest), 2), np.float32)
    close_eyes = eyes.lid_closing(state.close_eyes, state.gaze)
    for amount, closing in zip(close_eyes, dense.close_eyes, strict=True):
        if amount > 0:
            moves = closing.moves(rig.shape.landmarks)
            raised = np.where(moves[:, 1:2] > 0, -RAISE * amount * moves[:, :2], 0)
            for loop in dense.eye_loops:
                raised[loop] = 0
            result[: len(raised)] += raised
    return result


def turned(
    rig: Rig, points: np.ndarray, turning: np.ndarray, state: photo_head.State
) -> np.ndarray:
    """Turn points `[M, 3]` by their shares `[M]` of a state's turn, and shift them.

    Ours: head and body shift alike, as of the synthetic heads.
    """
    turn = _matrix(rig.shape.rotation + state.turn) @ rig.matrix.T
    angle = np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))
    axis = np.array(
        [turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]
    )
    axis = axis / max(np.linalg.norm(axis), 1e-9)
    result = np.empty((len(points), 3), np.float32)
    _turn(points, turning, rig.pivot, axis, angle, np.asarray(state.shift), result)
    return result


def head_pose(rig: Rig, state: photo_head.State, view: photo_head.View) -> np.ndarray:
    """Read the head pose of a state in a view's image units.

    Ours: rotation is taken relative to the ray through the head centre, as in
    `synthetic_heads.ground_truth`.

    Returns:
        float32 `[6]`: yaw, pitch, roll, x, y, scale, as `vasa_jax.types.HeadPose`.
    """
    matrix = _matrix(rig.shape.rotation + state.turn)
    centre = _carried(rig, np.zeros((1, 3)), state)[0]
    ray = centre + np.array([0, 0, pose.CAMERA_DISTANCE])
    ray = ray / np.linalg.norm(ray)
    x, y, z = ray
    cross = np.array([[0, 0, x], [0, 0, y], [-x, -y, 0]])
    towards_ray = np.eye(3) + cross + cross @ cross / (1 + z)
    seen = towards_ray.T @ matrix
    yaw = np.arctan2(-seen[0, 2], seen[2, 2])
    pitch = np.arcsin(np.clip(-seen[1, 2], -1, 1))
    roll = np.arctan2(-seen[1, 0], seen[1, 1])
    projected = view.to_image(photo_head.project(centre))
    scale = 1 / (1 + centre[2] / pose.CAMERA_DISTANCE) / view.distance
    return np.array([yaw, pitch, roll, *projected, scale], np.float32)


def at_pose(rig: Rig, state: photo_head.State, wanted: np.ndarray) -> photo_head.State:
    """Turn and shift a state to a head pose that is wanted in `photo_head.View()`.

    Args:
        rig: of the head.
        state: of the face.
        wanted: `[6]`, as of `head_pose`.

    Returns:
        The state, there.
    """
    view = photo_head.View()
    turn, shift = np.zeros(3), np.zeros(3)
    for _ in range(_POSE_STEPS):
        found = head_pose(rig, dataclasses.replace(state, turn=turn, shift=shift), view)
        across = (wanted[3:5] - found[3:5]) * view.half_size
        away = pose.CAMERA_DISTANCE * (1 / wanted[5] - 1 / found[5])
        turn = turn + wanted[:3] - found[:3]
        shift = shift + np.array([*across, away])
    return dataclasses.replace(state, turn=turn, shift=shift)


def keypoints(rig: Rig, state: photo_head.State, view: photo_head.View) -> np.ndarray:
    """Return the points of `names.KEYPOINT_NAMES`, float32 `[10, 2]` in [-1, 1]."""
    eyeballs, marks = _posed_marks(rig, state)
    left, right = contours.MOUTH_CORNERS[::-1]
    at = {
        "left_eye": eyeballs[1],
        "right_eye": eyeballs[0],
        "mouth": (marks[contours.LIP_TOP] + marks[contours.LIP_BOTTOM]) / 2,
        "mouth_left": marks[left],
        "mouth_right": marks[right],
        "lip_top": marks[contours.LIP_TOP],
        "lip_bottom": marks[contours.LIP_BOTTOM],
        "nose_tip": marks[contours.NOSE_TIP],
        "chin": marks[contours.CHIN],
        "head_centre": _carried(rig, np.zeros((1, 3)), state)[0],
    }
    points = np.stack([at[name] for name in names.KEYPOINT_NAMES])
    return view.to_image(photo_head.project(points)).astype(np.float32)


def mouth_aperture(rig: Rig, state: photo_head.State) -> float:
    """Return the gap of the inner lips along the face, in eye distances."""
    eyeballs, marks = _posed_marks(rig, state)
    gap = marks[contours.LIP_BOTTOM] - marks[contours.LIP_TOP]
    down = _matrix(rig.shape.rotation + state.turn)[:, 1]
    return max(0.0, float(gap @ down / np.linalg.norm(eyeballs[0] - eyeballs[1])))


def _matrix(rotation):
    """Build the rotation of yaw, pitch, roll `[3]`, as `vasa_jax` defines it."""
    return pose.HeadFit(rotation=rotation, centre=np.zeros(2), unit=1.0).matrix()


def unit_size(points):
    """Return the size of expressions. Ours: small faces have small mouths."""
    canonical, _ = pose.canonical_face()

    def lengths(of):
        first, second = of[_SIZE_PAIRS[:, 0]], of[_SIZE_PAIRS[:, 1]]
        return np.linalg.norm(first - second, axis=1)

    return float(np.clip((lengths(points) / lengths(canonical)).min(), 0.6, 1.1))


def _unit_moves(rig, state, unit_moves):
    """Weigh movements `[52, M, 3]` of the head frame; returns `[M, 3]`, turned."""
    moves = np.tensordot(np.asarray(state.arkit), unit_moves, 1)
    return (moves @ (rig.unit_size * rig.matrix.T)).astype(np.float32)


def _carried(rig, points, state):
    """Turn points that go with the head wholly."""
    return turned(rig, points, np.ones(len(points)), state)


def _posed_marks(rig, state):
    """Return both eyeballs' centres `[2, 3]`, image's left first, and landmarks."""
    rest, dense = rig.shape.landmarks, face_mesh.face_mesh()
    x, y, z = gaze.EYEBALL_OFFSET
    offsets = np.array([[x, y, z], [-x, y, z]]) @ rig.matrix.T
    eyeballs = rest[np.array(landmarks.EYE_CORNERS)].mean(axis=1) + offsets
    moves = _unit_moves(rig, state, landmark_units.landmark_units())
    moves += state.close_lips * dense.close_lips_of_landmarks.moves(rest)
    return _carried(rig, eyeballs, state), _carried(rig, rest + moves, state)


@kernels.cached
def _turn(points, turning, pivot, axis, angle, shift, result):
    """Turn points `[M, 3]` by shares of an angle about an axis through the pivot."""
    for point in range(len(points)):
        share = turning[point]
        cos, sin = np.cos(share * angle), np.sin(share * angle)
        x, y, z = (
            points[point, 0] - pivot[0],
            points[point, 1] - pivot[1],
            points[point, 2] - pivot[2],
        )
        along = (x * axis[0] + y * axis[1] + z * axis[2]) * (1 - cos)
        across = (
            axis[1] * z - axis[2] * y,
            axis[2] * x - axis[0] * z,
            axis[0] * y - axis[1] * x,
        )
        result[point, 0] = x * cos + across[0] * sin + axis[0] * along
        result[point, 1] = y * cos + across[1] * sin + axis[1] * along
        result[point, 2] = z * cos + across[2] * sin + axis[2] * along
        for k in range(3):
            result[point, k] += pivot[k] + shift[k]


@kernels.cached
def _follow_rim(screen, ring, ring_moves, moves):
    """Let points `[G, 2]` near an outline `[R, 2]` take part in its movements."""
    for point in range(len(screen)):
        nearest = 1e9
        for k in range(len(ring)):
            x = screen[point, 0] - ring[k, 0]
            y = screen[point, 1] - ring[k, 1]
            nearest = min(nearest, x * x + y * y)
        fade = nearest / (RIM_FADE * RIM_FADE)
        if fade > _LARGEST_FADE * _LARGEST_FADE:
            continue
        total = across = down = away = 0.0
        for k in range(len(ring)):
            x = screen[point, 0] - ring[k, 0]
            y = screen[point, 1] - ring[k, 1]
            # Relative to the nearest, lest all shares vanish.
            further = (x * x + y * y - nearest) / (RIM_REACH * RIM_REACH)
            if further > 12.0:
                continue
            share = np.exp(-further)
            total += share
            across += share * ring_moves[k, 0]
            down += share * ring_moves[k, 1]
            away += share * ring_moves[k, 2]
        share = np.exp(-fade) / total
        moves[point, 0] = share * across
        moves[point, 1] = share * down
        moves[point, 2] = share * away
