"""Runs whose row Redis lost after their start was acknowledged and before they read it."""

from typing import Any, cast

import pytest
from redis.asyncio import Redis
from temporalio.client import Client
from tests.fixtures.authored import TENANT, Authored, action, assign, eventually, run_id_of, wait
from tests.fixtures.quiet import QuietAuthored, be_alone
from tests.fixtures.rebuilding import destroy, requires_equal_rebuilding

from workflow_runtime.core.canonical import MAX_PAYLOAD_DEPTH
from workflow_runtime.core.contract import RunInput, run_workflow_id
from workflow_runtime.core.origin import MAX_SPARE_CHARACTERS, RunOrigin
from workflow_runtime.service.action_dispatch import ActionCall
from workflow_runtime.service.launch import launch_run, recover_launches, release_run
from workflow_runtime.store.connection import utc_now
from workflow_runtime.store.events import EventIntake, NewEvent, accept_event
from workflow_runtime.store.runs import RunRow
from workflow_worker.rebuild import Rebuilder
from workflow_worker.rebuild.histories import read_histories
from workflow_worker.records import LoadRequest
from workflow_worker.run_activities import RunActivities

NESTED: Any = 1
for _ in range(MAX_PAYLOAD_DEPTH):
    NESTED = [NESTED]


@pytest.fixture
async def authored(client: Client, redis_client: Redis) -> Authored:
    await be_alone(client)
    return QuietAuthored(client, redis_client)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch, redis_client: Redis) -> None:
    """Each run loses its row, and everything else of it, in the moment before it reads it."""
    read = RunActivities._beginning

    async def forget(store: RunActivities, request: LoadRequest) -> Any:
        await destroy(redis_client, f"run:{request.run_id}*")
        return await read(store, request)

    monkeypatch.setattr(RunActivities, "_beginning", forget)


async def new_row(authored: Authored, workflow_id: str, run_id: str, **fields: Any) -> RunRow:
    version = await authored.catalog.get_version(TENANT, workflow_id, 1)
    row = {"workflow_version": 1, "definition_hash": version.hash, "root_run_id": run_id, "payload": {}}
    return RunRow(run_id=run_id, tenant_id=TENANT, workflow_id=workflow_id, **{**row, **fields})


async def given(authored: Authored, run_id: str) -> tuple[RunInput, RunOrigin | None]:
    histories = await read_histories(authored.client, run_id)
    return histories.input, histories.origin


@pytest.mark.parametrize("payload", [None, {"text": "é"}, {"deep": NESTED}], ids=repr)
async def test_a_run_whose_row_was_lost_before_it_began_goes_on(authored: Authored, payload: Any) -> None:
    workflow_id = await authored.publish(assign("a", x="payload"), action("b", "echo"))
    run_id = f"{workflow_id}-lost"
    row = await new_row(
        authored,
        workflow_id,
        run_id,
        payload=payload,
        trigger_type="event",
        trigger_event_id="e1",
        execution_key="event:e1",
    )
    await launch_run(authored.client, authored.runs, row)
    before = await authored.runs.get_run(TENANT, run_id)
    assert before is not None
    await destroy(authored.redis)
    async with authored.serving():
        result = await authored.handle(run_id).result()
    assert result["payload"] == payload
    after = await authored.runs.get_run(TENANT, run_id)
    assert after is not None
    assert after.status == "SUCCEEDED"
    written = {"status", "seq", "step_count", "started_at", "updated_at", "ended_at"}
    assert after.model_dump(exclude=written) == before.model_dump(exclude=written)
    assert await authored.runs.payload(TENANT, run_id) == payload
    await requires_equal_rebuilding(authored)


async def test_a_run_with_a_payload_too_large_to_travel_twice_says_what_is_missing(authored: Authored) -> None:
    handle = await authored.start(await authored.publish(assign("a", x="1")), {"text": "x" * MAX_SPARE_CHARACTERS})
    await destroy(authored.redis)
    async with authored.serving():
        error = await authored.failure(handle)
    assert error.details[0]["code"] == "NOT_FOUND"
    assert run_id_of(handle) in error.message


async def test_a_child_whose_row_was_lost_before_it_began_goes_on(authored: Authored, forgetful: None) -> None:
    child = await authored.publish(assign("twice", answer="payload.n * 2"))
    call = {"id": "call", "type": "control.callWorkflow", "workflowId": child, "workflowVersion": 1}
    output = {"vars.answer": {"$expr": "childRun.vars.answer"}}
    async with authored.serving():
        handle = await authored.start(
            await authored.publish({**call, "inputMapping": {"n": 21}, "outputMapping": output})
        )
        assert (await handle.result())["vars"]["answer"] == 42
    [child_id] = (await authored.detail(handle)).child_run_ids
    row = await authored.runs.get_run(TENANT, child_id)
    assert row is not None
    assert (row.parent_run_id, row.root_run_id, row.trigger_type) == (run_id_of(handle), run_id_of(handle), "child")
    assert await authored.runs.active_count(TENANT, child) == 0
    await requires_equal_rebuilding(authored)


async def test_a_run_whose_row_is_lost_between_two_histories_goes_on(short_lived: Authored, forgetful: None) -> None:
    await be_alone(short_lived.client)
    authored = QuietAuthored(short_lived.client, short_lived.redis)
    loop = {"id": "loop", "type": "control.forEach", "items": {"$expr": str(list(range(24)))}, "itemVar": "n"}
    async with authored.serving():
        handle = await authored.start(
            await authored.publish(
                {**loop, "body": [action("hit", "echo", saveAs="last", input={"n": {"$expr": "n"}})]}
            )
        )
        assert (await handle.result())["vars"]["last"] == {"n": 23}
    histories = await read_histories(authored.client, run_id_of(handle))
    assert len(histories.histories) > 1
    await Rebuilder(authored.client, authored.redis).rebuild(run_id_of(handle))
    assert [row.fields["status"] for row in (await authored.detail(handle)).actions] == ["SUCCEEDED"] * 24
    await requires_equal_rebuilding(authored)


async def test_an_event_between_the_loss_of_a_row_and_the_next_record_reaches_a_later_wait(authored: Authored) -> None:
    async def slow(call: ActionCall) -> Any:
        await authored.redis.set("test:started", "1")
        await eventually(lambda: cast(Any, authored.redis.get("test:go")))

    async with authored.serving(slow=slow):
        handle = await authored.start(await authored.publish(action("s", "slow"), wait("w", "PAID")))
        await eventually(lambda: cast(Any, authored.redis.get("test:started")))
        await destroy(authored.redis)
        event = NewEvent(tenant=TENANT, event_name="PAID", correlation_key="7", payload={"n": 1})
        await accept_event(authored.redis, EventIntake(authored.redis), event)
        await authored.redis.set("test:go", "1")
        assert (await handle.result())["vars"]["event"] == {"n": 1}


async def test_a_start_that_is_repeated_starts_what_was_recorded_first(authored: Authored) -> None:
    workflow_id = await authored.publish(assign("a", x="1"))
    run_id = f"{workflow_id}-twice"
    first = await new_row(authored, workflow_id, run_id, payload={"n": 1}, execution_key="k")
    admission = await authored.runs.admit(first)
    again = first.model_copy(update={"payload": {"n": 2}, "workflow_version": 2, "definition_hash": "0" * 64})
    assert (await launch_run(authored.client, authored.runs, again)).created_at == admission.created_at
    run, origin = await given(authored, run_id)
    assert origin is not None
    assert (run.workflow_version, origin.definition_hash) == (1, first.definition_hash)
    assert (origin.payload, origin.created_at) == ('{"n":1}', admission.created_at)


async def test_starts_that_waited_or_were_left_behind_take_their_payload_along(authored: Authored) -> None:
    workflow_id = await authored.publish(assign("a", x="1"))
    await authored.catalog.set_concurrency_limit(TENANT, workflow_id, 1)
    left = await new_row(authored, workflow_id, f"{workflow_id}-left", payload={"n": 1})
    queued = await new_row(authored, workflow_id, f"{workflow_id}-queued", payload={"n": 2})
    await authored.runs.admit(left)
    assert (await launch_run(authored.client, authored.runs, queued)).state == "queued"
    await recover_launches(authored.client, authored.runs, TENANT, utc_now())
    await authored.runs.finish_run(TENANT, left.run_id, "CANCELED")
    await release_run(authored.client, authored.runs, TENANT, workflow_id, left.run_id)
    for run_id, payload in ((left.run_id, '{"n":1}'), (queued.run_id, '{"n":2}')):
        _, origin = await given(authored, run_id)
        assert origin is not None
        assert origin.payload == payload


async def test_a_second_argument_that_is_none_of_ours_is_left_unused(authored: Authored) -> None:
    workflow_id = await authored.publish(assign("a", x="1"))
    run_id = f"{workflow_id}-stranger"
    await authored.runs.admit(await new_row(authored, workflow_id, run_id))
    argument = RunInput(run_id=run_id, tenant_id=TENANT, workflow_id=workflow_id, workflow_version=1)
    async with authored.serving():
        handle = await authored.client.start_workflow(
            "workflowRuntimeV2RunWorkflow",
            args=[argument, {"definitionHash": 7}, "more"],
            id=run_workflow_id(run_id),
            task_queue="workflow-runtime-v2",
        )
        assert (await handle.result())["vars"]["x"] == 1
    assert (await given(authored, run_id))[1] is None
