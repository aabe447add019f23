"""Clips of plain arrays, rendered from carried performances: the missing ones."""

import pathlib
import time

from datasets.synthetic_heads.records import plan, record
from datasets.synthetic_heads.rendering import renderer
from experiments.short_lease import performance_files
from vasa_jax.data import records


def unrendered(
    folder: pathlib.Path, output: pathlib.Path, settings: plan.Settings
) -> list[list[plan.Clip]]:
    """Return the clips still to render, by identity, those of validation first.

    Ours: an evaluation needs a whole batch of these, and time may run out.
    """
    identities = [
        2 * pair + one for pair in performance_files.pairs(folder) for one in (0, 1)
    ]
    identities.sort(key=lambda identity: plan.split_of(identity) != "validation")
    missing = [
        [
            clip
            for clip in plan.clips_of(settings, identity)
            if not clip_path(output, clip).exists()
        ]
        for identity in identities
    ]
    return [clips for clips in missing if clips]


def clip_path(output: pathlib.Path, clip: plan.Clip) -> pathlib.Path:
    """Return the file of a clip."""
    return output / clip.split / f"{clip.clip_id}.npz"


def render_identity(
    folder: pathlib.Path,
    output: pathlib.Path,
    settings: plan.Settings,
    deadline: float,
    clips: list[plan.Clip],
) -> int:
    """Render clips of one identity from its carried performances and write them.

    Args:
        folder: of the performances.
        output: of the clips.
        settings: of the set.
        deadline: second of the clock after which no clip is begun.
        clips: what to render.

    Returns:
        How many were made.
    """
    if time.time() > deadline:
        return 0
    pair = int(clips[0].identity.split("_")[1]) // 2
    done = performance_files.unpack(
        performance_files.pair_path(folder, pair).read_bytes()
    )
    person = record.build_person(clips[0], settings)
    view = renderer.Renderer(settings.size)
    made = 0
    for clip in clips:
        if time.time() > deadline:
            break
        shown = record.show(clip, settings, person, view, done[clip.performance])
        path = clip_path(output, clip)
        path.parent.mkdir(parents=True, exist_ok=True)
        records.write_npz_record(path, shown)
        made += 1
    return made
