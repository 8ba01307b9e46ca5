"""One way of running an action: secrets stay inside, failures keep their category, outages are waited for."""

import asyncio
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
        self.calls: list[str] = []
        self.outages = 0

    async def begin(self, request: ActionRequest, *, side_effectful: bool) -> tuple[LedgerVerdict, Any]:
        self._answer("begin")
        state, output = self.entries.get(request.idempotency_key, ("", None))
        self.entries[request.idempotency_key] = (state or "STARTED", output)
        if state == "SUCCEEDED":
            return LedgerVerdict.SUCCEEDED, output
        return (LedgerVerdict.UNKNOWN if state in ("STARTED", "UNKNOWN") else LedgerVerdict.FRESH), None

    async def succeed(self, request: ActionRequest, output: Any, *, begun: bool = True) -> Any:
        self._answer("succeed" if begun else "succeed at once")
        self.entries[request.idempotency_key] = ("SUCCEEDED", output)
        return output

    async def fail(self, request: ActionRequest, failure: Failure, *, begun: bool = True) -> None:
        self._answer("fail" if begun else "fail at once")
        self.entries[request.idempotency_key] = ("FAILED", failure)

    async def unknown(self, request: ActionRequest) -> None:
        self._answer("unknown")
        self.entries[request.idempotency_key] = ("UNKNOWN", None)

    def _answer(self, call: str) -> None:
        if self.outages:
            self.outages -= 1
            raise RedisConnectionError("connection refused")
        self.calls.append(call)


class OneSecret(Secrets):
    """Every name has the same value."""

    async def resolve(self, tenant_id: str, name: str) -> str:
        return SECRET


def _request(given: Any = None, key: str = "k") -> ActionRequest:
    context = ActionContext(run_id="r", step_path="p", tenant_id="acme", attempt=1, now_iso="2026-01-01T00:00:00Z")
    return ActionRequest(action_id="test.it", version=1, input=given, idempotency_key=key, context=context)


def _dispatcher(handler: Any, ledger: MemoryLedger | None = None, *, changes: bool = True) -> ActionDispatcher:
    spec = ActionSpec(
        id="test.it", version=1, input_schema=True, output_schema=True, side_effectful=changes, task_queue="q"
    )
    return ActionDispatcher([ServedAction(spec, handler)], ledger=ledger or MemoryLedger(), secrets=OneSecret())


async def _run(handler: Any, request: ActionRequest | None = None, ledger: MemoryLedger | None = None) -> Any:
    return await ActivityEnvironment().run(_dispatcher(handler, ledger).execute, request or _request())


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


async def test_a_local_action_waits_for_the_store_it_works_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.001)
    calls: list[bool] = []

    async def handler(call: ActionCall) -> Any:
        calls.append(call.recovered)
        if len(calls) < 3:
            raise RedisConnectionError("connection refused")
        return "there"

    spec = ActionSpec(
        id="test.it", version=1, input_schema=True, output_schema=True, side_effectful=True, task_queue="q"
    )
    actions = [ServedAction(spec, handler, local=True)]
    dispatcher = ActionDispatcher(actions, ledger=MemoryLedger(), secrets=OneSecret())
    assert dispatcher.local_actions == {"test.it@1"}
    assert await ActivityEnvironment().run(dispatcher.execute, _request()) == "there"
    assert len(calls) == 3


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


# Actions that change nothing

DERIVED = "acme:r:p:test.it:1:0"


async def _run_pure(handler: Any, ledger: MemoryLedger, key: str = DERIVED) -> Any:
    dispatcher = _dispatcher(handler, ledger, changes=False)
    return await ActivityEnvironment().run(dispatcher.execute, _request(key=key))


async def test_a_computation_that_ends_at_once_is_recorded_in_one_call() -> None:
    ledger = MemoryLedger()

    async def handler(call: ActionCall) -> Any:
        return "done"

    assert await _run_pure(handler, ledger) == "done"
    assert (ledger.calls, ledger.entries[DERIVED]) == (["succeed at once"], ("SUCCEEDED", "done"))


async def test_a_computation_that_fails_at_once_is_recorded_in_one_call() -> None:
    ledger = MemoryLedger()

    async def handler(call: ActionCall) -> Any:
        raise TransientFailure("no")

    with pytest.raises(ApplicationError):
        await _run_pure(handler, ledger)
    assert (ledger.calls, ledger.entries[DERIVED][0]) == (["fail at once"], "FAILED")


async def test_an_action_that_takes_time_is_on_record_while_it_runs() -> None:
    ledger, on_record = MemoryLedger(), asyncio.Event()

    async def handler(call: ActionCall) -> Any:
        while DERIVED not in ledger.entries:  # noqa: ASYNC110 - a dictionary has no event
            await asyncio.sleep(0)
        assert ledger.entries[DERIVED][0] == "STARTED"
        on_record.set()
        return "done"

    assert await _run_pure(handler, ledger) == "done"
    assert on_record.is_set()
    assert ledger.calls == ["begin", "succeed"]


async def test_an_answer_on_record_ends_a_run_ahead() -> None:
    ledger, ended = MemoryLedger(), []
    ledger.entries[DERIVED] = ("SUCCEEDED", "from before")

    async def handler(call: ActionCall) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    assert await _run_pure(handler, ledger) == "from before"
    assert ended == [True]


async def test_a_computation_under_an_authored_key_asks_the_ledger_first() -> None:
    ledger = MemoryLedger()
    ledger.entries["acme:mine"] = ("SUCCEEDED", "of another run")

    async def handler(call: ActionCall) -> Any:
        raise AssertionError("must not run")

    assert await _run_pure(handler, ledger, key="acme:mine") == "of another run"


async def test_an_effect_is_on_record_before_it_happens() -> None:
    ledger = MemoryLedger()

    async def handler(call: ActionCall) -> Any:
        assert ledger.calls == ["begin"]
        return "done"

    assert await _run(handler, _request(key=DERIVED), ledger) == "done"


# What a run gives its action to carry


@pytest.mark.parametrize("changes", [True, False])
@pytest.mark.parametrize("action_id", ["test.it", "test.unknown"])
@pytest.mark.parametrize("fails", [True, False])
async def test_what_came_along_is_written_once_however_the_action_ends(
    changes: bool, action_id: str, fails: bool
) -> None:
    written: list[str] = []

    async def handler(call: ActionCall) -> Any:
        if fails:
            raise TransientFailure("no")
        return "done"

    async def write() -> None:
        written.append("news")

    async def execute(request: ActionRequest) -> Any:
        return await _dispatcher(handler, changes=changes).execute_with(request, write)

    request = _request(key=DERIVED).model_copy(update={"action_id": action_id})
    work = ActivityEnvironment().run(execute, request)
    if fails or action_id == "test.unknown":
        with pytest.raises(ApplicationError):
            await work
    else:
        assert await work == "done"
    assert written == ["news"]


async def test_what_came_along_travels_with_the_first_note_in_the_ledger() -> None:
    ledger, both = MemoryLedger(), asyncio.Barrier(2)
    begin = ledger.begin

    async def meeting(request: ActionRequest, *, side_effectful: bool) -> Any:
        await both.wait()
        return await begin(request, side_effectful=side_effectful)

    ledger.begin = meeting  # type: ignore[method-assign]

    async def handler(call: ActionCall) -> Any:
        return "done"

    async def write() -> None:
        await both.wait()

    async def execute(request: ActionRequest) -> Any:
        return await _dispatcher(handler, ledger).execute_with(request, write)

    assert await ActivityEnvironment().run(execute, _request()) == "done"


async def test_an_outage_repeats_only_the_write_it_hit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.001)
    ledger, writes = MemoryLedger(), 0

    async def handler(call: ActionCall) -> Any:
        return call.recovered

    async def write() -> None:
        nonlocal writes
        writes += 1
        if writes < 3:
            raise RedisConnectionError("connection refused")

    async def execute(request: ActionRequest) -> Any:
        return await _dispatcher(handler, ledger).execute_with(request, write)

    assert await ActivityEnvironment().run(execute, _request()) is False
    assert (writes, ledger.calls) == (3, ["begin", "succeed"])
