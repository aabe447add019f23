"""How far lips stay the same when a voice comes as microphones and calls have it."""

import numpy as np

from vasa_jax.animate.controls import Controls
from vasa_jax.audio import degradations
from vasa_jax.evaluation.benchmark import driven_videos
from vasa_jax.evaluation.metrics import curves

ANOTHER_SEED = "another seed"
"""Row of the clean voice performed with another seed: what chance alone leaves."""


def apertures(
    performer: driven_videos.Performer, waveform: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """Ask for the lips of a voice as it is and after each change.

    Args:
        performer: of the checkpoint.
        waveform: float32 `[S]`, clean.
        seed: of the performances and the changes.

    Returns:
        `[T]` by name: "clean", `ANOTHER_SEED` and those of `degradations.CHANGES`.
    """

    def asked(heard, seed):
        return performer.requested_aperture(performer.speak(heard, Controls(seed=seed)))

    found = {"clean": asked(waveform, seed), ANOTHER_SEED: asked(waveform, seed + 1)}
    for name, change in degradations.CHANGES.items():
        found[name] = asked(change(waveform, np.random.default_rng(seed)), seed)
    return found


def table(asked: list[dict[str, np.ndarray]]) -> str:
    """Compare each change with the clean voice, a row for each.

    Args:
        asked: of each voice, as from `apertures`.

    Returns:
        Lines of a Markdown table.
    """
    rows = ["| change | correlation | least | lag |", "|---|---|---|---|"]
    for name in asked[0]:
        if name == "clean":
            continue
        same = [curves.correlation(one[name], one["clean"]) for one in asked]
        lags = [curves.best_lag(one[name], one["clean"]) for one in asked]
        rows.append(
            f"| {name} | {np.mean(same):.3f} | {np.min(same):.3f} | "
            f"{np.median(lags):g} |"
        )
    return "\n".join(rows)
