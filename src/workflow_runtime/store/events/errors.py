"""What the event store refuses and why. Importable anywhere.

Hierarchy (all are StoreError, so category and code survive every boundary)::

    StoreError
      MalformedEventError      ValidationError   a message or request that is no event; says which field and why
      UnknownEventError        ValidationError   no such event in the tenant's ledger
      EventBusyError           TransientError    a process routes the event at this moment; try again
      UnknownDeadLetterError   ValidationError   no such entry in the dead-letter stream
"""

from workflow_runtime.core.errors import Category
from workflow_runtime.store.errors import StoreError


class MalformedEventError(StoreError):
    """A message that cannot be an event. ``reason`` is what the dead letter says."""

    category = Category.VALIDATION

    def __init__(self, field: str, problem: str) -> None:
        self.reason = f"{field}: {problem}"
        super().__init__(f"not an event: {self.reason}", code="MALFORMED_EVENT", details={"field": field})


class UnknownEventError(StoreError):
    """The tenant's ledger has no such event (any more)."""

    category = Category.VALIDATION

    def __init__(self, tenant: str, event_id: str) -> None:
        super().__init__(
            f"event {event_id!r} of tenant {tenant!r} is not in the ledger; it was never accepted, or it was finished "
            f"longer ago than the retention",
            code="NOT_FOUND",
        )


class EventBusyError(StoreError):
    """The event is being routed, so nobody else may change it."""

    category = Category.TRANSIENT

    def __init__(self, tenant: str, event_id: str) -> None:
        super().__init__(
            f"event {event_id!r} of tenant {tenant!r} is being routed at this moment; try again in a few seconds",
            code="EVENT_BUSY",
        )


class UnknownDeadLetterError(StoreError):
    """The dead-letter stream has no such entry (any more)."""

    category = Category.VALIDATION

    def __init__(self, letter_id: str, fate: str = "it was redriven or dropped, or its id is mistyped") -> None:
        super().__init__(
            f"dead letter {letter_id!r} does not exist; {fate}",
            code="NOT_FOUND",
        )
