"""The domain queues and what each serves. Process code only."""

from collections.abc import Mapping

from temporal_worker import (
    alga_jobs,
    email_domain_workflows,
    portal_domain_workflows,
    sla_workflows,
    tenant_workflows,
)
from temporal_worker.domain import Domain
from temporal_worker.job_runner import JobRunner
from temporal_worker.probe import QueueProbe


def all_domains(probe: QueueProbe, jobs: JobRunner) -> Mapping[str, Domain]:
    """Every domain by its queue."""
    domains = (
        tenant_workflows.domain(probe),
        portal_domain_workflows.domain(probe),
        email_domain_workflows.domain(probe),
        alga_jobs.domain(probe, jobs),
        sla_workflows.domain(probe),
    )
    return {domain.queue: domain for domain in domains}
