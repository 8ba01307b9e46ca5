"""The verdict on a queue from who polls it."""

from datetime import UTC, datetime

import pytest

from workflow_runtime.service.pollers import Poller
from workflow_server.ownership import judge

NOW = datetime(2025, 3, 3, 10, tzinfo=UTC)
OURS = "workflow-server@sha256:1/host:7"
STRANGER = "17@somebodys-laptop"


def poller(identity: str, kind: str = "activity") -> Poller:
    return Poller("q", kind, identity, NOW)


@pytest.mark.parametrize(
    ("owner", "identities", "verdict"),
    [
        ("workflow-server", [OURS], "OWNED"),
        ("workflow-server", [OURS, "workflow-server@sha256:2/host:8"], "OWNED"),
        ("workflow-server", [], "NOT_POLLED"),
        ("workflow-server", [OURS, STRANGER], "SHARED_WITH_STRANGER"),
        ("workflow-server", ["workflow-worker@sha256:1/host:7"], "STRANGER_ONLY"),
        ("workflow-server", [STRANGER], "STRANGER_ONLY"),
        (None, [STRANGER], "EXTERNAL"),
        (None, [], "NOT_POLLED"),
    ],
)
def test_a_queue_is_judged_by_the_images_that_poll_it(owner: str | None, identities: list[str], verdict: str) -> None:
    assert judge("q", owner, [poller(identity) for identity in identities]).verdict == verdict


@pytest.mark.parametrize(
    ("passed_over", "verdict"),
    [
        ([None, None], "OWNED"),
        (["the version w:2", None], "OWNED"),
        (["the version w:2", "the version w:2"], "PASSED_OVER"),
    ],
)
def test_an_owner_that_temporal_passes_over_does_not_get_the_work(passed_over: list[str | None], verdict: str) -> None:
    taking = [Poller("q", "workflow", OURS, NOW)]
    found = judge("q", "workflow-server", taking + [Poller("q", "activity", OURS, NOW, over) for over in passed_over])
    assert found.verdict == verdict
    assert verdict == "OWNED" or "gives new work to the version w:2" in found.detail


def test_one_process_is_listed_once_with_every_kind_it_polls() -> None:
    [listed] = judge("q", "workflow-server", [poller(OURS), poller(OURS, "workflow")]).pollers
    assert (listed.kinds, listed.image) == (("activity", "workflow"), "workflow-server")
