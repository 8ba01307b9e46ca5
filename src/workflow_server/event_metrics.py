"""What callers posted, as a metric; the ingress counts what the stream brought. Process code only."""

from prometheus_client import CollectorRegistry, Counter

from workflow_runtime.store.events import Acceptance


class EventMetrics:
    """``workflow_api_events_total{outcome}``: accepted or duplicate."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._posted = Counter(
            "workflow_api_events", "Events posted, by outcome: accepted, duplicate.", ["outcome"], registry=registry
        )

        for outcome in ("accepted", "duplicate"):
            # A rate needs the zero before the first one.
            self._posted.labels(outcome)

    def count(self, acceptance: Acceptance) -> None:
        """Count one that was answered with 202 or 200."""
        self._posted.labels("duplicate" if acceptance.duplicate else "accepted").inc()
