"""Where an assignment writes: parse target paths and apply them to scopes. Pure; importable anywhere.

Targets (RUNTIME.md section 3): ``payload.a.b``, ``vars.a``, ``meta.a``, ``error.a``; a bare ``a.b`` means ``vars.a.b``;
``/a/b`` is a JSON pointer into the payload. Names separated by dots are object keys; where an array stands there, a
number is an index into it, or one past its end to append. Everything on the way that is missing or no container becomes
an object.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflow_runtime.core.errors import ValidationFailure

SCOPES: Final = ("payload", "vars", "meta", "error")

_FORBIDDEN: Final = frozenset({"__proto__", "prototype", "constructor"})
_MAX_PARTS: Final = 32


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed path: the scope and the keys below it, at least one."""

    scope: str
    keys: tuple[str, ...]


def parse_target(path: str) -> Target:
    """Where ``path`` leads. Raises ``ValidationFailure`` (code ``INVALID_ASSIGN_PATH``) when it leads nowhere.

    >>> parse_target("customer.name")
    Target(scope='vars', keys=('customer', 'name'))
    >>> parse_target("/lines/0/price~1unit")
    Target(scope='payload', keys=('lines', '0', 'price/unit'))
    """
    stripped = path.strip()
    if stripped.startswith("/"):
        target = Target("payload", tuple(_unescape(path, part) for part in stripped[1:].split("/")))
    else:
        first, *rest = stripped.split(".")
        target = Target(first, tuple(rest)) if first in SCOPES else Target("vars", (first, *rest))
    _check(path, target)
    return target


def assign_path(scopes: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """``scopes`` with ``value`` written at ``path``; containers on the way are copied, the rest is shared.

    ``scopes`` holds at least ``payload``, ``vars``, ``meta`` and ``error``; other keys are kept. Raises
    ``ValidationFailure`` (code ``INVALID_ASSIGN_PATH``) for a bad path or an index outside an array.
    """
    target = parse_target(path)
    return {**scopes, target.scope: _write(scopes.get(target.scope), target.keys, value, path)}


def _check(path: str, target: Target) -> None:
    if not target.keys:
        raise _refuse(path, f"it names the whole scope; write {target.scope}.<name>")
    if any(not key.strip() for key in target.keys):
        raise _refuse(path, "a part of it is empty")
    if len(target.keys) > _MAX_PARTS:
        raise _refuse(path, f"it has more than {_MAX_PARTS} parts")
    for key in target.keys:
        if key in _FORBIDDEN:
            raise _refuse(path, f"{key} is refused everywhere")


def _unescape(path: str, part: str) -> str:
    if part.count("~") != part.count("~0") + part.count("~1"):
        raise _refuse(path, "in a JSON pointer, ~ is written ~0 and / is written ~1")
    return part.replace("~1", "/").replace("~0", "~")


def _write(node: Any, keys: tuple[str, ...], value: Any, path: str) -> Any:
    if not keys:
        return value
    head, rest = keys[0], keys[1:]
    if isinstance(node, list):
        index = _index(node, head, path)
        item = _write(node[index] if index < len(node) else None, rest, value, path)
        return [*node[:index], item, *node[index + 1 :]]
    base = node if isinstance(node, Mapping) else {}
    return {**base, head: _write(base.get(head), rest, value, path)}


def _index(items: list[Any], key: str, path: str) -> int:
    index = int(key) if key.isascii() and key.isdigit() and len(key) < 10 else -1
    if not 0 <= index <= len(items):
        raise _refuse(path, f"an array of {len(items)} items stands there and {key!r} is no place in it")
    return index


def _refuse(path: str, reason: str) -> ValidationFailure:
    return ValidationFailure(f"The assign path {path!r} leads nowhere: {reason}.", code="INVALID_ASSIGN_PATH")
