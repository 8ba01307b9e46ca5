"""A clock that tests move by hand. Tests only."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """Stands still until `advance` is called; use it where a store takes a ``Clock``."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> datetime:
        """Move on by a ``timedelta(**by)``; answers the new time."""
        self.now += timedelta(**by)
        return self.now
