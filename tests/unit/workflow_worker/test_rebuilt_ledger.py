"""What the calls of a run say of their idempotency keys: the same as the dispatcher wrote at the time."""

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError, CancelledError, TimeoutError, TimeoutType
from tests.fakes.activity_errors import activity_error

from workflow_runtime.core.contract import AUTHORED_QUEUE, ActionContext, ActionRequest
from workflow_runtime.core.errors import ActionFailure, Failure, ValidationFailure
from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.service.failures import application_error
from workflow_runtime.store.ledger import LedgerEntry
from workflow_worker.rebuild.ledger import ledger_entries
from workflow_worker.rebuild.replaying import CalledAction

AT = "2026-01-01T00:00:00.000Z"
END = "2026-01-01T00:00:05.000Z"
ENDED = ProjectionRecord(seq=1, kind="action", key="root.steps[0]#1", fields={"endedAt": END}, at=END)
OPEN: dict[str, Any] = {}
ANSWERED: dict[str, Any] = {"open": False, "value": {"n": 1}}


def call(key: str = "k", queue: str = AUTHORED_QUEUE, *, local: bool = False, **fields: Any) -> CalledAction:
    context = ActionContext(run_id="r1", step_path="root.steps[0]", tenant_id="acme", attempt=1, now_iso=AT)
    request = ActionRequest(action_id="a", version=1, input={"in": 1}, idempotency_key=key, context=context)
    return CalledAction(request, queue, local, **fields)


def failed(cause: BaseException) -> dict[str, Any]:
    return {"open": False, "error": activity_error(cause)}


def silent(kind: TimeoutType) -> dict[str, Any]:
    return failed(TimeoutError("silent", type=kind, last_heartbeat_details=[]))


REFUSED = ActionFailure("no", code="E1", details={"x": 1}).to_failure()
LOST = silent(TimeoutType.HEARTBEAT)


def entry(*calls: CalledAction, begun: bool | None = None) -> LedgerEntry | None:
    found = ledger_entries(calls, [ENDED], begun=begun)
    assert len(found) <= 1
    return found[0] if found else None


def test_an_answered_call_is_its_answer_from_the_call_to_its_end() -> None:
    assert entry(call(**ANSWERED)) == LedgerEntry(
        idempotency_key="k",
        state="SUCCEEDED",
        action_id="a",
        version=1,
        run_id="r1",
        step_path="root.steps[0]",
        attempts=1,
        input={"in": 1},
        output={"n": 1},
        started_at=AT,
        ended_at=END,
    )


def test_a_failure_is_what_the_action_said_until_a_later_call_answers() -> None:
    refused = failed(application_error(REFUSED))
    first = entry(call(**refused), call(**refused))
    assert first is not None
    assert (first.state, first.failure, first.attempts) == ("FAILED", REFUSED, 2)
    then = entry(call(**refused), call(**ANSWERED), call(open=False, value=7))
    assert then is not None
    assert (then.state, then.failure, then.output, then.attempts) == ("SUCCEEDED", None, {"n": 1}, 2)


@pytest.mark.parametrize(
    "lost",
    [
        LOST,
        silent(TimeoutType.START_TO_CLOSE),
        failed(CancelledError()),
        failed(ApplicationError("gone", type="WorkerShutdown")),
    ],
)
def test_a_call_without_an_answer_is_unknown_until_one_answers(lost: dict[str, Any]) -> None:
    for calls in ([call(**lost)], [call(**lost), call(**failed(application_error(REFUSED)))]):
        unknown = entry(*calls)
        assert unknown is not None
        assert unknown.state == "UNKNOWN"
    answered = entry(call(**lost), call(**ANSWERED))
    assert answered is not None
    assert (answered.state, answered.attempts) == ("SUCCEEDED", 2)


@pytest.mark.parametrize(
    ("open_call", "begun", "state"),
    [
        (call(**OPEN), True, "STARTED"),
        (call(**OPEN), False, None),
        (call(**OPEN), None, "UNKNOWN"),
        (call(local=True), None, "STARTED"),
    ],
    ids=["taken", "not taken", "of a run that is over", "in the worker that decides"],
)
def test_an_open_call_counts_when_somebody_may_have_begun_it(
    open_call: CalledAction, begun: bool | None, state: str | None
) -> None:
    found = entry(open_call, begun=begun)
    assert (found and (found.state, found.ended_at)) == (state and (state, END if state == "UNKNOWN" else None))


@pytest.mark.parametrize(
    "refused",
    [
        silent(TimeoutType.SCHEDULE_TO_START),
        failed(application_error(ValidationFailure("no", code="ACTION_INPUT_INVALID").to_failure())),
        failed(
            application_error(
                Failure.model_validate(
                    {"category": "ActionError", "code": "UNKNOWN_ACTION", "message": "m"}, strict=False
                )
            )
        ),
    ],
)
def test_a_call_that_nobody_began_leaves_no_entry(refused: dict[str, Any]) -> None:
    assert entry(call(**refused)) is None


def test_the_failure_of_a_call_within_the_workflow_task_arrives_bare() -> None:
    found = entry(call(local=True, open=False, error=application_error(REFUSED)))
    assert found is not None
    assert (found.state, found.failure) == ("FAILED", REFUSED)


def test_others_keep_no_ledger_and_every_key_has_an_entry_of_its_own() -> None:
    calls = [call("a", **ANSWERED), call("b", "printers", **ANSWERED), call("c", "workflow-app-actions", **ANSWERED)]
    assert [found.idempotency_key for found in ledger_entries(calls, [ENDED], begun=None)] == ["a", "c"]
