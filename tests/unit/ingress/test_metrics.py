"""What the ingress counts, before it has counted anything."""

import pytest
from prometheus_client import CollectorRegistry

from workflow_worker.ingress.metrics import IngressMetrics
from workflow_worker.ingress.settings import IngressSettings
from workflow_worker.ingress.status import IngressStatus


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("events", {"outcome": "accepted"}),
        ("events", {"outcome": "duplicate"}),
        ("events", {"outcome": "dead_letter"}),
        ("routed", {"status": "ROUTED"}),
        ("routed", {"status": "DONE"}),
        ("targets", {"kind": "trigger", "status": "FAILED"}),
        ("targets", {"kind": "wait", "status": "RETRYING"}),
    ],
)
def test_every_counter_stands_at_zero_before_its_first_event(name: str, labels: dict[str, str]) -> None:
    registry = CollectorRegistry()
    IngressMetrics(registry, IngressStatus(IngressSettings()))
    assert registry.get_sample_value(f"workflow_ingress_{name}_total", labels) == 0.0
