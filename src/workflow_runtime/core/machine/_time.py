"""Arithmetic on ISO 8601 instants. Pure; called from workflow code, so it never asks what time it is."""

from datetime import UTC, datetime, timedelta

from workflow_runtime.core.definition import MAX_DURATION_MS
from workflow_runtime.core.errors import ValidationFailure


def parse_instant(text: str) -> datetime:
    """An aware UTC instant from ISO 8601 text; text without an offset is UTC.

    Raises ``ValidationFailure`` (``INVALID_TIME``) for anything else.
    """
    try:
        parsed = datetime.fromisoformat(text.strip())
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValidationFailure(
            f"{text!r} is not a time: write ISO 8601, for example 2026-03-31T09:00:00Z", code="INVALID_TIME"
        ) from error


def format_instant(instant: datetime) -> str:
    """ISO 8601 UTC with milliseconds.

    >>> format_instant(parse_instant("2026-03-31T11:00:00+02:00"))
    '2026-03-31T09:00:00.000Z'
    """
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def add_ms(instant: str, milliseconds: float) -> str:
    """The instant ``milliseconds`` later. Raises ``ValidationFailure`` outside 0 to ``MAX_DURATION_MS``."""
    _require_duration(milliseconds)
    return format_instant(parse_instant(instant) + timedelta(milliseconds=milliseconds))


def instant_after(now: str, text: str) -> str:
    """The instant that ``text`` names. Raises ``ValidationFailure`` for none, or one over ``MAX_DURATION_MS`` ahead."""
    instant = parse_instant(text)
    _require_duration(max(0, (instant - parse_instant(now)) // timedelta(milliseconds=1)))
    return format_instant(instant)


def is_due(instant: str, now: str) -> bool:
    """Whether ``instant`` is not in the future."""
    return parse_instant(instant) <= parse_instant(now)


def elapsed_ms(start: str, end: str) -> int:
    """Whole milliseconds from ``start`` to ``end``, never negative."""
    return max(0, (parse_instant(end) - parse_instant(start)) // timedelta(milliseconds=1))


def _require_duration(milliseconds: float) -> None:
    if not 0 <= milliseconds <= MAX_DURATION_MS:
        raise ValidationFailure(
            f"a wait of {milliseconds!r} ms is outside 0 to {MAX_DURATION_MS} ms (ten years)", code="INVALID_TIME"
        )
