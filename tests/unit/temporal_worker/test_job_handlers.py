"""The jobs themselves, without Temporal."""

from typing import Any

import pytest
from tests.fakes.retention import NotedRetention

from temporal_worker.job_handlers import job_handlers
from temporal_worker.jobs import JobInput
from workflow_runtime.core.errors import ValidationFailure


def _job(name: str, data: Any) -> JobInput:
    return JobInput(job_id="j", job_name=name, tenant_id="acme", data=data)


@pytest.mark.parametrize(("what", "removed"), [("runs", 3), ("notifications", 4)])
async def test_pruning_is_asked_for_the_tenant_and_the_age_of_the_job(what: str, removed: int) -> None:
    noted = NotedRetention()
    answer = await job_handlers(noted)[f"prune-{what}"](_job(f"prune-{what}", {"olderThanDays": 30}))
    assert answer == {"removed": removed}
    assert noted.asked == [(what, "acme", 30)]


@pytest.mark.parametrize("data", [None, {}, {"olderThanDays": 0}, {"olderThanDays": True}, {"olderThanDays": "30"}])
async def test_pruning_refuses_an_age_that_is_no_number_of_days(data: Any) -> None:
    noted = NotedRetention()
    with pytest.raises(ValidationFailure, match="olderThanDays"):
        await job_handlers(noted)["prune-runs"](_job("prune-runs", data))
    assert noted.asked == []


async def test_echo_answers_its_data() -> None:
    assert await job_handlers(NotedRetention())["diagnostics.echo"](_job("diagnostics.echo", [1, {"a": None}])) == [
        1,
        {"a": None},
    ]
