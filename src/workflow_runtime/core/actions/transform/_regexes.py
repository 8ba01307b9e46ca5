"""Transforms with regular expressions. Pure; called by the table in ``transform``.

Patterns are JavaScript's; indexes count UTF-16 units as JavaScript does. See ``core.expressions.regex`` for the bounds.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from workflow_runtime.core.actions.transform._texts import as_text, bounded_join
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.expressions.regex import RegexMatch, find_matches

DEFAULT_MATCHES: Final = 100
MAX_MATCHES: Final = 1_000
_MAX_REPLACEMENTS: Final = 10_000
_TOKEN: Final = re.compile(r"\$(?:\$|&|`|'|<([^>]{0,200})>|(\d{1,2}))")


def regex_match(given: dict[str, Any]) -> Any:
    found = _find(given, limit=1)
    if not found:
        return {"matched": False, "match": None, "index": None, "groups": [], "namedGroups": {}}
    first = found[0]
    return {
        "matched": True,
        "match": first.text,
        "index": first.start,
        "groups": list(first.groups),
        "namedGroups": dict(first.named),
    }


def regex_extract(given: dict[str, Any]) -> Any:
    found = [_as_json(match) for match in _find(given, limit=int(given.get("maxMatches", DEFAULT_MATCHES)))]
    return {"matched": bool(found), "count": len(found), "first": found[0] if found else None, "matches": found}


def regex_replace(given: dict[str, Any]) -> Any:
    text = as_text(given.get("text"))
    limit = _MAX_REPLACEMENTS + 1 if given.get("replaceAll", True) else 1
    found = find_matches(given["pattern"], given.get("flags", ""), text, limit)
    if len(found) > _MAX_REPLACEMENTS:
        raise ValidationFailure(f"More than {_MAX_REPLACEMENTS} places match.", code="REGEX_TOO_MANY_MATCHES")
    return {"text": bounded_join(_replaced(text, found, given["replacement"])), "replacementCount": len(found)}


def _find(given: dict[str, Any], limit: int) -> list[RegexMatch]:
    found = find_matches(given["pattern"], given.get("flags", ""), as_text(given.get("text")), limit)
    if not found and given.get("requireMatch", False):
        raise ValidationFailure(f"The pattern {given['pattern']!r} matches nowhere.", code="REGEX_NO_MATCH")
    return found


def _as_json(match: RegexMatch) -> dict[str, Any]:
    return {
        "text": match.text,
        "index": match.start,
        "groups": list(match.groups),
        "namedGroups": dict(match.named),
    }


def _replaced(text: str, found: list[RegexMatch], replacement: str) -> Iterator[str]:
    """The new text in pieces, each made when it is asked for: all together may be more than a process can hold."""
    units = text.encode("utf-16-le")
    position = 0
    for match in found:
        yield _slice(units, position, match.start)
        yield from _expanded(replacement, match, units)
        position = match.end
    yield _slice(units, position, len(units))


def _expanded(replacement: str, match: RegexMatch, units: bytes) -> Iterator[str]:
    """The replacement with JavaScript's tokens: ``$$ $& $` $' $1 $<name>``."""
    position = 0
    for token in _TOKEN.finditer(replacement):
        yield replacement[position : token.start()]
        yield _token(token, match, units)
        position = token.end()
    yield replacement[position:]


def _token(token: re.Match[str], found: RegexMatch, units: bytes) -> str:
    text, name, number = token.group(), token.group(1), token.group(2)
    if name is not None:
        return found.named.get(name) or "" if found.named else text
    if number is not None:
        return _numbered(number, text, found)
    match text:
        case "$$":
            return "$"
        case "$&":
            return found.text
        case "$`":
            return _slice(units, 0, found.start)
    return _slice(units, found.end, len(units))


def _numbered(number: str, text: str, match: RegexMatch) -> str:
    """JavaScript reads two digits when there are that many groups, else one digit and a literal second one."""
    for size in (len(number), 1):
        index = int(number[:size])
        if 1 <= index <= len(match.groups):
            return (match.groups[index - 1] or "") + number[size:]
    return text


def _slice(units: bytes, start: int, end: int) -> str:
    return units[2 * start : 2 * end].decode("utf-16-le", "replace")
