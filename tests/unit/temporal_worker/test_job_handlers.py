"""The jobs themselves, without Temporal."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.runs import EndedRuns

from temporal_worker.job_handlers import job_handlers
from temporal_worker.jobs import JobInput
from workflow_runtime.core.errors import ValidationFailure


def _job(name: str, data: Any) -> JobInput:
    return JobInput(job_id="j", job_name=name, tenant_id="acme", data=data)


async def test_pruning_removes_every_old_run_of_the_tenant_and_no_other() -> None:
    now = datetime.now(UTC)
    old, young = now - timedelta(days=31), now - timedelta(days=29)
    runs = EndedRuns(acme=[old] * 1201 + [young], other=[old])
    answer = await job_handlers(runs)["prune-runs"](_job("prune-runs", {"olderThanDays": 30}))
    assert answer["removed"] == 1201
    assert runs.ended == {"acme": [young], "other": [old]}


@pytest.mark.parametrize("data", [None, {}, {"olderThanDays": 0}, {"olderThanDays": True}, {"olderThanDays": "30"}])
async def test_pruning_refuses_an_age_that_is_no_number_of_days(data: Any) -> None:
    with pytest.raises(ValidationFailure, match="olderThanDays"):
        await job_handlers(EndedRuns())["prune-runs"](_job("prune-runs", data))


async def test_echo_answers_its_data() -> None:
    assert await job_handlers(EndedRuns())["diagnostics.echo"](_job("diagnostics.echo", [1, {"a": None}])) == [
        1,
        {"a": None},
    ]
