"""Writes metrics as JSON lines, with TensorBoard curves beside them.

Ours: JSON lines are the record (they can be read by anything and truncated on resume);
curves need the extra `train` (tensorboardX) and are left out without it.
"""

import importlib.util
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

FILE_NAME = "metrics.jsonl"


class MetricWriter:
    """Appends one line per log step; lines after the resumed step are dropped first.

    Args:
        folder: where `metrics.jsonl` and `tensorboard/` go; None writes nothing (the
            processes other than the first).
        start_step: the step that the run starts from.
    """

    def __init__(self, folder: str | os.PathLike | None, start_step: int = 0):
        self._file = None
        self._curves: Any = None
        if folder is None:
            return
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE_NAME
        if path.exists():
            kept = [row for row in read_metrics(path) if row["step"] <= start_step]
            beside = path.with_suffix(".writing")
            beside.write_text("".join(json.dumps(row) + "\n" for row in kept))
            beside.rename(path)
        self._file = path.open("a", encoding="utf-8")
        if importlib.util.find_spec("tensorboardX"):
            import tensorboardX  # of the extra `train`

            self._curves = tensorboardX.SummaryWriter(
                str(folder / "tensorboard"), purge_step=start_step or None
            )

    def __enter__(self) -> "MetricWriter":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write one line, or none where there are no metrics.

        Args:
            step: number of steps done.
            metrics: numbers by name.
        """
        if self._file is None or not metrics:
            return
        row = {"step": step, **{k: round_number(v) for k, v in metrics.items()}}
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
        if self._curves is not None:
            for name, value in metrics.items():
                self._curves.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left and close the files."""
        if self._file is not None:
            self._file.close()
        if self._curves is not None:
            self._curves.close()


def round_number(value: float) -> float:
    """Keep six significant digits, as float32 has hardly more."""
    return float(f"{float(value):.6g}")


def read_metrics(path: str | os.PathLike) -> list[dict[str, Any]]:
    """Read JSON lines; a last line that a killed process cut off is left out.

    Args:
        path: of `metrics.jsonl`.

    Returns:
        One dict per line, with `step`.
    """
    rows = []
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows
