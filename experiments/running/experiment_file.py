"""Loads an experiment file: settings by preset, and how to build from them.

An experiment file defines `PRESETS` (names), `get_config(preset)`, which returns a
frozen dataclass, and `build(settings)`, which returns a
`vasa_jax.train.experiment.Experiment`.

Ours: a file by its path, as in big_vision, so that users keep their own beside ours.
"""

import importlib
import importlib.util
import pathlib
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from vasa_jax import config
from vasa_jax.errors import UserError
from vasa_jax.train import experiment

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load(path: str) -> ModuleType:
    """Import an experiment file.

    Args:
        path: such as `experiments/configs/face.py`.

    Returns:
        The module.

    Raises:
        UserError: no such file, or it lacks a function.
    """
    file = pathlib.Path(path).resolve()
    if not file.is_file():
        raise UserError(
            f"There is no experiment file {path!r}; give one such as "
            "experiments/configs/face.py."
        )
    if file.is_relative_to(ROOT) and str(ROOT) in map(_real, sys.path):
        # By its own name, so that its classes are the same wherever it is imported.
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        module = importlib.import_module(name)
    else:
        name = f"experiment_{file.stem}"
        spec = importlib.util.spec_from_file_location(name, file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    for needed in ("PRESETS", "get_config", "build"):
        if not hasattr(module, needed):
            raise UserError(
                f"The experiment file {path!r} does not define {needed}; see "
                "experiments/running/experiment_file.py for what it needs."
            )
    return module


def _real(folder: str) -> str:
    return str(pathlib.Path(folder).resolve())


def settings_of(module: ModuleType, preset: str, changes: Sequence[str]) -> Any:
    """Return the settings of a preset after changes.

    Args:
        module: from `load`.
        preset: one of its `PRESETS`.
        changes: texts such as `optimizer.learning_rate=3e-4`.

    Returns:
        A frozen dataclass.

    Raises:
        UserError: an unknown preset or setting, with the nearest valid name.
    """
    if preset not in module.PRESETS:
        raise config.unknown_name(preset, module.PRESETS, "preset")
    return config.override(module.get_config(preset), changes)


def build(module: ModuleType, settings: Any) -> experiment.Experiment:
    """Build the experiment; see `vasa_jax.train.experiment.Experiment`."""
    make: Callable[[Any], experiment.Experiment] = module.build
    return make(settings)
