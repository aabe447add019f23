"""The order of the layers, the walls between rooms, and names with one home.

What ruff can see (banned names, blind excepts, asserts, relative imports) is in
ruff.toml.
"""

import ast
import functools
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGES = ("vasa_jax", "datasets", "experiments")

# Lowest first; a file imports only from layers before its own, or from its own
# package. The names of one row do not know each other.
LAYERS = (
    ("errors", "kept_programs", "compilation_cache"),
    ("container", "weights_files"),
    ("types", "older_settings", "older_parameters"),
    ("config",),
    ("arkit",),
    ("geometry",),
    ("train.operations", "train.metric_states", "train.task"),
    ("train.step_profile", "train.stop_signal", "train.processes", "train.sharding"),
    ("layers",),
    ("audio",),
    ("speech",),
    ("media",),
    ("provenance",),
    ("portrait",),
    ("data",),
    ("train.checkpoint", "export"),
    ("train.optimizer", "train.metric_writer", "train.warm_start"),
    ("face", "motion"),
    ("train.batch_names",),
    ("train.experiment",),
    ("train.state",),
    ("train.step", "train.evaluator"),
    ("train.meter",),
    ("train.loop",),
    ("weights", "train"),
    ("face.training", "motion.training"),
    ("animate",),
    ("live",),
    ("command",),
    ("__main__",),
    ("encode",),
    ("evaluation",),
)
RANKS = {name: rank for rank, row in enumerate(LAYERS) for name in row}

ONLY_HOME = {
    "orbax": "vasa_jax/train/checkpoint.py",
    "jax.make_mesh": "vasa_jax/train/sharding.py",
    "jax.sharding.Mesh": "vasa_jax/train/sharding.py",
    "jax.distributed": "vasa_jax/train/processes.py",
    "jax.scipy.ndimage": "vasa_jax/geometry.py",
}


WALLS = (
    ("vasa_jax", ("datasets", "experiments")),
    ("datasets", ("experiments", "vasa_jax.face", "vasa_jax.motion")),
    ("datasets", ("vasa_jax.animate", "vasa_jax.train", "vasa_jax.evaluation")),
    ("datasets/building", ("datasets.synthetic_heads", "datasets.photo_heads")),
    ("datasets/building", ("datasets.video_clips", "datasets.published_sets")),
    ("datasets/published_sets", ("datasets.video_clips", "datasets.synthetic_heads")),
    (
        "datasets/published_sets",
        ("vasa_jax.portrait", "vasa_jax.media", "vasa_jax.audio"),
    ),
    ("vasa_jax/face", ("vasa_jax.motion",)),
    ("vasa_jax/motion", ("vasa_jax.face",)),
    ("vasa_jax/face/shortcut", ("vasa_jax.face.losses", "vasa_jax.face.training")),
    ("vasa_jax/face/losses", ("vasa_jax.face.shortcut", "vasa_jax.face.training")),
    ("vasa_jax/face/losses", ("vasa_jax.face.model",)),
    ("vasa_jax/motion/shaping", ("vasa_jax.motion.model", "vasa_jax.motion.training")),
    ("experiments/running", ("experiments.configs", "experiments.tools")),
    ("experiments/configs", ("experiments.tools",)),
)
"""What the files of a folder may never import, beside the order of the layers."""

ONLY_USED_BY = (
    # Networks know no losses, and what `vasa1` leaves out comes in at two places.
    (
        "vasa_jax.face.losses",
        (
            "vasa_jax/face/training.py",
            "vasa_jax/face/distillation.py",
            "vasa_jax/face/encoder_training.py",
            "vasa_jax/face/scene.py",
            "vasa_jax/face/validation.py",
            "vasa_jax/evaluation/",  # measures by the same frozen networks
            "experiments/configs/",
        ),
    ),
    (
        "vasa_jax.face.shortcut",
        (
            "vasa_jax/face/decoder.py",
            "vasa_jax/face/model.py",
            "vasa_jax/face/drawing/",
            "vasa_jax/face/training.py",
        ),
    ),
    # The paper's path knows of shaping its settings alone: sampling applies it, in the
    # model of one window and in `animate` over windows.
    (
        "vasa_jax.motion.shaping",
        ("vasa_jax/motion/model.py", "vasa_jax/animate/", "vasa_jax/evaluation/"),
    ),
)
"""A room, and the files that may import from it."""

DOORS = {
    # Whether lips and voice belong together is told by the network that scores it.
    "datasets/video_clips/lip_match.py": (
        "vasa_jax.evaluation.metrics.lip_synchrony",
        "vasa_jax.evaluation.networks.contrastive",
        "vasa_jax.evaluation.networks.lip_sync",
    ),
    "vasa_jax/motion/training.py": ("vasa_jax.motion.shaping.config",),
    "experiments/configs/motion.py": ("vasa_jax.motion.shaping.config",),
    # What is measured of training clips as a condition is measured by the same rule.
    "vasa_jax/motion/normalization.py": ("vasa_jax.motion.shaping.liveliness",),
    "vasa_jax/motion/windows.py": ("vasa_jax.motion.shaping.liveliness",),
}
"""Exact imports that a file may have all the same."""


def _files(*packages):
    return sorted(path for name in packages for path in (ROOT / name).rglob("*.py"))


def _name(path):
    return path.relative_to(ROOT).as_posix()


@functools.cache
def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@functools.cache
def _imports(path):
    """Return every dotted name that a file imports, with its line."""
    found = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found.append((f"{node.module}.{alias.name}", node.lineno))
    return found


def _names_used(path):
    """Yield every import and every dotted name in the code, with its line."""
    yield from _imports(path)
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute):
            parts, inner = [node.attr], node.value
            while isinstance(inner, ast.Attribute):
                parts.append(inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name):
                yield ".".join([inner.id, *reversed(parts)]), node.lineno


def _layer(dotted):
    """Return the layer that a module of vasa_jax belongs to."""
    parts = dotted.split(".")[1:]
    longer = ".".join(parts[:2])
    return longer if longer in RANKS else parts[0]


def _matches(used, name):
    return used == name or used.startswith(name + ".")


def test_every_file_of_vasa_jax_imports_only_from_lower_layers():
    for path in _files("vasa_jax"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        module = module.removesuffix(".__init__")
        if module == "vasa_jax":
            inside = [name for name, _ in _imports(path) if name.startswith("vasa_jax")]
            assert not inside, (
                "vasa_jax/__init__.py imports its modules when first used"
            )
            continue
        own = _layer(module)
        assert own in RANKS, f"{_name(path)} is in no layer: add '{own}' to LAYERS"
        for name, line in _imports(path):
            if not name.startswith("vasa_jax."):
                continue
            other = _layer(name)
            where = f"{_name(path)}:{line}"
            assert other in RANKS, f"{where} imports {name}, which is in no layer"
            allowed = other == own or RANKS[other] < RANKS[own]
            assert allowed, f"{where}: layer '{own}' may not import from '{other}'"


@pytest.mark.parametrize("place, forbidden", WALLS)
def test_walls_between_rooms_hold(place, forbidden):
    for path in _files(place):
        for name, line in _imports(path):
            crosses = any(_matches(name, one) for one in forbidden)
            is_door = any(_matches(name, door) for door in DOORS.get(_name(path), ()))
            assert not crosses or is_door, f"{_name(path)}:{line}: {name}"


@pytest.mark.parametrize("room, users", ONLY_USED_BY)
def test_a_room_is_used_by_those_alone_that_are_meant_to(room, users):
    inside = room.replace(".", "/")
    for path in _files(*PACKAGES):
        name = _name(path)
        if name.startswith((inside, *users)):
            continue
        for imported, line in _imports(path):
            is_door = any(_matches(imported, door) for door in DOORS.get(name, ()))
            assert is_door or not _matches(imported, room), f"{name}:{line}: {imported}"


def test_some_names_have_one_home():
    for path in _files(*PACKAGES):
        for used, line in _names_used(path):
            for name, home in ONLY_HOME.items():
                is_it = _matches(used, name) or used.endswith(f".{name}")
                strays = is_it and _name(path) != home
                assert not strays, f"{_name(path)}:{line}: {name} belongs in {home}"


def test_only_geometry_samples_jax_arrays_at_grids():
    for path in _files("vasa_jax"):
        uses_jax = any(_matches(name, "jax") for name, _ in _imports(path))
        if _name(path) == "vasa_jax/geometry.py" or not uses_jax:
            continue
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.FunctionDef):
                words = set(node.name.strip("_").split("_"))
                samples = words & {"trilinear", "bilinear", "gridsample"}
                assert not samples, f"{_name(path)}:{node.lineno}: use geometry's"
