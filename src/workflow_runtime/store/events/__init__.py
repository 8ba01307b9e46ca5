"""Events: accepting them once, what became of them, the stream, dead letters. Processes and activities only.

``publish`` puts an event on the stream; ``EventIntake`` and ``accept_event`` record one durably; ``EventLedger`` keeps
its targets; ``DeadLetters`` holds what could not be delivered; ``explain`` tells what became of an event and why.
"""

from workflow_runtime.store.events._times import iso_ms
from workflow_runtime.store.events.claims import Acceptance, Claim, Hold, Pass, Refusal
from workflow_runtime.store.events.dead_letters import AuditEntry, DeadLetter, DeadLetters, LetterPage, Redriven
from workflow_runtime.store.events.errors import (
    EventBusyError,
    MalformedEventError,
    UnknownDeadLetterError,
    UnknownEventError,
)
from workflow_runtime.store.events.explaining import Explanation, explain, tenants_of_event, tenants_with_events
from workflow_runtime.store.events.intake import EventIntake, NewEvent, accept_event, publish
from workflow_runtime.store.events.ledger import EventLedger, EventPage, Sweep
from workflow_runtime.store.events.parsing import event_fields, parse_fields, parse_pairs
from workflow_runtime.store.events.presence import Presence
from workflow_runtime.store.events.ready import ReadyQueue
from workflow_runtime.store.events.records import (
    Considered,
    EventSource,
    EventStatus,
    IncomingEvent,
    LedgerEvent,
    Retried,
    Target,
    TargetStatus,
    Wait,
    WaitTaken,
)
from workflow_runtime.store.events.stream import (
    EventStream,
    Message,
    ReadResult,
    ReadState,
    StreamLag,
    group_is_missing,
)

__all__ = [
    "Acceptance",
    "AuditEntry",
    "Claim",
    "Considered",
    "DeadLetter",
    "DeadLetters",
    "EventBusyError",
    "EventIntake",
    "EventLedger",
    "EventPage",
    "EventSource",
    "EventStatus",
    "EventStream",
    "Explanation",
    "Hold",
    "IncomingEvent",
    "LedgerEvent",
    "LetterPage",
    "MalformedEventError",
    "Message",
    "NewEvent",
    "Pass",
    "Presence",
    "ReadResult",
    "ReadState",
    "ReadyQueue",
    "Redriven",
    "Refusal",
    "Retried",
    "StreamLag",
    "Sweep",
    "Target",
    "TargetStatus",
    "UnknownDeadLetterError",
    "UnknownEventError",
    "Wait",
    "WaitTaken",
    "accept_event",
    "event_fields",
    "explain",
    "group_is_missing",
    "iso_ms",
    "parse_fields",
    "parse_pairs",
    "publish",
    "tenants_of_event",
    "tenants_with_events",
]
