"""Check five-field cron texts. Pure; importable anywhere. Temporal computes the firings, this only judges the text.

Fields: minute, hour, day of month, month, day of week (0 to 7 or names, Sunday is 0 and 7). Each is a list of ``*``,
a value or a range, each with an optional ``/step``.
"""

import re
from typing import Final

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: Final = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_LONGEST_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART: Final = re.compile(r"(\*|[0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?(?:/([0-9]+))?")


def cron_problem(text: str) -> str | None:
    """What is wrong with a cron text, or None.

    >>> cron_problem("0 9 * * MON-FRI")
    >>> cron_problem("0 9 * *")
    'it has 4 fields; write five: minute, hour, day of month, month, day of week'
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        return f"it has {len(fields)} fields; write five: {', '.join(name for name, *_ in _FIELDS)}"
    values: list[set[int]] = []
    for field, (name, low, high, words) in zip(fields, _FIELDS, strict=True):
        found = _values(field, low, high, words)
        if isinstance(found, str):
            return f"the {name} {field!r} is wrong: {found}"
        values.append(found)
    if fields[4] == "*" and not _has_day(values[2], values[3]):
        return "no month it names has such a day, so it never fires"
    return None


def _values(field: str, low: int, high: int, words: tuple[str, ...]) -> set[int] | str:
    found: set[int] = set()
    for part in field.split(","):
        values = _part(part, low, high, words)
        if isinstance(values, str):
            return values
        found |= values
    return found


def _part(part: str, low: int, high: int, words: tuple[str, ...]) -> set[int] | str:
    match = _PART.fullmatch(part)
    if match is None or (match[1] == "*" and match[2] is not None):
        return f"{part!r} is no value, range or step"
    step = int(match[3] or 1)
    if not 1 <= step <= high:
        return f"the step {step} is not between 1 and {high}"
    if match[1] == "*":
        return set(range(low, high + 1, step))
    first = _number(match[1], low, words)
    last = _number(match[2], low, words) if match[2] else (high if match[3] else first)
    if first is None or last is None or not low <= first <= high or not low <= last <= high:
        return f"{part!r} is not between {low} and {high}" + (f" nor one of {', '.join(words)}" if words else "")
    return set(range(first, last + 1, step)) if first <= last else f"{part!r} runs backwards"


def _number(text: str, low: int, words: tuple[str, ...]) -> int | None:
    if text.isdigit():
        return int(text) if len(text) < 4 else None
    return words.index(text.upper()) + low if text.upper() in words else None


def _has_day(days: set[int], months: set[int]) -> bool:
    return any(min(days) <= _LONGEST_MONTH[month - 1] for month in months)
