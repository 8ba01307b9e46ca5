"""The queue ``alga-jobs``: generic jobs by name. Process code only."""

from typing import Final

from temporal_worker.domain import Domain
from temporal_worker.job_runner import JobRunner
from temporal_worker.job_workflow import GenericJobWorkflow
from temporal_worker.probe import QueueProbe, QueueProbeWorkflow

QUEUE: Final = "alga-jobs"


def domain(probe: QueueProbe, jobs: JobRunner) -> Domain:
    """What this queue serves."""
    return Domain(QUEUE, workflows=(GenericJobWorkflow, QueueProbeWorkflow), activities=(jobs.execute, probe.describe))
