"""Find the keys by which an event reaches waiting runs. Pure; importable anywhere.

Source: RUNTIME.md section 7. An explicit key wins. Otherwise every value found under the configured paths counts: the
paths of the event's name first, then those of ``*``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from workflow_runtime.core.canonical import canonical_json
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.filters import read_path

EXPLICIT_PATH: Final = "(explicit)"
"""Origin of a key that the sender gave with the event."""

MAX_KEY_LENGTH: Final = 512
"""Characters of a key; longer values are no keys."""

type CorrelationRules = Mapping[str, Sequence[str]]
"""Event name, or ``*``, to payload paths."""


class KeyOrigin(NamedTuple):
    """A correlation key and the payload path it was found under."""

    key: str
    path: str


def correlation_keys(
    event_name: str, payload: Any, explicit: str | None, rules: CorrelationRules
) -> tuple[KeyOrigin, ...]:
    """Every key of an event with its origin, in the order of the rules, each key once.

    An empty explicit key counts as none, and blanks around one do not count, as with any other. Text, numbers and
    booleans are keys; null, empty text, objects, arrays and anything longer than ``MAX_KEY_LENGTH`` are not.

    >>> correlation_keys("TICKET_CLOSED", {"ticketId": 7}, None, {"*": ["ticketId", "clientId"]})
    (KeyOrigin(key='7', path='ticketId'),)
    """
    if (given := correlation_key(explicit)) is not None:
        return (KeyOrigin(given, EXPLICIT_PATH),)
    found: dict[str, KeyOrigin] = {}
    for path in correlation_paths(event_name, rules):
        present, value = read_path(payload, path)
        key = correlation_key(value) if present else None
        if key is not None:
            found.setdefault(key, KeyOrigin(key, path))
    return tuple(found.values())


def correlation_paths(event_name: str, rules: CorrelationRules) -> tuple[str, ...]:
    """The payload paths searched for an event of this name, each once; none means it reaches null-key waits only."""
    return tuple(dict.fromkeys((*rules.get(event_name, ()), *(rules.get("*", ()) if event_name != "*" else ()))))


def correlation_key(value: Any) -> str | None:
    """A value as a key, or None when it is none. Waits and events use this, so that the number 7 meets the text "7"."""
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, bool | int | float):
        text = canonical_json(value)
    else:
        return None
    return text if 0 < len(text) <= MAX_KEY_LENGTH else None


def parse_rules(data: object) -> dict[str, tuple[str, ...]]:
    """Rules from decoded JSON, such as ``WORKFLOW_RUNTIME_V2_EVENT_CORRELATION_PATHS_JSON``.

    Raises ``ValidationFailure`` (code ``INVALID_CORRELATION_RULES``) unless it maps names to lists of paths.
    """
    if not isinstance(data, Mapping):
        raise _invalid("it is no object")
    rules: dict[str, tuple[str, ...]] = {}
    for name, paths in data.items():
        if not isinstance(name, str) or not isinstance(paths, list) or not all(_is_path(path) for path in paths):
            raise _invalid(f"{name!r} does not map to a list of paths")
        rules[name] = tuple(paths)
    return rules


def _is_path(path: object) -> bool:
    return isinstance(path, str) and bool(path.strip())


def _invalid(reason: str) -> ValidationFailure:
    return ValidationFailure(
        f'The correlation rules are wrong: {reason}. Example: {{"*": ["ticketId"], "INVOICE_PAID": ["invoice.id"]}}.',
        code="INVALID_CORRELATION_RULES",
    )
