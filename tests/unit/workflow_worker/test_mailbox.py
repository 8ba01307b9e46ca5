"""What a run has received: taken once, judged anew by every wait, and kept through continue-as-new."""

import json
from typing import Any

import pytest

from workflow_runtime.core.contract import EventSignal, QuotaResumeSignal
from workflow_runtime.core.machine import Filter, WaitForEvent
from workflow_worker.mailbox import AcceptedResponse, Mailbox


def _event(
    event_id: str, *, name: str = "PAID", key: str | None = "7", at: str | None = None, **payload: Any
) -> EventSignal:
    return EventSignal(event_id=event_id, event_name=name, correlation_key=key, payload=payload, received_at=at)


def _wait(wait_id: str = "w1", *, key: str | None = "7", **more: Any) -> WaitForEvent:
    return WaitForEvent(wait_id=wait_id, step_path="root.steps[0]", event_name="PAID", correlation_key=key, **more)


OVER_100 = Filter(path="amount", op=">", value=100)


def _matched(mailbox: Mailbox, wait: WaitForEvent) -> str | None:
    event = mailbox.match(wait)
    return event.event_id if event else None


def test_the_first_event_with_the_name_and_the_key_matches() -> None:
    mailbox = Mailbox()
    for event in [_event("a", name="OTHER"), _event("b", key="8"), _event("c"), _event("d")]:
        mailbox.receive(event)
    assert _matched(mailbox, _wait()) == "c"


def test_a_recorded_event_goes_before_what_was_sent_first_and_accepted_later() -> None:
    mailbox = Mailbox()
    for second, event_id in ((1, "oldest"), (3, "c"), (4, "d")):
        mailbox.receive(_event(event_id, at=f"2026-01-31T09:30:0{second}.000Z"))
    mailbox.receive_recorded(_event("b", at="2026-01-31T09:30:03.000Z"))
    assert list(mailbox.events) == ["oldest", "b", "c", "d"]


def test_a_recorded_event_that_was_sent_too_is_there_once_and_one_that_was_taken_is_not() -> None:
    mailbox = Mailbox()
    mailbox.forbid("taken")
    mailbox.receive(_event("a"))
    for event_id in ("a", "taken"):
        mailbox.receive_recorded(_event(event_id, at="2026-01-31T09:30:03.000Z"))
    assert list(mailbox.events) == ["a"]


def test_a_wait_without_a_key_takes_an_event_with_any_key() -> None:
    mailbox = Mailbox()
    mailbox.receive(_event("a", key="8"))
    assert _matched(mailbox, _wait(key=None)) == "a"


def test_an_event_is_taken_once_however_often_it_arrives() -> None:
    mailbox = Mailbox()
    mailbox.receive(_event("a"))
    event = mailbox.match(_wait())
    assert event is not None
    mailbox.take(event)
    mailbox.receive(_event("a"))
    assert _matched(mailbox, _wait("w2")) is None


def test_the_event_that_started_the_run_never_satisfies_a_wait() -> None:
    mailbox = Mailbox()
    mailbox.receive(_event("a"))
    mailbox.forbid("a")
    mailbox.receive(_event("a"))
    assert _matched(mailbox, _wait()) is None


def test_an_event_refused_by_filters_is_judged_anew_by_the_next_wait() -> None:
    mailbox = Mailbox()
    mailbox.receive(_event("a", amount=50))
    assert _matched(mailbox, _wait("w1", filters=(OVER_100,))) is None
    assert _matched(mailbox, _wait("w2")) == "a"


def test_an_event_delivered_again_under_another_key_counts_with_that_key() -> None:
    mailbox = Mailbox()
    mailbox.receive(_event("a", key="7"))
    mailbox.receive(_event("a", key="8"))
    assert _matched(mailbox, _wait(key="8")) == "a"


def test_a_wait_since_its_own_start_leaves_earlier_events_to_later_waits() -> None:
    mailbox = Mailbox()
    mailbox.receive(_event("early"))
    wait = _wait("w1", since="wait")
    mailbox.open(wait)
    assert _matched(mailbox, wait) is None
    mailbox.receive(_event("late"))
    assert _matched(mailbox, wait) == "late"
    later = _wait("w2")
    mailbox.open(later)
    assert _matched(mailbox, later) == "early"


def test_everything_survives_a_checkpoint() -> None:
    mailbox = Mailbox()
    mailbox.receive(_event("kept", amount=1))
    mailbox.forbid("gone")
    mailbox.respond(AcceptedResponse(task_id="t", payload={"ok": True}, responded_by="ann"))
    mailbox.resume(QuotaResumeSignal(wait_id="q"))
    mailbox.open(_wait("w1", since="wait"))
    copy = Mailbox.restore(json.loads(json.dumps(mailbox.dump())))
    assert copy == mailbox
    copy.open(_wait("w1", since="wait"))
    copy.receive(_event("gone"))
    copy.receive(_event("new"))
    assert _matched(copy, _wait("w1", since="wait")) == "new"


def test_the_first_response_to_a_task_stands() -> None:
    mailbox = Mailbox()
    mailbox.respond(AcceptedResponse(task_id="t", payload=1))
    mailbox.respond(AcceptedResponse(task_id="t", payload=2))
    assert mailbox.responses["t"].payload == 1


def test_a_response_of_nobody_in_particular_stands_as_it_was_sent() -> None:
    mailbox = Mailbox()
    mailbox.respond(AcceptedResponse(task_id="t", payload=1))
    assert mailbox.dump()["responses"] == {"t": {"taskId": "t", "eventName": None, "payload": 1}}


@pytest.mark.parametrize("meant_for", [None, "q1"])
def test_a_quota_resume_is_used_once_by_the_wait_it_is_meant_for(meant_for: str | None) -> None:
    mailbox = Mailbox()
    mailbox.resume(QuotaResumeSignal(wait_id="other"))
    mailbox.resume(QuotaResumeSignal(wait_id=meant_for))
    assert mailbox.take_resume("q1")
    assert not mailbox.take_resume("q1")
    assert mailbox.take_resume("other")
