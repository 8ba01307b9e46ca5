"""Decide whether an event's payload passes the filters of a wait. Pure; importable anywhere.

Semantics (RUNTIME.md section 3): scalars are equal only when type and value are equal (1 is neither true nor "1", and
1.0 is 1); ``!=`` and ``not_in`` hold for a missing value; ``exists`` counts null; order compares numbers with numbers
only; text operators compare text with text only. Whatever does not fit is false, never an error.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from workflow_runtime.core.wire import WireModel


class FilterLike(Protocol):
    """What a filter must have: a definition's ``EventFilter`` and an effect's ``Filter`` both do."""

    @property
    def path(self) -> str: ...

    @property
    def op(self) -> str: ...

    @property
    def value(self) -> Any: ...


class FilterResult(WireModel):
    """What one filter found. ``actual`` is null when ``found`` is false."""

    path: str
    op: str
    value: Any = None
    found: bool
    actual: Any = None
    passed: bool


class _Missing:
    """The value of a path that leads nowhere."""


_MISSING: Final = _Missing()
_SHOWN: Final = 80

type _Test = Callable[[Any, Any], bool]


def read_path(payload: Any, path: str) -> tuple[bool, Any]:
    """Whether ``path`` leads somewhere in ``payload``, and what is there.

    Dots over object keys; a leading ``.`` or ``$.`` is dropped; ``$`` alone or nothing is the payload itself. Arrays
    are not entered.

    >>> read_path({"ticket": {"id": 7}}, "$.ticket.id")
    (True, 7)
    """
    trimmed = path.strip()
    trimmed = trimmed[1:] if trimmed == "$" or trimmed.startswith("$.") else trimmed
    found = payload
    for key in trimmed.removeprefix(".").split(".") if trimmed.removeprefix(".") else ():
        if not isinstance(found, Mapping) or key not in found:
            return False, None
        found = found[key]
    return True, found


def check_filter(filter_: FilterLike, payload: Any) -> FilterResult:
    """One filter against one payload. An unknown operator passes nothing."""
    found, actual = read_path(payload, filter_.path)
    test = _TESTS.get(filter_.op)
    passed = test is not None and test(actual if found else _MISSING, filter_.value)
    return FilterResult(
        path=filter_.path, op=filter_.op, value=filter_.value, found=found, actual=actual, passed=passed
    )


def matches(filter_: FilterLike, payload: Any) -> bool:
    """Whether ``payload`` passes one filter."""
    return check_filter(filter_, payload).passed


def all_match(filters: Iterable[FilterLike], payload: Any) -> bool:
    """Whether ``payload`` passes every filter; no filters pass everything."""
    return all(matches(filter_, payload) for filter_ in filters)


def explain(filter_: FilterLike, payload: Any) -> str:
    """What one filter found, for a person who asks why an event woke nothing.

    >>> from workflow_runtime.core.machine.effects import Filter
    >>> explain(Filter(path="status", op="=", value="open"), {"status": "closed"})
    "status = 'open', but it is 'closed'"
    """
    result = check_filter(filter_, payload)
    wanted = f"{result.path} {result.op}"
    if result.op not in ("exists", "not_exists"):
        wanted += f" {_short(result.value)}"
    if result.passed:
        return f"{wanted} holds"
    return f"{wanted}, but it is {_short(result.actual) if result.found else 'missing'}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _identical(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    return type(left) is type(right) and isinstance(left, str | None) and left == right


def _one_of(actual: Any, options: Any) -> bool:
    return isinstance(options, list | tuple) and any(_identical(actual, option) for option in options)


def _none_of(actual: Any, options: Any) -> bool:
    return isinstance(options, list | tuple) and not _one_of(actual, options)


def _ordered(compare: Callable[[float, float], bool]) -> _Test:
    return lambda actual, value: _is_number(actual) and _is_number(value) and compare(actual, value)


def _textual(compare: Callable[[str, str], bool]) -> _Test:
    return lambda actual, value: isinstance(actual, str) and isinstance(value, str) and compare(actual, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TESTS: Final[dict[str, _Test]] = {
    "=": _identical,
    "!=": lambda actual, value: not _identical(actual, value),
    "in": _one_of,
    "not_in": _none_of,
    "exists": lambda actual, _: actual is not _MISSING,
    "not_exists": lambda actual, _: actual is _MISSING,
    ">": _ordered(lambda actual, value: actual > value),
    ">=": _ordered(lambda actual, value: actual >= value),
    "<": _ordered(lambda actual, value: actual < value),
    "<=": _ordered(lambda actual, value: actual <= value),
    "contains": _textual(lambda actual, value: value in actual),
    "starts_with": _textual(str.startswith),
    "ends_with": _textual(str.endswith),
}
