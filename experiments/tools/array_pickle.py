"""Reads nested dicts of numpy arrays out of a pickle without running it.

Ours: a pickle is a program; here its operations are only listed, and those that build
dicts and arrays of numbers are followed. Anything else is refused.
"""

import dataclasses
import pickletools
import re
from typing import Any

import numpy as np

from vasa_jax import errors

_ARRAY_MAKERS = (
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
)
_DTYPE_MAKER = "numpy dtype"
_SYMBOLS = (*_ARRAY_MAKERS, _DTYPE_MAKER, "numpy ndarray")
_NUMBERS = re.compile(r"[fiu][1248]")

_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = (
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINBYTES",
    "SHORT_BINBYTES",
    "BININT",
    "BININT1",
    "BININT2",
)
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclasses.dataclass
class _Symbol:
    name: str


@dataclasses.dataclass
class _Dtype:
    code: str
    order: str = "="


@dataclasses.dataclass
class _Array:
    value: np.ndarray | None = None


def read(data: bytes) -> dict[str, Any]:
    """Read a pickle of numpy's protocols 2 to 4.

    Args:
        data: the pickle.

    Returns:
        Nested dicts of arrays.

    Raises:
        UserError: it holds anything but dicts and arrays of numbers, or is damaged.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        for opcode, argument, _ in pickletools.genops(data):
            _follow(opcode.name, argument, stack, memo)
        (tree,) = stack
        return _resolve(tree)
    except errors.UserError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise errors.UserError(
            f"The pickle is damaged or not of arrays ({error}): give a file that "
            "holds nested dicts of numpy arrays."
        ) from error


def _follow(name: str, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:
    """Do what one operation asks, if it is one of those that build arrays."""
    if name in ("PROTO", "FRAME", "STOP"):
        return
    if name in _VALUES:
        stack.append(argument)
    elif name in _CONSTANTS:
        stack.append(_CONSTANTS[name])
    elif name == "MARK":
        stack.append(_MARK)
    elif name == "EMPTY_DICT":
        stack.append({})
    elif name in _TUPLES:
        stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
    elif name == "TUPLE":
        stack.append(tuple(_since_mark(stack)))
    elif name in ("BINPUT", "LONG_BINPUT"):
        memo[argument] = stack[-1]
    elif name == "MEMOIZE":
        memo[len(memo)] = stack[-1]
    elif name in ("BINGET", "LONG_BINGET"):
        stack.append(memo[argument])
    elif name == "GLOBAL":
        stack.append(_symbol(argument))
    elif name == "STACK_GLOBAL":
        attribute, module = stack.pop(), stack.pop()
        stack.append(_symbol(f"{module} {attribute}"))
    elif name == "REDUCE":
        arguments, symbol = stack.pop(), stack.pop()
        stack.append(_begin(symbol, arguments))
    elif name == "BUILD":
        state = stack.pop()
        _finish(stack[-1], state)
    elif name == "SETITEM":
        value, key = stack.pop(), stack.pop()
        stack[-1][key] = value
    elif name == "SETITEMS":
        items = _since_mark(stack)
        stack[-1].update(zip(items[::2], items[1::2], strict=True))
    else:
        raise errors.UserError(
            f"The pickle does more than build arrays ({name}): it is not read."
        )


def _since_mark(stack: list[Any]) -> list[Any]:
    start = max(index for index, value in enumerate(stack) if value is _MARK)
    items = stack[start + 1 :]
    del stack[start:]
    return items


def _symbol(name: str) -> _Symbol:
    if name not in _SYMBOLS:
        raise errors.UserError(
            f"The pickle asks for {name!r}, which is no array: it is not read."
        )
    return _Symbol(name)


def _begin(symbol: _Symbol, arguments: tuple) -> _Array | _Dtype:
    if symbol.name in _ARRAY_MAKERS:
        return _Array()
    if symbol.name == _DTYPE_MAKER and _NUMBERS.fullmatch(arguments[0]):
        return _Dtype(arguments[0])
    raise errors.UserError(
        f"The pickle makes {symbol.name!r} of {arguments[:1]}: only arrays of numbers "
        "are read."
    )


def _finish(value: _Array | _Dtype, state: tuple) -> None:
    if isinstance(value, _Dtype):
        value.order = state[1].replace("|", "=")
    else:
        _, shape, dtype, is_fortran, content = state
        flat = np.frombuffer(content, np.dtype(dtype.code).newbyteorder(dtype.order))
        value.value = flat.reshape(shape, order="F" if is_fortran else "C")


def _resolve(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _resolve(value) for name, value in tree.items()}
    if isinstance(tree, _Array) and tree.value is not None:
        return tree.value
    raise errors.UserError(
        f"The pickle holds {type(tree).__name__}: only dicts of arrays are read."
    )
