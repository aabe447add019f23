"""What the whole repository keeps to: sizes, docstrings, sources, portable paths."""

import ast
import functools
import itertools
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGES = ("vasa_jax", "datasets", "experiments")
SOURCES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py")
)
TESTS_OF_MORE = {
    "import_order",
    "repository",
    "docs",
    "time_limit",
    "shipped_checkpoint",
    "motion_golden_step",
    "evaluation_shipped_networks",
}
"""Tests of no single file: of the whole repository and its pages, of weights that ship,
and of how measurements agree."""

SOURCE_WORDS = ("Paper:", "Follows:", "Ours:")
MAX_LINES = 400
MAX_TREE_BYTES = 60 * 2**20


def _name(path):
    return path.relative_to(ROOT).as_posix()


@functools.cache
def _text(path):
    return path.read_text(encoding="utf-8")


def _tracked_files():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listing.stdout.split("\0") if name]


def test_no_source_file_is_longer_than_400_lines():
    counts = {_name(path): len(_text(path).splitlines()) for path in SOURCES}
    long = {name: count for name, count in counts.items() if count > MAX_LINES}
    assert not long, f"split {long}"


def test_every_file_says_its_one_idea_in_the_first_line():
    # That there is a docstring at all, ruff sees (D1).
    for path in SOURCES:
        first = (ast.get_docstring(ast.parse(_text(path))) or "").split("\n", 1)[0]
        assert first[-1:] in (".", "?", "!", ":"), f"{_name(path)}: no sentence"


def test_every_module_and_loss_names_where_it_comes_from():
    for path in SOURCES:
        source = _text(path)
        for node in ast.parse(source).body:
            is_module = isinstance(node, ast.ClassDef) and any(
                ast.unparse(base) in ("nn.Module", "linen.Module")
                for base in node.bases
            )
            is_loss = isinstance(node, ast.FunctionDef) and node.name.endswith("_loss")
            if (is_module or is_loss) and not node.name.startswith("_"):
                text = ast.get_source_segment(source, node)
                found = any(word in text for word in SOURCE_WORDS)
                assert found, f"{_name(path)}: {node.name} has none of {SOURCE_WORDS}"


def test_no_file_lets_numpy_unpickle():
    # Other ways to unpickle, ruff sees (S3, TID251).
    for path in SOURCES:
        for node in ast.walk(ast.parse(_text(path))):
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                is_off = ast.unparse(node.value) == "False"
                assert is_off, f"{_name(path)}:{node.value.lineno} allows pickles"


def test_every_test_is_named_after_what_it_tests():
    known, rooms = _names_of_sources()
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        name = path.stem.removeprefix("test_")
        words = name.split("_")
        # A name, or one and the aspect of it that is tested.
        starts = {"_".join(words[: n + 1]) for n in range(len(words))} - rooms
        assert name in known | TESTS_OF_MORE or starts & known, (
            f"{_name(path)}: name it after a file or folder of the code, such as "
            "test_train_loop or test_train_loop_signals"
        )


def _names_of_sources():
    """Return the names that tests may have, and the rooms that alone say too little."""
    known, rooms = set(), set()
    for package in PACKAGES:
        top = ROOT / package
        for path in top.rglob("*"):
            is_folder = path.is_dir() and any(path.glob("*.*"))
            is_file = path.suffix in (".py", ".sh") and path.stem != "__init__"
            if "__pycache__" in path.parts or not (is_file or is_folder):
                continue
            *above, own = path.relative_to(top).with_suffix("").parts
            # Folders between may be left out, if the name is clear without them.
            for count in range(len(above) + 1):
                for chosen in itertools.combinations(above, count):
                    known.add("_".join((*chosen, own)))
            if is_folder and not above and package != "experiments":
                rooms.add(own)
    return known, rooms


def test_the_tracked_tree_is_smaller_than_60_mebibytes():
    total = sum(path.stat().st_size for path in _tracked_files() if path.is_file())
    assert total < MAX_TREE_BYTES, f"{total / 2**20:.1f} MiB are tracked"


def test_no_tracked_text_names_a_place_on_one_machine_or_leaves_work_undone():
    forbidden = [
        "/".join(("", "work", "")),
        "/".join(("", "root", "")),
        "/".join(("", "tmp", "v", "")),
        "/".join(("", "tmp", "team")),
        "TO" + "DO",
        "FIX" + "ME",
        "index" + "-url",
    ]
    for path in _tracked_files():
        is_text = path.suffix in (".py", ".md", ".cfg", ".toml", ".txt", ".sh", "")
        if not is_text or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        found = [word for word in forbidden if word in text]
        assert not found, f"{_name(path)} names {found}"


def test_import_vasa_jax_imports_no_other_module():
    program = (
        "import sys; before = set(sys.modules); import vasa_jax; "
        "new = {name.split('.')[0] for name in set(sys.modules) - before}; "
        "print(*sorted(new & {'jax', 'flax', 'numpy', 'orbax', 'av'})); "
        "print(*dir(vasa_jax))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    heavy, names = printed.stdout.splitlines()
    assert heavy == ""
    assert names.split() == ["FaceModel", "MotionDenoiser", "TalkingFace", "load"]


def test_every_public_name_of_vasa_jax_can_be_used():
    import vasa_jax

    for name in vasa_jax.__all__:
        assert callable(getattr(vasa_jax, name))
    with pytest.raises(AttributeError, match="no attribute 'unknown'"):
        vasa_jax.unknown  # noqa: B018


def _python(path, version):
    """Write a program that answers as a Python of some version does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)


def test_make_notices_that_another_python_has_made_the_environment(tmp_path):
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    for name in ("setup.cfg", "requirements.txt", ".venv/created"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    _python(tmp_path / ".venv/bin/python", "3.11")
    _python(tmp_path / "newer", "3.13")
    # What was set for a make around the tests would reach this one.
    inherited = {"PYTHON", "VENV", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS"}
    environment = {name: os.environ[name] for name in os.environ.keys() - inherited}

    def make(*words):
        return subprocess.run(
            ["make", f"--makefile={ROOT / 'Makefile'}", *words, ".venv/same"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    done = make("PYTHON=./newer")
    assert done.returncode == 2
    assert ".venv was made by Python 3.11, and PYTHON=./newer is Python 3.13: " in (
        done.stderr
    )
    assert make("PYTHON=.venv/bin/python").returncode == 0
    # Nobody has asked for another.
    assert make().returncode == 0
