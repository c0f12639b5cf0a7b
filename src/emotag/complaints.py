"""Says in one line what is wrong with a setting: where, what was found, what was expected, what to do."""

import datetime
import difflib
import types
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from emotag.errors import ConfigError

DEEPEST = 20


def first_complaint(error: ValidationError, model: type[BaseModel], prefix: str = "", data: Any = None) -> str:
    """The first of pydantic's complaints as a line, with the number of further ones.

    `prefix` names where `data` came from (a flag; empty for the project's configuration).
    """
    details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
    first = details[0]
    loc = visible(tuple(part for part in first["loc"] if part != "[key]"), data, first["type"] == "missing")
    where = ".".join([prefix] * bool(prefix) + [str(part) for part in loc]) or "the configuration"
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return f"{where}: {reason(first, model, loc)}{more}"


def visible(loc: tuple[int | str, ...], data: Any, missing: bool = False) -> list[int | str]:
    """The parts of pydantic's location that a user wrote: names of union members are left out, that of a
    `missing` key is not."""
    if data is None:
        return list(loc)
    kept: list[int | str] = []
    for number, part in enumerate(loc):
        if isinstance(data, Mapping) and (part in data or (missing and number == len(loc) - 1)):
            kept.append(part)
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int):
            kept.append(part)
            data = data[part] if part < len(data) else None
    return kept


def reason(detail: Any, model: type[BaseModel], loc: list[int | str]) -> str:
    """One complaint without its location."""
    kind, found = detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        known = known_keys(model, loc[:-1])
        close = difflib.get_close_matches(str(loc[-1]), known, 1)
        hint = f"did you mean {close[0]}? " if close else ""
        return f"unknown key; {hint}known here: {', '.join(known)}"
    if kind == "missing":
        return "is missing; please add it"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind == "string_type":
        return not_text(found)
    if kind in ("model_type", "dict_type"):
        meant = "; did you mean adapt.identity?" if loc == ["identity"] else ""
        return f"found {found!r}, expected keys and values{meant}"
    message = detail["msg"].replace("Input should be", "expected")
    return f"found {found!r}, {message[0].lower()}{message[1:]}"


def not_text(found: Any, what: str = "text") -> str:
    """What YAML made of a bare word, and how to stop it."""
    return f"YAML read {yaml_kind(found)} where {what} was expected; put it in quotes"


def yaml_kind(value: Any) -> str:
    """A value in the words of somebody who wrote YAML."""
    if value is None:
        return "an empty value"
    if isinstance(value, bool):
        return f"{value} (bare yes, no, on, off, true and false are truth values)"
    if isinstance(value, int | float):
        return f"the number {value} (leading zeros are lost)"
    if isinstance(value, datetime.date):
        return f"the date {value}"
    return f"a {'mapping' if isinstance(value, Mapping) else type(value).__name__}"


def known_keys(model: type[BaseModel], loc: list[int | str]) -> list[str]:
    """Keys that may stand at `loc` inside `model`."""
    current: Any = model
    for part in loc:
        fields = {} if not is_settings(current) else current.model_fields
        current = fields[part].annotation if part in fields else current
        current = next((option for option in options(current) if is_settings(option)), current)
    return sorted(current.model_fields) if is_settings(current) else []


def options(hint: Any) -> list[Any]:
    """A type hint with what it contains: members of unions, values of mappings, items of lists."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return options(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType, dict, list, tuple):
        return [inner for option in typing.get_args(hint) for inner in options(option)]
    return [hint]


def is_settings(hint: Any) -> bool:
    """Whether a hint is a model."""
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def check_keys(tree: Mapping[Any, Any], where: str = "", depth: int = 0) -> None:
    """Refuse keys that YAML did not read as text.

    Raises:
        ConfigError: a key is a number, a truth value, a date or empty, or mappings lie deeper than any setting does.
    """
    if depth > DEEPEST:
        raise ConfigError(f"{where[:60]}: nested too deeply (an anchor that holds itself?); write the values out")
    for key, value in tree.items():
        if not isinstance(key, str):
            raise ConfigError(f"{where or 'the configuration'}: {not_text(key, 'a name')}")
        if isinstance(value, Mapping):
            check_keys(value, f"{where}.{key}" if where else key, depth + 1)
