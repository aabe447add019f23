"""README and docs/ name files, anchors, programs, flags and settings that there are."""

import ast
import configparser
import functools
import pathlib
import re
import shlex
import types

import numpy as np
import pytest

from experiments.running import experiment_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
MAX_README_BYTES = 9000
PAGES = sorted((ROOT / "docs").rglob("*.md"))
TEXTS = [README, ROOT / "CHANGELOG.md", *PAGES]

# Pages on what was, which name things as they were then.
PAST = ("docs/log/", "docs/results/", "docs/upgrading.md")
PRESENT = [
    page
    for page in [README, *PAGES]
    if not page.relative_to(ROOT).as_posix().startswith(PAST)
]
PACKAGES = ("vasa_jax", "datasets", "experiments")


def _name(path):
    return path.relative_to(ROOT).as_posix()


@functools.cache
def _read(path):
    return path.read_text(encoding="utf-8")


def _prose(path):
    """Return a page without its blocks of code."""
    return re.sub(r"```.*?```", "", _read(path), flags=re.S)


def _blocks(path, language):
    return re.findall(rf"```{language}\n(.*?)```", _read(path), re.S)


def test_the_readme_is_short():
    size = README.stat().st_size
    assert size <= MAX_README_BYTES, f"{size} bytes; put what is long into docs/"


# Links.


def _anchors(path):
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", _prose(path), re.M)
    plain = [re.sub(r"\[(.*?)\]\(.*?\)", r"\1", h).lower() for h in headings]
    return {re.sub(r"[^\w\- ]", "", h).strip().replace(" ", "-") for h in plain}


def _links(path):
    targets = re.findall(r"\]\(([^)\s]+)\)", _prose(path))
    return [t for t in targets if not re.match(r"[a-z]+:", t)]


def test_anchors_are_made_as_github_makes_them(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A title\n## What's `x_y`, and why?\n```sh\n# no heading\n```\n")
    assert _anchors(page) == {"a-title", "whats-x_y-and-why"}


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_links_lead_to_files_and_headings_that_exist(path):
    for link in _links(path):
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), f"{_name(path)} links to {link}"
        assert not anchor or anchor in _anchors(file), f"{_name(path)}: {link}"


def test_every_page_is_linked_to_from_another():
    linked = {
        (path.parent / link.partition("#")[0]).resolve()
        for path in TEXTS
        for link in _links(path)
    }
    lost = [_name(page) for page in PAGES if page not in linked]
    assert not lost


# Files and modules.


@pytest.mark.parametrize("path", PRESENT, ids=_name)
def test_files_that_pages_name_exist(path):
    roots = "|".join((*PACKAGES, "tests", "docs", "examples"))
    named = re.findall(rf"(?<![\w/.])(?:{roots})/[\w/.-]*[\w/]", _read(path))
    lost = sorted({name for name in named if not (ROOT / name).exists()})
    assert not lost


def _find_module(dotted):
    """Return the file of the longest module that a dotted name begins with."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        base = ROOT.joinpath(*parts[:length])
        if base.with_suffix(".py").is_file():
            return base.with_suffix(".py"), parts[length:]
        if base.is_dir():
            return base / "__init__.py", parts[length:]
    return None, parts


def _is_known(dotted):
    file, rest = _find_module(dotted)
    if file is None:
        return False
    return not rest or (
        file.is_file() and re.search(rf"\b{rest[0]}\b", _read(file)) is not None
    )


def test_dotted_names_are_looked_up_in_their_module():
    assert _is_known("vasa_jax.audio")
    assert _is_known("vasa_jax.types.HeadPose")
    assert not _is_known("vasa_jax.types.NoSuchThing")
    assert not _is_known("experiments.no_such_program")


@pytest.mark.parametrize("path", PRESENT, ids=_name)
def test_modules_that_pages_name_exist(path):
    roots = "|".join(PACKAGES)
    named = re.findall(rf"(?<![\w/.-])(?:{roots})(?:\.\w+)+", _read(path))
    lost = sorted({name for name in named if not _is_known(name)})
    assert not lost


# The page on upgrading, whose left-hand columns name what was.


def _rows(text):
    """Yield what was, what is, and the package that the heading of the latter names."""
    package = ""
    for line in text.splitlines():
        old, _, new = line.strip("| ").partition(" | ")
        if old == "0.1":
            package = "".join(re.findall(r"`([\w.]+)`", new))
        elif line.startswith("| "):
            yield old, new, package


def _unknown_of_today(text):
    """Return what right-hand columns name and is not there.

    A name that begins with a point lies in, or beside, what was named before it.
    """
    unknown = []
    for old, new, package in _rows(text):
        before = re.search(r"[\w.]*\w|$", old)[0]
        for name in re.findall(r"(?<=`)(?!vasa )\.?\w[\w./]*", new):
            if name.startswith("."):
                full = [before + name, before.rpartition(".")[0] + name]
            else:
                full, before = [name], name
            full += [f"{package}.{one}" for one in full]
            if not any(map(_is_there, full)):
                unknown.append(name)
        if room := re.search(r"the same names in `([\w.]+)`", new):
            for name in re.findall(r"`[\w.]*?(\w+)`", old):
                full = f"{room[1]}.{name}"
                if not any(map(_is_there, (full, f"{package}.{full}"))):
                    unknown.append(name)
    return unknown


def _is_there(name):
    """Tell whether a file, a module or what it defines, or a setting is there."""
    if "/" in name:
        return (ROOT / name).exists()
    return _is_known(name) or any(
        _has_setting(name, file) for file in ("face", "motion")
    )


@functools.cache
def _settings(file):
    path = ROOT / "experiments" / "configs" / f"{file}.py"
    return experiment_file.load(str(path)).get_config("demo")


def _has_setting(name, file):
    value = _settings(file)
    for part in name.split("."):
        if not hasattr(value, part):
            return False
        value = getattr(value, part)
    return True


def test_names_of_today_are_told_from_those_of_yesterday():
    head = "| 0.1 | 0.2 |\n|---|---|\n"
    assert not _unknown_of_today(head + "| `vasa_jax.old` | `vasa_jax.train.loop` |")
    assert not _unknown_of_today(
        head + "| `old` | `shaping.lip_noise`, `.liveliness` |"
    )
    assert not _unknown_of_today(
        head + "| `vasa_jax.old.loop`, `.step` | the same names in `vasa_jax.train` |"
    )
    for row, lost in {
        "| `a` | `vasa_jax.no_such_room` |": ["vasa_jax.no_such_room"],
        "| `a` | `vasa_jax.train.loop`, `.no_such_file` |": [".no_such_file"],
        "| `a` | `face_loss.no_such_weight=0` |": ["face_loss.no_such_weight"],
        "| `a` | `experiments/no_such.sh` |": ["experiments/no_such.sh"],
        "| `a.lost` | the same names in `vasa_jax.train` |": ["lost"],
    }.items():
        assert _unknown_of_today(head + row) == lost


def test_what_upgrading_names_in_right_hand_columns_is_there():
    text = _read(ROOT / "docs" / "upgrading.md")
    modules = text.split("## Settings")[0].count("`vasa_jax.")
    assert modules > 20
    assert _unknown_of_today(text.split("## Where pages went")[0]) == []


# Commands.


def _commands(path):
    """Return the commands of a page, each as its words, from blocks and from prose."""
    texts = _blocks(path, "sh")
    inline = re.findall(r"`((?:python -m|vasa|make|bash) [^`]+)`", _prose(path))
    texts += [" ".join(text.split()) for text in inline]
    commands = []
    for text in texts:
        words = shlex.shlex(_ended(text), posix=True, punctuation_chars=";&|")
        words.commenters = ""
        words.whitespace_split = True
        command = []
        for word in words:
            if set(word) <= set(";&|"):
                commands.append(command)
                command = []
            else:
                command.append(word)
        commands.append(command)
    return [command for command in commands if command]


def _ended(text):
    """Drop comments, and end commands by semicolons where their lines end."""
    text = re.sub(r"(^|\s)#.*", "", text).replace("\\\n", " ")
    # A quoted text may have several lines.
    return re.sub(r"('[^']*')|\n", lambda found: found[1] or ";", text)


ALL_COMMANDS = [(path, words) for path in PRESENT for words in _commands(path) if words]


def _label(value):
    return _name(value) if isinstance(value, pathlib.Path) else " ".join(value)[:60]


def _programs():
    """Yield page, module and arguments of each `python -m` of this repository."""
    for path, words in ALL_COMMANDS:
        while words and re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        is_module = words[:2] == ["python", "-m"]
        if is_module and words[2].split(".")[0] in PACKAGES:
            yield path, words[2], words[3:]


PROGRAMS = list(_programs())


@functools.cache
def _flags(file):
    """Return the flags that a program's file defines, or a file that it imports."""
    found, todo = set(), [file]
    seen = set(todo)
    while todo:
        tree = ast.parse(_read(todo.pop()))
        for node in ast.walk(tree):
            found |= _defined(node)
            for dotted in _imported(node):
                module, _ = _find_module(dotted)
                is_ours = module is not None and module.is_file()
                if is_ours and module not in seen:
                    seen.add(module)
                    todo.append(module)
    return found


def _defined(node):
    if not isinstance(node, ast.Call):
        return set()
    texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
    texts = [text for text in texts if isinstance(text, str)]
    called = ast.unparse(node.func)
    if "DEFINE_" in called and texts:
        switch = {f"no{texts[0]}"} if called.endswith("DEFINE_bool") else set()
        return {texts[0]} | switch
    return {text.lstrip("-") for text in texts if re.fullmatch(r"--?\w[\w-]*", text)}


def _imported(node):
    if isinstance(node, ast.ImportFrom) and node.module:
        if node.module.split(".")[0] in PACKAGES:
            return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def test_flags_of_imported_files_count():
    known = _flags(ROOT / "experiments" / "train.py")
    assert {"config", "workdir", "dry_run", "nodry_run", "set"} <= known
    assert "no_such_flag" not in known


def test_pages_hold_programs():
    assert len(PROGRAMS) > 20


@pytest.mark.parametrize(("page", "module", "arguments"), PROGRAMS, ids=_label)
def test_programs_and_their_flags_exist(page, module, arguments):
    file, rest = _find_module(module)
    assert file is not None and not rest, f"{_name(page)}: no {module}"
    if file.name == "__init__.py":
        file = file.with_name("__main__.py")
    assert file.is_file(), f"{_name(page)}: {module} is no program"
    given = {a.lstrip("-").partition("=")[0] for a in arguments if a.startswith("-")}
    assert given <= _flags(file), f"{_name(page)}: {given - _flags(file)}"


def test_commands_of_vasa_and_their_flags_exist():
    commands = [words[1:] for _, words in ALL_COMMANDS if words[0] == "vasa"]
    assert commands
    for name, *arguments in commands:
        file = ROOT / "vasa_jax" / "command" / f"{name}.py"
        assert file.is_file(), f"no vasa {name}"
        given = {a.lstrip("-").partition("=")[0] for a in arguments if a[0] == "-"}
        assert given <= _flags(file) | {"help"}, f"vasa {name}: {given}"


def test_presets_and_settings_of_trainings_exist():
    checked = 0
    for _page, _, arguments in PROGRAMS:
        given = dict(a[2:].partition("=")[::2] for a in arguments if "=" in a)
        if "preset" in given and given.get("config", "").endswith(".py"):
            changes = [a[len("--set=") :] for a in arguments if a.startswith("--set=")]
            module = experiment_file.load(str(ROOT / given["config"]))
            # A mistake raises `UserError`, which names what is allowed.
            experiment_file.settings_of(module, given["preset"], changes)
            checked += 1
    assert checked > 5


@pytest.mark.parametrize("path", PRESENT, ids=_name)
def test_targets_of_make_and_extras_of_pip_exist(path):
    targets = set(re.findall(r"^([\w-]+):", _read(ROOT / "Makefile"), re.M))
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = set(setup["options.extras_require"])
    for words in _commands(path):
        if words[0] == "make":
            assert set(words[1:]) <= targets, words
    for listed in re.findall(r'"(?:\.|vasa_jax)\[([\w,]+)\]"', _read(path)):
        assert set(listed.split(",")) <= extras, listed


@pytest.mark.parametrize("path", PRESENT, ids=_name)
def test_python_in_pages_compiles_and_imports_what_there_is(path):
    for block in _blocks(path, "python"):
        tree = ast.parse(block)
        for node in ast.walk(tree):
            for dotted in _imported(node):
                assert _is_known(dotted), f"{_name(path)}: {dotted}"


def test_the_metric_of_the_evaluation_page_measures():
    (example,) = _blocks(ROOT / "docs" / "evaluation.md", "python")
    names = {}
    exec(example, names)
    mouth, present = np.array([0.1, 0.5, 0.9]), np.array([True, True, False])
    face = types.SimpleNamespace(mouth_aperture=mouth, present=present)
    measured = names["MouthRange"]().measure(types.SimpleNamespace(face=face), None)
    assert measured.scores["mouth_range"][:2] == (0.5, 0.0)
