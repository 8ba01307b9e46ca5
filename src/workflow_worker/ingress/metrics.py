"""What the ingress counts, in the process's registry. Process code only."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from workflow_runtime.store.events import EventStatus, TargetStatus
from workflow_worker.ingress.status import IngressStatus


class IngressMetrics:
    """Names begin with ``workflow_ingress_``; no label has a tenant in it, so their number is bounded."""

    def __init__(self, registry: CollectorRegistry, status: IngressStatus) -> None:
        self.events = Counter(
            "workflow_ingress_events",
            "Messages read, by outcome: accepted, duplicate, dead_letter",
            ["outcome"],
            registry=registry,
        )
        self.routed = Counter(
            "workflow_ingress_routed",
            "Passes over events, by the event's status after it",
            ["status"],
            registry=registry,
        )
        self.targets = Counter(
            "workflow_ingress_targets",
            "Attempts of targets, by kind (trigger, wait) and the target's status after it",
            ["kind", "status"],
            registry=registry,
        )
        self.first_pass = Histogram(
            "workflow_ingress_first_pass_seconds",
            "From acceptance to the end of the first pass over all targets",
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
        )
        self._begin_at_zero()
        for name, text, read in (
            ("reading", "1 when this replica reads the stream", lambda: float(status.reading)),
            ("lag", "Unread messages of the stream", lambda: float(status.lag)),
            ("oldest_pending_seconds", "Age of the oldest unacknowledged message", lambda: status.pending_age),
            ("backlog", "Accepted events that are not settled, all tenants", lambda: float(status.backlog)),
            ("in_flight", "Events this replica is routing", lambda: float(status.in_flight)),
            ("ready", "Whether the ingress is ready", lambda: float(status.complaint() is None)),
        ):
            Gauge(f"workflow_ingress_{name}", text, registry=registry).set_function(read)

    def _begin_at_zero(self) -> None:
        """A rate needs the zero before the first one: without it the first dead letter raises no alarm."""
        for outcome in ("accepted", "duplicate", "dead_letter"):
            self.events.labels(outcome)
        for event_status in (EventStatus.ROUTED, EventStatus.DONE):
            self.routed.labels(event_status)
        for kind in ("trigger", "wait"):
            for status in (TargetStatus.DELIVERED, TargetStatus.RETRYING, TargetStatus.FAILED):
                self.targets.labels(kind, status)
