"""Settings as frozen dataclasses: overrides by name, checks, JSON in and out.

A configuration is a `@dataclasses.dataclass(frozen=True, kw_only=True)` whose fields
are bool, int, float, str, `Literal`, tuples of these, other configurations, or one of
them or None (None means off).

Follows: the house rule that a preset is a function and a variant a `replace`; Ours:
overrides are checked against the type annotations before anything compiles, because a
misspelt setting must fail in the first second.
"""

import dataclasses
import difflib
import json
import types
import typing
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from vasa_jax.errors import UserError

Config = TypeVar("Config")

_TRUE_WORDS = ("true", "yes", "on", "1")
_FALSE_WORDS = ("false", "no", "off", "0")
_NONE_WORDS = ("none", "null")

# The names still to go down, the value's text, and the whole path for messages.
_Change = tuple[list[str], str, str]


def require(condition: bool, sentence: str) -> None:
    """Raise `UserError(sentence)` unless the condition holds.

    Args:
        condition: what must be true of a setting.
        sentence: what was given, what is allowed and how to mend it.

    Raises:
        UserError: the condition is false.
    """
    if not condition:
        raise UserError(sentence)


def require_positive(config: Any, *names: str) -> None:
    """Check that the named number fields are above zero; None passes.

    Raises:
        UserError: a field is zero or negative.
    """
    for name in names:
        value = getattr(config, name)
        require(
            value is None or value > 0,
            f"{type(config).__name__}.{name} is {value}; give a number above 0.",
        )


def require_fraction(config: Any, *names: str) -> None:
    """Check that the named number fields lie in [0, 1]; None passes.

    Raises:
        UserError: a field lies outside.
    """
    for name in names:
        value = getattr(config, name)
        require(
            value is None or 0 <= value <= 1,
            f"{type(config).__name__}.{name} is {value}; give a number from 0 to 1.",
        )


def require_within(config: Any, **ranges: tuple[float, float]) -> None:
    """Check that number fields lie in ranges, both ends included.

    Raises:
        UserError: a field lies outside.
    """
    for name, (low, high) in ranges.items():
        value = getattr(config, name)
        require(
            low <= value <= high,
            f"{name} is {value}; choose a value from {low} to {high}.",
        )


def unknown_name(given: str, allowed: Iterable[str], kind: str) -> UserError:
    """Make the error for an unknown name, with the nearest valid one.

    Args:
        given: the name that was given.
        allowed: the names that there are.
        kind: what is named, such as "setting" or "preset".

    Returns:
        The exception, for the caller to raise.
    """
    allowed = sorted(allowed)
    nearest = difflib.get_close_matches(given, allowed, n=1, cutoff=0.0)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return UserError(
        f"Unknown {kind} {given!r}; {hint}Allowed: {', '.join(allowed) or 'none'}."
    )


def override(config: Config, settings: Iterable[str]) -> Config:
    """Replace fields of a configuration by `path=value` texts; the last one wins.

    Numbers in a path choose an element of a tuple (`layers.0.width=8`). A tuple is
    written with commas (`sizes=64,32`), one of configurations as JSON
    (`rates=[{"path": "stem", "learning_rate": null}]`), an absent value as `none`.

    Args:
        config: any configuration.
        settings: texts such as `optimizer.learning_rate=3e-4`.

    Returns:
        A new configuration; its `__post_init__` has checked it.

    Raises:
        UserError: no `=`, an unknown name (with the nearest valid one), a constant of
            the class, or a value that does not fit the field's type.
    """
    changes = []
    for setting in settings:
        path, equals, text = setting.partition("=")
        require(
            bool(equals and path.strip()),
            f"The setting {setting!r} has no '='; write it as name=value.",
        )
        changes.append((path.strip().split("."), text.strip(), path.strip()))
    return _replace(config, type(config), changes) if changes else config


def to_json(config: Any) -> str:
    """Write a configuration as indented JSON; `from_json` reads it back equal."""
    return json.dumps(dataclasses.asdict(config), indent=2)


def from_json(cls: type[Config], text: str) -> Config:
    """Read a configuration as `to_json` wrote it.

    Args:
        cls: the configuration's class.
        text: JSON; fields that are left out take their defaults.

    Returns:
        The configuration, checked by its `__post_init__`.

    Raises:
        UserError: not JSON, an unknown or missing field, or a value that does not fit.
    """
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(
            f"The {cls.__name__} settings are not JSON ({error}); write them with "
            "to_json."
        ) from error
    return _from_plain(cls, values, cls.__name__)


def _refuse_constant(value: Any, name: str, path: str) -> None:
    """Refuse a setting that is a `ClassVar` of a configuration, hence a constant."""
    cls = type(value)
    if typing.get_origin(typing.get_type_hints(cls).get(name)) is typing.ClassVar:
        raise UserError(
            f"The setting {path!r} cannot be changed: {name!r} is a constant of "
            f"{cls.__name__} ({getattr(cls, name)!r}); edit it in {cls.__module__}."
        )


def _fields(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls) if f.init}


def _split_optional(annotation: Any) -> tuple[list[Any], bool]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        options = typing.get_args(annotation)
        return [o for o in options if o is not type(None)], type(None) in options
    return [annotation], False


def _replace(value: Any, annotation: Any, changes: Sequence[_Change]) -> Any:
    """Apply all changes below a value at once, so that checks see them together."""
    leaves = [change for change in changes if not change[0]]
    if leaves:
        _, text, path = leaves[-1]
        return _from_text(annotation, text, path)
    options, _ = _split_optional(annotation)
    if value is None and dataclasses.is_dataclass(options[0]):
        value = options[0]()
    if isinstance(value, tuple):
        kind = "element"
        elements = _element_annotations(options[0], len(value))
        fields = {str(i): element for i, element in enumerate(elements)}
    elif dataclasses.is_dataclass(value):
        kind = "setting"
        fields = _fields(type(value))
        for names, _, path in changes:
            _refuse_constant(value, names[0], path)
    else:
        path = changes[0][2]
        raise UserError(
            f"The setting {path!r} goes below a plain value; "
            f"leave out {'.'.join(changes[0][0])!r}."
        )
    below: dict[str, list[_Change]] = {}
    for names, text, path in changes:
        if names[0] not in fields:
            raise unknown_name(names[0], fields, f"{kind} in {path!r}:")
        below.setdefault(names[0], []).append((names[1:], text, path))
    if isinstance(value, tuple):
        return tuple(
            _replace(element, fields[str(i)], below[str(i)])
            if str(i) in below
            else element
            for i, element in enumerate(value)
        )
    changed = {
        name: _replace(getattr(value, name), fields[name], inner)
        for name, inner in below.items()
    }
    return dataclasses.replace(value, **changed)


def _element_annotations(annotation: Any, length: int) -> list[Any]:
    arguments = typing.get_args(annotation) or (str, ...)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return [arguments[0]] * length
    return list(arguments)


def _misfit(path: str, given: Any, allowed: str) -> UserError:
    return UserError(f"The setting {path!r} is {given!r}; give {allowed}.")


def _describe(annotation: Any) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return "one of " + ", ".join(map(repr, typing.get_args(annotation)))
    return {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "a text",
    }.get(annotation, str(annotation))


def _from_text(annotation: Any, text: str, path: str) -> Any:
    """Read a value of the annotated type from the text of an override."""
    options, is_optional = _split_optional(annotation)
    if is_optional and text.lower() in _NONE_WORDS:
        return None
    for option in options:
        if typing.get_origin(option) is tuple or option is tuple:
            if any(dataclasses.is_dataclass(part) for part in typing.get_args(option)):
                return _groups_from_text(option, text, path)
            parts = [p.strip() for p in text.strip("()[] ").split(",") if p.strip()]
            elements = _element_annotations(option, len(parts))
            if len(elements) != len(parts):
                raise _misfit(path, text, f"{len(elements)} values with commas")
            return tuple(
                _from_text(element, part, path)
                for element, part in zip(elements, parts, strict=True)
            )
        if dataclasses.is_dataclass(option):
            names = ", ".join(f"{path}.{name}" for name in _fields(option))
            raise UserError(f"The setting {path!r} is a group; set one of {names}.")
        try:
            return _scalar_from_text(option, text)
        except ValueError:
            continue
    allowed = " or ".join(_describe(option) for option in options)
    raise _misfit(path, text, allowed + (" or none" if is_optional else ""))


def _groups_from_text(annotation: Any, text: str, path: str) -> Any:
    """Read a tuple of configurations, which is written as JSON."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise _misfit(path, text, 'JSON, such as [{"name": value}] or []') from error
    return _from_plain(annotation, value, path)


def _scalar_from_text(annotation: Any, text: str) -> Any:
    if annotation is bool:
        if text.lower() in _TRUE_WORDS + _FALSE_WORDS:
            return text.lower() in _TRUE_WORDS
        raise ValueError(text)
    if annotation is int:
        number = float(text) if "e" in text.lower() else int(text)
        if number != int(number):
            raise ValueError(text)
        return int(number)
    if annotation is float:
        return float(text)
    if typing.get_origin(annotation) is typing.Literal:
        for choice in typing.get_args(annotation):
            if str(choice) == text:
                return choice
        raise ValueError(text)
    return text


def _from_plain(annotation: Any, value: Any, path: str) -> Any:
    """Build a value of the annotated type from parsed JSON."""
    options, is_optional = _split_optional(annotation)
    if value is None and is_optional:
        return None
    for option in options:
        if dataclasses.is_dataclass(option) and isinstance(value, dict):
            return _dataclass_from_plain(option, value, path)
        if typing.get_origin(option) is tuple or option is tuple:
            if isinstance(value, list):
                elements = _element_annotations(option, len(value))
                if len(elements) != len(value):
                    raise _misfit(path, value, f"{len(elements)} values")
                return tuple(
                    _from_plain(element, part, f"{path}.{index}")
                    for index, (element, part) in enumerate(
                        zip(elements, value, strict=True)
                    )
                )
        elif typing.get_origin(option) is typing.Literal:
            if value in typing.get_args(option):
                return value
        elif option is float and type(value) in (int, float):
            return float(value)
        elif type(value) is option:
            return value
    allowed = " or ".join(_describe(option) for option in options)
    raise _misfit(path, value, allowed + (" or null" if is_optional else ""))


def _dataclass_from_plain(cls: type, values: dict[str, Any], path: str) -> Any:
    fields = _fields(cls)
    for name in values:
        if name not in fields:
            raise unknown_name(name, fields, f"setting in {path!r}:")
    arguments = {
        name: _from_plain(fields[name], value, f"{path}.{name}")
        for name, value in values.items()
    }
    missing = [
        f.name
        for f in dataclasses.fields(cls)
        if f.init
        and f.name not in arguments
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    require(
        not missing,
        f"The settings of {path!r} lack {', '.join(missing)}; add them.",
    )
    return cls(**arguments)
