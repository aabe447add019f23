"""Compares what two environments have made; see `experiments.compare_environments`."""

import numpy as np

MAX_LEVELS, MAX_SHARE = 1, 1e-4
"""Ours: what two versions of XLA round differently, and nobody sees."""

MAX_LOSS_DIFFERENCE = 1e-4
"""Relative. Ours: as above, through ten steps."""


def compare(this: dict, other: dict) -> list[tuple[str, str, str, bool]]:
    """Compare what two environments have told.

    Args:
        this, other: as from `compare_environments.read`.

    Returns:
        Rows: what, what was found, what is allowed, whether it holds.
    """
    away = np.abs(this["frames"].astype(int) - other["frames"])
    share = float((away > 0).mean())
    limit = f"at most {MAX_LEVELS} in less than {100 * MAX_SHARE:g} %"
    rows = [
        (
            f"{len(away)} frames, levels of 255 that values differ by",
            f"{away.max()} in {100 * share:.4f} %",
            limit,
            bool(away.max() <= MAX_LEVELS and share < MAX_SHARE),
        )
    ]
    names = {"this": this, "other": other}
    for name, one in names.items():
        whole, resumed = one["whole"], one["resumed"]
        is_same = whole == resumed
        rows.append(
            (
                f"{name}: ten losses and parameters after going on",
                "the same" if is_same else "others",
                "the same bits",
                is_same,
            )
        )
    for name, one, maker in (
        ("this goes on with the other's run", this, other),
        ("the other goes on with this one's run", other, this),
    ):
        worst = loss_difference(one["crossed"]["losses"], maker["whole"]["losses"])
        rows.append(
            (
                f"{name}: losses differ by, relative",
                f"{worst:.1e}",
                f"{MAX_LOSS_DIFFERENCE:g}",
                worst <= MAX_LOSS_DIFFERENCE,
            )
        )
        is_same = one["export"]["digest"] == maker["whole"]["digest"]
        rows.append(
            (
                name.replace("goes on with", "reads").replace("run", "export"),
                "the same" if is_same else "others",
                "the same bits",
                is_same,
            )
        )
    return rows


def loss_difference(a: dict[str, float], b: dict[str, float]) -> float:
    """Return the largest relative difference of losses by step; all must be there."""
    if a.keys() != b.keys():
        return float("inf")
    return max(abs(a[step] - b[step]) / abs(b[step]) for step in a)
