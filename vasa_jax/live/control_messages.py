"""What a page may ask of its session while it lives: short JSON messages.

{"type": "controls", "gaze": [10, 0], "emotion": {"happiness": 0.5}}
{"type": "controls", "gaze": [[[0, -20], [2, 20]], 0]}
{"type": "agent", "name": "along"}
{"type": "clear"}
{"type": "record", "on": true}
{"type": "say", "text": "Good morning.", "voice": "hazel", "language": "en"}

A control is a number, or a curve: [seconds, value] of each point, counted from the next
step on.
"""

import dataclasses
import json
from typing import Any

from vasa_jax.animate import control_files, curves
from vasa_jax.animate.controls import Controls
from vasa_jax.errors import UserError
from vasa_jax.live import agents, session

ANGLES = ("gaze", "pose_offset")

LIVE_CONTROLS = (*ANGLES, "emotion", *control_files.NUMBERS)
"""Fields of `Controls` that may change on the way; the others need a new start."""


@dataclasses.dataclass(frozen=True)
class Record:
    """A message that the connection itself follows: begin or stop to record."""

    is_on: bool


@dataclasses.dataclass(frozen=True)
class Say:
    """Another: say a typed text.

    Attributes:
        text: as it was typed.
        voice, language: who says it; None is the server's own choice.
    """

    text: str
    voice: str | None
    language: str | None


def follow(text: str, one: session.Session) -> Record | Say | None:
    """Do what a message says.

    Args:
        text: as it came.
        one: the session it is for.

    Returns:
        What the connection itself is to do, if anything.

    Raises:
        UserError: it is none of the messages, or asks for what is not allowed.
    """
    message = _read(text)
    kind = message.pop("type", None)
    if kind == "controls":
        one.set_controls(_controls(message))
    elif kind == "clear":
        one.clear()
    elif kind == "agent":
        one.clear()
        one.set_agent(_agent(message.get("name")))
    elif kind == "record":
        return Record(is_on=message.get("on") is True)
    elif kind == "say":
        return _say(message)
    else:
        raise UserError(
            f"There is no message of type {str(kind)[:40]!r}; send controls, clear, "
            "agent, record or say."
        )
    return None


def _read(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError("The message is no JSON; send an object.") from error
    if not isinstance(message, dict):
        raise UserError("The message is no JSON object; send one with a type.")
    return message


def _say(message: dict[str, Any]) -> Say:
    voice, language = (message.get(name) for name in ("voice", "language"))
    if type(voice) is int:
        voice = str(voice)
    for name, value in (("text", message.get("text", 0)), ("voice", voice or "")):
        if not isinstance(value, str):
            raise UserError(f"The {name} to say is no text; send one.")
    if not isinstance(language or "", str):
        raise UserError("The language is no text; send one such as 'en'.")
    return Say(message["text"], voice, language)


def _agent(name: Any) -> agents.AgentFactory:
    if not isinstance(name, str) or name not in agents.AGENTS:
        raise UserError(
            f"There is no such agent; choose among {', '.join(agents.AGENTS)}."
        )
    return agents.AGENTS[name]


def _controls(fields: dict[str, Any]) -> Controls:
    """Return controls of checked kinds; `Controls` checks their ranges."""
    checked: dict[str, Any] = {}
    for name, value in fields.items():
        if name not in LIVE_CONTROLS:
            raise UserError(
                f"{name[:40]!r} cannot change while a session lives; choose among "
                f"{', '.join(LIVE_CONTROLS)}."
            )
        if name in ANGLES and isinstance(value, list):
            checked[name] = tuple(_control(name, one) for one in value)
        elif name == "emotion" and isinstance(value, dict):
            checked[name] = {one: _control(name, value[one]) for one in value}
        else:
            checked[name] = _control(
                name, None if name in (*ANGLES, "emotion") else value
            )
    return Controls(**checked)


def _control(name: str, value: Any) -> curves.Control:
    is_number = type(value) in (int, float)
    if not is_number and not isinstance(value, list):
        raise UserError(f"The control {name} is not made of numbers; send numbers.")
    return curves.from_plain(value, name)
