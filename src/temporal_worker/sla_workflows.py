"""The queue ``sla-workflows``: service level agreements. Process code only; serves the probe."""

from typing import Final

from temporal_worker.domain import Domain
from temporal_worker.probe import QueueProbe, QueueProbeWorkflow

QUEUE: Final = "sla-workflows"


def domain(probe: QueueProbe) -> Domain:
    """What this queue serves."""
    return Domain(QUEUE, workflows=(QueueProbeWorkflow,), activities=(probe.describe,))
