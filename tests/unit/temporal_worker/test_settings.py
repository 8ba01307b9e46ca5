"""Which queues temporal-worker may be told to poll."""

import pytest

from temporal_worker.settings import TemporalWorkerSettings
from workflow_runtime.core.contract import AUTHORED_QUEUE, DOMAIN_QUEUES
from workflow_runtime.service.errors import MisuseError
from workflow_runtime.service.image import UNMANAGED, ImageManifest
from workflow_runtime.service.ownership import TEMPORAL_WORKER, refuse_foreign
from workflow_runtime.service.settings import read_settings


def test_every_domain_queue_is_polled_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEMPORAL_TASK_QUEUES", raising=False)
    assert read_settings(TemporalWorkerSettings).temporal_task_queues == DOMAIN_QUEUES


def test_queues_are_comma_separated_and_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_TASK_QUEUES", " alga-jobs, sla-workflows,,alga-jobs ")
    assert read_settings(TemporalWorkerSettings).temporal_task_queues == ("alga-jobs", "sla-workflows")


def test_a_list_without_a_queue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_TASK_QUEUES", " , ")
    with pytest.raises(MisuseError, match="TEMPORAL_TASK_QUEUES"):
        read_settings(TemporalWorkerSettings)


@pytest.mark.parametrize("queue", [AUTHORED_QUEUE, "no-such-queue"])
def test_a_queue_of_somebody_else_is_refused_by_name(queue: str) -> None:
    image = ImageManifest(name=TEMPORAL_WORKER, digest=UNMANAGED)
    with pytest.raises(MisuseError, match=queue):
        refuse_foreign(TEMPORAL_WORKER, image, queues=[*DOMAIN_QUEUES, queue])
