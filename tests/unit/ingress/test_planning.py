"""Which triggers and waits an event goes to, and what is remembered of those it does not go to."""

from dataclasses import replace

from tests.fixtures.ingress_values import claim_of, ledger_event, trigger, wait

from workflow_runtime.core.machine.effects import Filter
from workflow_worker.ingress.planning import make_plan, run_id_of


def test_triggers_and_matching_waits_become_targets() -> None:
    plan = make_plan(claim_of(ledger_event(keys=["T-1"]), wait("run-1", key="T-1"), triggers=[trigger("follow-up", 3)]))
    assert [target.id for target in plan.targets] == ["trigger:follow-up", "wait:run-1:w"]
    assert [target.workflow_version for target in plan.targets] == [3, None]
    assert plan.reason == ""


def test_the_run_id_follows_from_tenant_event_and_workflow_only() -> None:
    ids = {run_id_of("acme", "e", "w"), run_id_of("umbrella", "e", "w"), run_id_of("acme", "f", "w")}
    assert len(ids | {run_id_of("acme", "e", "v")}) == 4
    assert run_id_of("acme", "e", "w") in ids


def test_the_run_id_of_an_event_never_changes_between_releases() -> None:
    event_id = "6f9619ff-8b86-d011-b42d-00c04fc964ff"
    assert run_id_of("acme", event_id, "ticket-follow-up") == "371ca2bc-f602-5bc9-9fbc-dda14af27e91"


def test_a_filter_that_refuses_is_named_with_both_values() -> None:
    refusing = replace(wait("run-1", key="T-1"), filters=(Filter(path="status", op="=", value="open"),))
    plan = make_plan(claim_of(ledger_event(payload={"status": "closed"}, keys=["T-1"]), refusing))
    [row] = plan.considered
    assert (row.matched, row.run_id) == (False, "run-1")
    assert row.reason == "filter not met: status = 'open', but it is 'closed'"
    assert "1 waits with this name and key refuses it" in plan.reason


def test_a_refusal_shows_no_secret_of_the_payload() -> None:
    refusing = replace(wait("run-1"), filters=(Filter(path="login.password", op="=", value="x"),))
    plan = make_plan(claim_of(ledger_event(payload={"login": {"password": "hunter2"}}), refusing))
    assert "REDACTED" in plan.considered[0].reason
    assert "hunter2" not in plan.considered[0].reason


def test_the_event_that_started_a_run_does_not_resume_it() -> None:
    event = ledger_event(keys=["T-1"])
    own = replace(wait("run-1", key="T-1"), trigger_event_id=event.event.event_id)
    plan = make_plan(claim_of(event, own))
    assert plan.targets == ()
    assert plan.considered[0].reason == "this event started the run"


def test_an_event_from_before_the_wait_may_look_is_refused_with_that_reason() -> None:
    event = ledger_event(sequence=5)
    for late in (replace(wait("run-1"), first_sequence=6), replace(wait("run-1"), since_ms=event.accepted_ms + 1)):
        plan = make_plan(claim_of(event, late))
        assert plan.targets == ()
        assert "came before the wait may look" in plan.considered[0].reason


def test_targets_of_events_with_the_same_key_share_a_lane_only_for_the_same_workflow_or_run() -> None:
    first, second = ledger_event(keys=["K", "L"]), ledger_event(keys=["K"])
    triggers = [trigger("a"), trigger("b")]
    plans = [make_plan(claim_of(event, wait("run-1"), triggers=triggers)) for event in (first, second)]
    lanes = [[set(target.lanes) for target in plan.targets] for plan in plans]
    shared = [[bool(one & other) for other in lanes[1]] for one in lanes[0]]
    assert shared == [[True, False, False], [False, True, False], [False, False, True]]


def test_many_refusing_waits_are_remembered_only_in_part() -> None:
    early = [replace(wait(f"run-{n}"), first_sequence=99) for n in range(500)]
    plan = make_plan(claim_of(ledger_event(), *early, wait("matching")))
    assert len(plan.considered) == 101
    assert plan.considered[0].run_id == "matching"
