"""The queue ``tenant-workflows``: tenant life cycle. Process code only; serves the probe."""

from typing import Final

from temporal_worker.domain import Domain
from temporal_worker.probe import QueueProbe, QueueProbeWorkflow

QUEUE: Final = "tenant-workflows"


def domain(probe: QueueProbe) -> Domain:
    """What this queue serves."""
    return Domain(QUEUE, workflows=(QueueProbeWorkflow,), activities=(probe.describe,))
