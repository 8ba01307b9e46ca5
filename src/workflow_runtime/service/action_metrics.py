"""What a process performed: attempts of actions by outcome, and how long they took. Process code only; made by main."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram

from workflow_runtime.core.errors import RuntimeFailureError


class ActionMetrics:
    """``workflow_actions_total{action, outcome}`` and ``workflow_action_seconds{action}``.

    ``action`` is ``<id>@<version>``; ``outcome`` is ``succeeded``, ``cancelled`` or the category of the failure.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._outcomes = Counter(
            "workflow_actions", "Attempts of actions that ended.", ["action", "outcome"], registry=registry
        )
        self._seconds = Histogram(
            "workflow_action_seconds",
            "Duration of one attempt.",
            ["action"],
            registry=registry,
            buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 900),
        )

    @contextlib.contextmanager
    def measured(self, action: str) -> Iterator[None]:
        """Count the attempt in the body by how it ends."""
        begun, outcome = time.monotonic(), "succeeded"
        try:
            yield
        except RuntimeFailureError as error:
            outcome = error.category.value
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            self._outcomes.labels(action, outcome).inc()
            self._seconds.labels(action).observe(time.monotonic() - begun)
