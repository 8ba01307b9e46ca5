"""Who owns which queue and consumer group, and what each process refuses."""

import pytest

from workflow_runtime.core import contract
from workflow_runtime.service.errors import MisuseError
from workflow_runtime.service.image import UNMANAGED, ImageManifest
from workflow_runtime.service.ownership import (
    QUEUE_OWNERS,
    TEMPORAL_WORKER,
    WORKFLOW_SERVER,
    WORKFLOW_WORKER,
    queues_of,
    refuse_foreign,
)

ALL_QUEUES = (contract.AUTHORED_QUEUE, contract.APP_ACTION_QUEUE, *contract.DOMAIN_QUEUES)


def test_every_queue_of_the_contract_has_one_owner() -> None:
    assert set(QUEUE_OWNERS) == set(ALL_QUEUES)
    assert queues_of(WORKFLOW_WORKER) == (contract.AUTHORED_QUEUE,)
    assert queues_of(WORKFLOW_SERVER) == (contract.APP_ACTION_QUEUE,)
    assert queues_of(TEMPORAL_WORKER) == contract.DOMAIN_QUEUES


@pytest.mark.parametrize("process", [WORKFLOW_WORKER, TEMPORAL_WORKER, WORKFLOW_SERVER])
@pytest.mark.parametrize("queue", [*ALL_QUEUES, "no-such-queue"])
def test_a_process_outside_an_image_polls_its_own_queues_only(process: str, queue: str) -> None:
    image = ImageManifest(name=process, digest=UNMANAGED)
    if QUEUE_OWNERS.get(queue) == process:
        refuse_foreign(process, image, queues=[queue])
    else:
        with pytest.raises(MisuseError, match=f"{process} refuses the task queue '{queue}'"):
            refuse_foreign(process, image, queues=[queue])


def test_the_refusal_names_the_owner_and_what_may_be_polled_instead() -> None:
    image = ImageManifest(name=TEMPORAL_WORKER, digest=UNMANAGED)
    with pytest.raises(MisuseError) as refusal:
        refuse_foreign(TEMPORAL_WORKER, image, queues=[contract.AUTHORED_QUEUE])
    assert "owned by workflow-worker" in str(refusal.value)
    assert "alga-jobs" in str(refusal.value)
    assert refusal.value.exit_code == 2


def test_an_image_refuses_a_queue_it_does_not_declare() -> None:
    image = ImageManifest(name=TEMPORAL_WORKER, digest="sha256:12", queues=("alga-jobs",))
    refuse_foreign(TEMPORAL_WORKER, image, queues=["alga-jobs"])
    with pytest.raises(MisuseError, match="sha256:12 declares alga-jobs"):
        refuse_foreign(TEMPORAL_WORKER, image, queues=["sla-workflows"])


def test_a_process_refuses_the_image_of_another() -> None:
    with pytest.raises(MisuseError, match="started in the image 'workflow-server'"):
        refuse_foreign(WORKFLOW_WORKER, ImageManifest(name=WORKFLOW_SERVER, digest="sha256:12"))


def test_the_event_consumer_group_belongs_to_workflow_worker() -> None:
    group = [contract.EVENT_CONSUMER_GROUP]
    refuse_foreign(WORKFLOW_WORKER, ImageManifest(name=WORKFLOW_WORKER, digest=UNMANAGED), groups=group)
    with pytest.raises(MisuseError, match="refuses the consumer group 'workflow-runtime-v2'"):
        refuse_foreign(TEMPORAL_WORKER, ImageManifest(name=TEMPORAL_WORKER, digest=UNMANAGED), groups=group)


def test_an_image_refuses_a_consumer_group_it_does_not_declare() -> None:
    image = ImageManifest(name=WORKFLOW_WORKER, digest="sha256:12", consumer_groups=("workflow-runtime-v2",))
    with pytest.raises(MisuseError, match="'other-group'"):
        refuse_foreign(WORKFLOW_WORKER, image, groups=["other-group"])
