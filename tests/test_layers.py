"""The order of the layers, and names that only one file may use, read with `ast`."""

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
    ("types",),
    ("config",),
    ("arkit",),
    ("geometry", "train.operations", "train.loss_schedule", "train.step_profile"),
    ("train.sharding",),
    ("train.metric_states",),
    ("layers",),
    ("audio",),
    ("media",),
    ("portrait",),
    ("data",),
    ("train.checkpoint", "export"),
    ("train.optimizer", "train.metric_writer"),
    ("train.warm_start",),
    ("face", "motion"),
    ("train.training",),
    ("train.meter",),
    ("train.loop",),
    ("weights", "train"),
    ("face.training", "motion.training"),
    ("animate",),
    ("command",),
    ("__main__",),
    ("encode",),
    ("evaluation",),
)
RANKS = {name: rank for rank, row in enumerate(LAYERS) for name in row}

FORBIDDEN = {
    "jax.tree_map": "jax.tree.map",
    "jax.tree_multimap": "jax.tree.map",
    "jax.pmap": "jax.jit over a mesh",
    "jax.device_put_replicated": "jax.device_put with a sharding",
    "jax.device_put_sharded": "jax.device_put with a sharding",
    "jax.experimental.maps": "jax.shard_map",
    "jax.experimental.pjit": "jax.jit",
    "jax.experimental.shard_map": "jax.shard_map",
    "jax.random.PRNGKey": "jax.random.key",
    "jnp.empty": "jnp.zeros",
    "jnp.swapaxes": "einops.rearrange",
    "jnp.moveaxis": "einops.rearrange",
    "jnp.transpose": "einops.rearrange",
    "nn.BatchNorm": "nn.GroupNorm",
    "pickle": "safetensors or JSON",
    "dill": "safetensors or JSON",
    "cloudpickle": "safetensors or JSON",
    "joblib": "safetensors or JSON",
}

ONLY_HOME = {
    "orbax": "vasa_jax/train/checkpoint.py",
    "jax.make_mesh": "vasa_jax/train/sharding.py",
    "jax.sharding.Mesh": "vasa_jax/train/sharding.py",
    "jax.distributed": "vasa_jax/train/sharding.py",
    "jax.scipy.ndimage": "vasa_jax/geometry.py",
}


def _files(*packages):
    return sorted(path for name in packages for path in (ROOT / name).rglob("*.py"))


def _name(path):
    return path.relative_to(ROOT).as_posix()


@functools.cache
def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _imports(path):
    """Yield every dotted name that a file imports, with its line."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)}:{node.lineno} imports relatively"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


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


@pytest.mark.parametrize("path", _files("vasa_jax"), ids=_name)
def test_every_file_of_vasa_jax_imports_only_from_lower_layers(path):
    module = _name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    if module == "vasa_jax":
        inside = [name for name, _ in _imports(path) if name.startswith("vasa_jax")]
        assert not inside, "vasa_jax/__init__.py imports its modules when first used"
        return
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


@pytest.mark.parametrize("path", _files("vasa_jax"), ids=_name)
def test_vasa_jax_never_imports_datasets_or_experiments(path):
    for name, line in _imports(path):
        top = name.split(".")[0]
        assert top not in ("datasets", "experiments"), f"{_name(path)}:{line}: {name}"


@pytest.mark.parametrize("path", _files("datasets"), ids=_name)
def test_datasets_never_import_experiments_or_models(path):
    above = ("experiments", "vasa_jax.face", "vasa_jax.motion", "vasa_jax.animate")
    for name, line in _imports(path):
        found = [top for top in above if _matches(name, top)]
        assert not found, f"{_name(path)}:{line}: {name}"


@pytest.mark.parametrize("part, other", [("face", "motion"), ("motion", "face")])
def test_face_and_motion_never_import_each_other(part, other):
    for path in _files(f"vasa_jax/{part}"):
        for name, line in _imports(path):
            crosses = _matches(name, f"vasa_jax.{other}")
            assert not crosses, f"{_name(path)}:{line}: {name}"


@pytest.mark.parametrize("path", _files(*PACKAGES), ids=_name)
def test_no_file_uses_a_forbidden_name(path):
    for used, line in _names_used(path):
        for name, better in FORBIDDEN.items():
            found = _matches(used, name)
            assert not found, f"{_name(path)}:{line}: {name}; use {better}"


@pytest.mark.parametrize("path", _files(*PACKAGES), ids=_name)
def test_some_names_have_one_home(path):
    for used, line in _names_used(path):
        for name, home in ONLY_HOME.items():
            strays = (_matches(used, name) or used.endswith(f".{name}")) and _name(
                path
            ) != home
            assert not strays, f"{_name(path)}:{line}: {name} belongs in {home}"


@pytest.mark.parametrize("path", _files(*PACKAGES), ids=_name)
def test_no_file_unpickles_or_catches_everything_or_asserts(path):
    for node in ast.walk(_tree(path)):
        where = f"{_name(path)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            is_off = isinstance(node.value, ast.Constant) and node.value.value is False
            assert is_off, f"{_name(path)}:{node.value.lineno} allows pickles"
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), (
            f"{where} catches everything"
        )
        assert not isinstance(node, ast.Assert), (
            f"{where} asserts; raise UserError or ValueError with a sentence"
        )


@pytest.mark.parametrize("path", _files("vasa_jax"), ids=_name)
def test_only_geometry_samples_jax_arrays_at_grids(path):
    uses_jax = any(_matches(name, "jax") for name, _ in _imports(path))
    if _name(path) == "vasa_jax/geometry.py" or not uses_jax:
        return
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef):
            words = set(node.name.strip("_").split("_"))
            samples = words & {"trilinear", "bilinear", "gridsample"}
            assert not samples, f"{_name(path)}:{node.lineno}: use geometry's samplers"
