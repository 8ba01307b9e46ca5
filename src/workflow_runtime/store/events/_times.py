"""Milliseconds since 1970 and ISO 8601, as the event store writes them. Private to store.events."""

import time
from datetime import UTC, datetime

from workflow_runtime.store.connection import iso


def now_ms() -> int:
    """The system clock in milliseconds."""
    return time.time_ns() // 1_000_000


def iso_ms(moment: int) -> str:
    """``moment`` (milliseconds since 1970) as ISO 8601 UTC.

    >>> iso_ms(0)
    '1970-01-01T00:00:00.000Z'
    """
    return iso(datetime.fromtimestamp(moment / 1000, UTC))
