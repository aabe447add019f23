"""What the whole repository keeps to: sizes, docstrings, sources, portable paths."""

import ast
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
SOURCES = sorted(
    path
    for package in ("vasa_jax", "datasets", "experiments")
    for path in (ROOT / package).rglob("*.py")
)
SOURCE_WORDS = ("Paper:", "Follows:", "Ours:")
MAX_LINES = 400
MAX_TREE_BYTES = 40 * 2**20


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _public(body):
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [
        node
        for node in body
        if isinstance(node, kinds) and not node.name.startswith("_")
    ]


def _tracked_files():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listing.stdout.split("\0") if name]


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_no_source_file_is_longer_than_400_lines(path):
    num_lines = len(path.read_text(encoding="utf-8").splitlines())
    assert num_lines <= MAX_LINES, f"split {_name(path)}: {num_lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_every_file_says_its_one_idea_in_the_first_line(path):
    docstring = ast.get_docstring(_tree(path)) or ""
    first = docstring.split("\n", 1)[0]
    assert first, f"{_name(path)} has no docstring"
    assert first[-1] in ".?!:", f"{_name(path)}: {first!r} is no sentence"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_every_public_function_and_class_has_a_docstring(path):
    silent = [node.name for node in _public(_tree(path).body) if _is_silent(node)]
    assert not silent, f"{_name(path)}: {', '.join(silent)}"


def _is_silent(node):
    return ast.get_docstring(node) is None


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_every_module_and_loss_names_where_it_comes_from(path):
    source = path.read_text(encoding="utf-8")
    for node in _public(ast.parse(source).body):
        is_module = isinstance(node, ast.ClassDef) and any(
            ast.unparse(base) in ("nn.Module", "linen.Module") for base in node.bases
        )
        is_loss = isinstance(node, ast.FunctionDef) and node.name.endswith("_loss")
        if is_module or is_loss:
            text = ast.get_source_segment(source, node)
            found = any(word in text for word in SOURCE_WORDS)
            assert found, f"{_name(path)}: {node.name} has none of {SOURCE_WORDS}"


def test_the_tracked_tree_is_smaller_than_40_mebibytes():
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
