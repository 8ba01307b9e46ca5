"""One way of running an action: secrets stay inside, failures keep their category, outages are waited for."""

from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from temporalio.api.failure.v1 import Failure as ProtoFailure
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from workflow_runtime.core.actions import ActionSpec
from workflow_runtime.core.contract import ActionContext, ActionRequest
from workflow_runtime.core.errors import Failure, TransientFailure
from workflow_runtime.service import patience
from workflow_runtime.service.action_dispatch import ActionCall, ActionDispatcher, Ledger, Secrets, ServedAction
from workflow_runtime.store.errors import RevisionMismatchError
from workflow_runtime.store.ledger import LedgerVerdict

SECRET = "hunter2-and-more"


class MemoryLedger(Ledger):
    """Keeps entries by key; ``outages`` is how many calls fail before the next one works."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[str, Any]] = {}
        self.outages = 0

    async def begin(self, request: ActionRequest, *, side_effectful: bool) -> tuple[LedgerVerdict, Any]:
        self._answer()
        state, output = self.entries.get(request.idempotency_key, ("", None))
        self.entries[request.idempotency_key] = (state or "STARTED", output)
        if state == "SUCCEEDED":
            return LedgerVerdict.SUCCEEDED, output
        return (LedgerVerdict.UNKNOWN if state in ("STARTED", "UNKNOWN") else LedgerVerdict.FRESH), None

    async def succeed(self, request: ActionRequest, output: Any) -> Any:
        self._answer()
        self.entries[request.idempotency_key] = ("SUCCEEDED", output)
        return output

    async def fail(self, request: ActionRequest, failure: Failure) -> None:
        self._answer()
        self.entries[request.idempotency_key] = ("FAILED", failure)

    async def unknown(self, request: ActionRequest) -> None:
        self._answer()
        self.entries[request.idempotency_key] = ("UNKNOWN", None)

    def _answer(self) -> None:
        if self.outages:
            self.outages -= 1
            raise RedisConnectionError("connection refused")


class OneSecret(Secrets):
    """Every name has the same value."""

    async def resolve(self, tenant_id: str, name: str) -> str:
        return SECRET


def _request(given: Any = None) -> ActionRequest:
    context = ActionContext(run_id="r", step_path="p", tenant_id="acme", attempt=1, now_iso="2026-01-01T00:00:00Z")
    return ActionRequest(action_id="test.it", version=1, input=given, idempotency_key="k", context=context)


async def _run(handler: Any, request: ActionRequest | None = None, ledger: MemoryLedger | None = None) -> Any:
    spec = ActionSpec(
        id="test.it", version=1, input_schema=True, output_schema=True, side_effectful=True, task_queue="q"
    )
    dispatcher = ActionDispatcher([ServedAction(spec, handler)], ledger=ledger or MemoryLedger(), secrets=OneSecret())
    return await ActivityEnvironment().run(dispatcher.execute, request or _request())


async def _history(error: BaseException) -> str:
    proto = ProtoFailure()
    await DataConverter.default.encode_failure(error, proto)
    return str(proto)


@pytest.mark.parametrize(
    "raised", [ValueError(f"bad {SECRET}"), TransientFailure(f"no {SECRET}", details={"sent": [SECRET]})]
)
async def test_a_secret_reaches_the_handler_and_no_failure_that_leaves_the_activity(raised: Exception) -> None:
    async def handler(call: ActionCall) -> Any:
        assert call.input == {"token": SECRET}
        raise raised from RuntimeError(f"because of {SECRET}")

    with pytest.raises(ApplicationError) as failure:
        await _run(handler, _request({"token": {"$secret": "TOKEN"}}))
    history = await _history(failure.value)
    assert SECRET not in history
    assert "[SECRET:REDACTED]" in history


async def test_a_store_refusal_keeps_category_code_and_details() -> None:
    async def handler(call: ActionCall) -> Any:
        raise RevisionMismatchError("draft", 1, 2)

    with pytest.raises(ApplicationError) as failure:
        await _run(handler)
    record = failure.value.details[0]
    assert (record["category"], record["code"], record["details"]) == (
        "ActionError",
        "CONFLICT",
        {"expected": 1, "actual": 2},
    )


async def test_a_store_that_a_handler_cannot_reach_is_transient() -> None:
    async def handler(call: ActionCall) -> Any:
        raise RedisConnectionError("connection refused")

    with pytest.raises(ApplicationError) as failure:
        await _run(handler)
    assert failure.value.type == "WorkflowRuntimeV2.TransientError"


async def test_an_outage_of_the_ledger_is_waited_for_and_the_handler_runs_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.001)
    ledger, runs = MemoryLedger(), 0

    async def handler(call: ActionCall) -> Any:
        nonlocal runs
        runs += 1
        ledger.outages = 3
        return "done"

    ledger.outages = 2
    assert await _run(handler, ledger=ledger) == "done"
    assert (runs, ledger.entries["k"]) == (1, ("SUCCEEDED", "done"))


async def test_a_succeeded_key_is_answered_without_running() -> None:
    ledger = MemoryLedger()
    ledger.entries["k"] = ("SUCCEEDED", "from before")

    async def handler(call: ActionCall) -> Any:
        raise AssertionError("must not run")

    assert await _run(handler, ledger=ledger) == "from before"


async def test_a_started_key_runs_as_recovered() -> None:
    ledger = MemoryLedger()
    ledger.entries["k"] = ("STARTED", None)

    async def handler(call: ActionCall) -> Any:
        return call.recovered

    assert await _run(handler, ledger=ledger) is True
