"""Canonical JSON text and SHA-256 of JSON values. Pure; importable anywhere, workflow code included.

Canonical means: keys sorted by code point, no white space, UTF-8 without escapes that JSON does not require, and one
spelling per number (``1.0`` is ``1``, ``-0.0`` is ``0``). Equal values therefore have equal bytes and one hash.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from workflow_runtime.core.errors import ValidationFailure

type Json = dict[str, Json] | list[Json] | str | int | float | bool | None
"""A JSON value as Python data."""

MAX_JSON_DEPTH: Final = 200
"""Levels of nesting a value may have; deeper ones are refused, so that no recursion below can run out of stack."""

MAX_VALUE_DEPTH: Final = 128
"""Levels a value of a run may have: payload, variable, event, answer of an action. Scopes, results and checkpoints wrap
values, an assign path by up to 32 levels more, and what is read from Temporal may have 200 in all."""

MAX_PAYLOAD_DEPTH: Final = 100
"""Levels of what comes from outside, a payload or an event, so that mappings and records around it have room."""

EXACT_INTEGER: Final = 2**53
"""Above this size a double no longer holds every integer, and a float is left as it is."""

_LARGEST: Final = int(1.7976931348623157e308)


def to_json(value: object, levels: int = MAX_JSON_DEPTH) -> Json:
    """``value`` as plain JSON: tuples become lists and whole floats become integers.

    Raises ``ValidationFailure`` (code ``NOT_JSON``) for anything JSON cannot say: NaN, infinity, numbers beyond a
    double, keys that are not text, lone surrogates, other types, and nesting deeper than ``levels``.

    >>> to_json({"a": (1.0, None)})
    {'a': [1, None]}
    """
    return _plain(value, levels, levels)


def is_deeper(value: object, levels: int) -> bool:
    """Whether ``value``, plain JSON, is nested more than ``levels`` deep. Needs no stack, whatever the depth."""
    level = _containers([value])
    for _ in range(levels):
        if not level:
            return False
        level = [child for item in level for child in _containers(item.values() if isinstance(item, dict) else item)]
    return bool(level)


def canonical_json(value: object) -> str:
    """The canonical text of ``value``; raises as ``to_json`` does.

    >>> canonical_json({"b": 1.0, "a": [True, "é"]})
    '{"a":[true,"é"],"b":1}'
    """
    return json.dumps(to_json(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def pretty_json(value: object) -> str:
    """Sorted keys, two-space indent, final newline: the form bundles are written in (RUNTIME.md section 10)."""
    return json.dumps(to_json(value), ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False) + "\n"


def sha256_hex(value: object) -> str:
    """SHA-256 of the canonical JSON of ``value``, 64 lower-case hex digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


class Wired(Protocol):
    """A definition, or anything else that gives the JSON it was read from."""

    def to_wire(self) -> dict[str, Any]: ...


def definition_hash(definition: Wired) -> str:
    """The hash a published version is pinned by: SHA-256 of the canonical JSON its author wrote."""
    return sha256_hex(definition.to_wire())


def _plain(value: Any, left: int, levels: int) -> Json:
    # By exact type first: in a process that runs workflow code the SDK replaces isinstance by one several times slower.
    if type(value) is str:
        return _text(value)
    if value is None or type(value) is bool:
        return value
    if type(value) is int:
        return _integer(value)
    if type(value) is not dict and type(value) is not list:
        return _unusual(value, left, levels)
    if left <= 0:
        raise _too_deep(levels)
    if type(value) is dict:
        return {_key(key): _plain(item, left - 1, levels) for key, item in value.items()}
    return [_plain(item, left - 1, levels) for item in value]


def _unusual(value: object, left: int, levels: int) -> Json:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return _number(value)
    if left <= 0:
        raise _too_deep(levels)
    if isinstance(value, Mapping):
        return {_key(key): _plain(item, left - 1, levels) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, left - 1, levels) for item in value]
    raise _refuse(f"it holds a {type(value).__name__}")


def _containers(items: Iterable[Any]) -> list[Any]:
    return [item for item in items if isinstance(item, dict | list)]


def _text(value: str) -> str:
    # isascii is a flag on the string object, so the common case costs no scan.
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise _refuse("a text holds half of a surrogate pair") from error
    return str(value)


def _key(key: Any) -> str:
    if type(key) is not str and not isinstance(key, str):
        raise _refuse(f"the key {key!r} is not text")
    return _text(key)


def _integer(value: int) -> int:
    if not -_LARGEST <= value <= _LARGEST:
        raise _refuse("a number is larger than a double can be")
    return int(value)


def _number(value: float) -> int | float:
    if not math.isfinite(value):
        raise _refuse(f"{value!r} is not a JSON number")
    if value.is_integer() and abs(value) < EXACT_INTEGER:
        return int(value)
    return float(value)


def _too_deep(levels: int) -> ValidationFailure:
    return _refuse(f"it is nested more than {levels} levels deep")


def _refuse(reason: str) -> ValidationFailure:
    return ValidationFailure(f"The value is not JSON: {reason}.", code="NOT_JSON")
