"""Attempts of actions are counted by how they ended."""

import asyncio
import contextlib

import pytest
from prometheus_client import CollectorRegistry

from workflow_runtime.core.errors import TransientFailure
from workflow_runtime.service.action_metrics import ActionMetrics


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(None, "succeeded"), (TransientFailure("later"), "TransientError"), (asyncio.CancelledError(), "cancelled")],
    ids=["succeeded", "failed", "cancelled"],
)
def test_an_attempt_counts_once_under_its_outcome(error: BaseException | None, outcome: str) -> None:
    registry = CollectorRegistry()
    metrics = ActionMetrics(registry)
    with contextlib.suppress(TransientFailure, asyncio.CancelledError), metrics.measured("crm.find@1"):
        if error is not None:
            raise error
    labels = {"action": "crm.find@1", "outcome": outcome}
    assert registry.get_sample_value("workflow_actions_total", labels) == 1
    assert registry.get_sample_value("workflow_action_seconds_count", {"action": "crm.find@1"}) == 1
