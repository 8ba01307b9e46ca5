"""What Redis shows of runs, rebuilt from Temporal: equal to what was there, field by field."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from temporalio.client import Client
from tests.fixtures.authored import (
    TENANT,
    Authored,
    action,
    assign,
    eventually,
    run_id_of,
    send_event,
    wait,
)
from tests.fixtures.processes import SOURCES
from tests.fixtures.quiet import QuietAuthored, be_alone
from tests.fixtures.rebuilding import destroy, ledgers, rebuilt, requires_equal_rebuilding, snapshot
from tests.fixtures.snapshots import projections
from tests.replay.scenarios import SCENARIOS

from workflow_runtime.core.contract import APP_ACTION_QUEUE, RUN_WORKFLOW_TYPE
from workflow_runtime.core.origin import MAX_SPARE_CHARACTERS
from workflow_runtime.service.action_dispatch import ActionCall
from workflow_runtime.store.events import EventIntake, NewEvent, accept_event
from workflow_runtime.store.runs import RunRow
from workflow_worker.rebuild import Rebuilder
from workflow_worker.rebuild.errors import HistoryGoneError, NotReplayableError
from workflow_worker.rebuild.survey import Report, rebuild_all, rebuild_one

EXAMPLES = Path(__file__).parents[3] / "examples"
TASK = {"id": "ask", "type": "human.task", "config": {"taskType": "approval", "title": "Approve?"}}


@pytest.fixture
async def authored(client: Client, redis_client: Redis) -> Authored:
    await be_alone(client)
    return QuietAuthored(client, redis_client)


@pytest.fixture
async def short_lived(short_lived: Authored) -> Authored:
    await be_alone(short_lived.client)
    return QuietAuthored(short_lived.client, short_lived.redis)


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "abandoned"])
async def test_projections_of_every_scenario_are_rebuilt(name: str, short_lived: Authored) -> None:
    await SCENARIOS[name](short_lived)
    assert any(key.startswith("run:") for key in await snapshot(short_lived))
    await requires_equal_rebuilding(short_lived)


# Runs that are still going on


@pytest.mark.parametrize("since", ["run", "wait"])
async def test_a_waiting_run_is_rebuilt_and_still_hears_its_event(authored: Authored, since: str) -> None:
    async with authored.serving():
        workflow_id = await authored.publish(
            action("first", "echo"), wait("w", "PAID", since=since, assign={"vars.n": {"$expr": "event.n"}})
        )
        handle = await authored.start(workflow_id)
        opened = await authored.waiting(handle, "waitForEvent")
        before = await snapshot(authored)
        await destroy(authored.redis)
        await rebuilt(authored, before)
        known = await authored.waits.get(TENANT, run_id_of(handle), opened["waitId"])
        assert known is not None
        if since == "run":
            assert await projections(authored.redis, TENANT) == before
        await send_event(handle, "e", "PAID", "7", {"n": 3})
        assert (await handle.result())["vars"]["n"] == 3
    detail = await authored.detail(handle)
    assert (detail.run.status, [row.fields["status"] for row in detail.waits]) == ("SUCCEEDED", ["RESOLVED"])
    await requires_equal_rebuilding(authored)


@pytest.mark.parametrize("row_is_lost", [True, False], ids=["row lost", "row there"])
async def test_an_event_that_came_while_the_wait_was_lost_reaches_the_run(
    authored: Authored, row_is_lost: bool
) -> None:
    intake = EventIntake(authored.redis)

    async def accept(number: int) -> None:
        event = NewEvent(tenant=TENANT, event_name="PAID", correlation_key="7", payload={"n": number})
        await accept_event(authored.redis, intake, event)

    handle = await authored.start(await authored.publish(action("first", "echo"), wait("w", "PAID", since="wait")))
    await accept(1)
    async with authored.serving():
        opened = await authored.waiting(handle, "waitForEvent")
        before = await snapshot(authored)
        if row_is_lost:
            await destroy(authored.redis)
        else:
            await authored.waits.resolve(TENANT, run_id_of(handle), opened["waitId"])
        await accept(2)
        await rebuilt(authored, before)
        assert (await handle.result())["vars"]["event"] == {"n": 2}, "the first one came before the wait opened"


async def test_an_open_task_is_rebuilt_and_can_be_answered(authored: Authored) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(TASK))
        opened = await authored.waiting(handle, "waitForTask")
        before = await snapshot(authored)
        await destroy(authored.redis)
        await rebuilt(authored, before)
        assert await projections(authored.redis, TENANT) == before
        response = {"taskId": opened["taskId"], "payload": {"a": 1}}
        await handle.execute_update("workflowRuntimeV2CompleteTask", args=[response, "ann"])
        await handle.result()
    task = await authored.tasks.get(TENANT, opened["taskId"])
    assert task is not None
    assert (task.status, task.response, task.responded_by) == ("COMPLETED", {"a": 1}, "ann")
    await requires_equal_rebuilding(authored)


async def test_a_run_in_the_middle_of_an_action_is_rebuilt_and_goes_on(authored: Authored) -> None:
    async def slow(call: ActionCall) -> Any:
        await authored.redis.set("test:started", "1")
        await eventually(lambda: cast(Any, authored.redis.get("test:go")))
        return 5

    async def started() -> bool | None:
        return True if await authored.redis.get("test:started") else None

    async with authored.serving(slow=slow):
        handle = await authored.start(await authored.publish(action("s", "slow", saveAs="n"), assign("a", x="vars.n")))
        await eventually(started)
        before, calls = await snapshot(authored), await ledgers(authored)
        assert [call["state"] for call in calls] == ["STARTED"]
        await destroy(authored.redis)
        assert (await rebuilt(authored, before)).left == []
        assert await projections(authored.redis, TENANT) == before
        assert await ledgers(authored) == calls, "the next attempt has to know that this one began"
        await authored.redis.set("test:go", "1")
        assert (await handle.result())["vars"]["x"] == 5
    await requires_equal_rebuilding(authored)


async def test_an_action_that_nobody_has_taken_yet_is_not_said_to_have_begun(authored: Authored) -> None:
    workflow_id = await authored.publish(action("s", "slow"), queues={"test.slow@1": APP_ACTION_QUEUE})
    async with authored.serving():
        handle = await authored.start(workflow_id)

        async def called() -> bool | None:
            return True if (await authored.detail(handle)).actions else None

        await eventually(called)
        before = await snapshot(authored)
        await destroy(authored.redis)
        assert (await rebuilt(authored, before)).left == []
        assert (await projections(authored.redis, TENANT), await ledgers(authored)) == (before, [])
        await handle.terminate()


async def test_an_answer_under_an_authored_key_is_there_again_for_other_runs(authored: Authored) -> None:
    called: list[str] = []

    async def count(call: ActionCall) -> Any:
        called.append(call.context.run_id)
        return len(called)

    workflow_id = await authored.publish(
        action("s", "count", idempotencyKey={"$expr": "'welcome-' & payload.who"}, saveAs="n")
    )
    async with authored.serving(count=count):
        first = await authored.start(workflow_id, {"who": "ann"})
        await first.result()
        before = await snapshot(authored)
        await destroy(authored.redis, "run:*", "runs*", "ledger:*")
        await rebuilt(authored, before)
        assert (await (await authored.start(workflow_id, {"who": "ann"})).result())["vars"]["n"] == 1
    assert called == [run_id_of(first)]


async def test_rebuilding_beside_a_busy_run_loses_nothing(short_lived: Authored) -> None:
    loop = {"id": "loop", "type": "control.forEach", "items": {"$expr": str(list(range(12)))}, "itemVar": "n"}
    async with short_lived.serving():
        handle = await short_lived.start(
            await short_lived.publish({**loop, "body": [action("hit", "echo"), TASK]}, assign("end", x="1"))
        )
        answered: set[str] = set()
        while len(answered) < 12:
            await Rebuilder(short_lived.client, short_lived.redis).rebuild(run_id_of(handle))
            opened = await short_lived.waiting(handle, "waitForTask")
            if opened["taskId"] not in answered:
                answered.add(opened["taskId"])
                response = {"taskId": opened["taskId"], "payload": len(answered)}
                await handle.signal("workflowRuntimeV2HumanTask", response)
        await handle.result()
    detail = await short_lived.detail(handle)
    assert [row.fields["status"] for row in detail.actions] == ["SUCCEEDED"] * 12
    assert {task.status for task in await short_lived.tasks.of_run(TENANT, run_id_of(handle))} == {"COMPLETED"}
    await requires_equal_rebuilding(short_lived)


# What cannot be rebuilt


async def test_a_run_that_temporal_does_not_have_is_left_alone_and_named(authored: Authored) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(assign("a", x="1")))
        await handle.result()
    await authored.runs.apply_projections(TENANT, run_id_of(handle), [])
    gone = run_id_of(handle) + "-elsewhere"
    row = await authored.runs.get_run(TENANT, run_id_of(handle))
    assert row is not None
    await authored.runs.create_run(row.model_copy(update={"run_id": gone, "payload": {}, "status": "RUNNING"}))
    before = await projections(authored.redis, TENANT)
    report = Report()
    await rebuild_one(authored.client, authored.redis, gone, None, report)
    (left,) = report.left
    assert isinstance(left, HistoryGoneError)
    assert gone in str(left)
    assert await projections(authored.redis, TENANT) == before


async def test_a_run_that_never_began_keeps_its_row_and_is_named_without_one(authored: Authored) -> None:
    handle = await authored.start(await authored.publish(assign("a", x="1")), {"text": "x" * MAX_SPARE_CHARACTERS})
    before = await snapshot(authored)
    assert (await rebuilt(authored, before)).left == []
    assert await projections(authored.redis, TENANT) == before
    await destroy(authored.redis)
    with pytest.raises(NotReplayableError, match="never began"):
        await Rebuilder(authored.client, authored.redis).rebuild(run_id_of(handle))


async def test_a_run_that_could_not_begin_keeps_its_row_and_its_end(authored: Authored) -> None:
    handle = await SCENARIOS["abandoned"](authored)
    before = await snapshot(authored)
    assert (await rebuilt(authored, before)).left == []
    assert await projections(authored.redis, TENANT) == before
    ended = (await authored.detail(handle)).run
    await destroy(authored.redis)
    assert (await rebuilt(authored, before)).left == []
    again = (await authored.detail(handle)).run
    assert (again.status, again.error, again.ended_at) == ("FAILED", ended.error, ended.ended_at)


async def test_a_run_that_has_not_begun_is_rebuilt_from_what_it_was_started_with(authored: Authored) -> None:
    workflow_id = await authored.publish(assign("a", x="payload.text"))
    handle = await authored.start(
        workflow_id, {"text": "é"}, trigger_type="event", trigger_event_id="e1", execution_key="event:e1"
    )
    before = await snapshot(authored)
    assert before[f"run:{run_id_of(handle)}:payload"] == {"text": "é"}
    await requires_equal_rebuilding(authored)
    await handle.terminate()
    await rebuilt(authored, before)
    await requires_equal_rebuilding(authored)


async def test_a_run_whose_large_payload_is_gone_is_left_alone(authored: Authored) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(assign("a", x="1")), {"text": "x" * 300_000})
        await handle.result()
    await requires_equal_rebuilding(authored)
    for key in await authored.redis.keys("wf:large-payload:*"):
        await authored.redis.delete(key)
    before = await projections(authored.redis, TENANT)
    report = await rebuilt(authored, before)
    assert [type(error) for error in report.left] == [NotReplayableError]
    assert "not in Redis any more" in str(report.left[0])
    assert await projections(authored.redis, TENANT) == before


async def test_a_workflow_that_is_no_run_of_ours_is_left_alone(authored: Authored) -> None:
    await authored.client.start_workflow("Stranger", id="workflow-runtime-v2:run:stranger", task_queue="nobody")
    report = Report()
    await rebuild_one(authored.client, authored.redis, "stranger", None, report)
    assert "none of the runtime's" in str(report.left[0])


async def test_runs_that_only_the_store_knows_are_named_but_for_starts_that_wait(authored: Authored) -> None:
    tenant = "nobody-else"
    row = RunRow(run_id="lost", tenant_id=tenant, workflow_id="w", workflow_version=1, definition_hash="0" * 64)
    await authored.runs.create_run(row)
    await authored.runs.create_run(row.model_copy(update={"run_id": "queued", "queued_reason": "paused"}))
    report = Report()
    await rebuild_all(authored.client, authored.redis, tenant, report)
    assert [error.run_id for error in report.left] == ["lost"]
    assert report.summary == "1 runs: 0 restored, 0 as they were, 1 left alone"


async def test_runs_that_are_over_need_no_history(authored: Authored) -> None:
    tenant = "kept-only"
    row = RunRow(run_id="over", tenant_id=tenant, workflow_id="w", workflow_version=1, definition_hash="0" * 64)
    await authored.runs.create_run(row)
    await authored.runs.finish_run(tenant, "over", "CANCELED")
    for report in (Report(), Report()):
        await rebuild_all(authored.client, authored.redis, tenant, report)
        assert report.left == []
        assert report.summary == "1 runs: 0 restored, 0 as they were, 1 over and without a history, 0 left alone"
    report = Report()
    await rebuild_one(authored.client, authored.redis, "over", None, report)
    assert (report.kept, report.left) == (1, [])


async def test_a_workflow_started_past_the_contract_is_nobodys_run(authored: Authored) -> None:
    by_hand = await authored.client.start_workflow(RUN_WORKFLOW_TYPE, None, id="by-hand", task_queue="nobody-polls")

    async def listed() -> bool | None:
        return True if (await authored.client.count_workflows("WorkflowId = 'by-hand'")).count else None

    await eventually(listed)
    report = Report()
    await rebuild_all(authored.client, authored.redis, "nobody-else", report)
    assert report.summary == "0 runs: 0 restored, 0 as they were, 0 left alone"
    await by_hand.terminate()


# The command


async def test_the_command_rebuilds_a_tenant_and_says_what_it_left_alone(
    authored: Authored, temporal_server: str, redis_url: str
) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(assign("a", x="1")))
        await handle.result()
    before = await snapshot(authored)
    await destroy(authored.redis)
    row = RunRow(run_id="queued", tenant_id=TENANT, workflow_id="w", workflow_version=1, definition_hash="0" * 64)
    await authored.runs.create_run(row)
    done = await _command(temporal_server, redis_url, "--run", run_id_of(handle))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "1 runs: 1 restored, 0 as they were, 0 left alone"
    assert {name: value for name, value in (await projections(authored.redis, TENANT)).items() if name in before}
    done = await _command(temporal_server, redis_url, "--run", "queued")
    assert done.returncode == 1
    assert done.stdout.startswith("run 'queued' was left alone: Temporal does not keep its history")
    done = await _command(temporal_server, redis_url, "--tenant", "somebody-else")
    assert (done.returncode, done.stdout) == (0, "0 runs: 0 restored, 0 as they were, 0 left alone\n")
    done = await _command(temporal_server, redis_url, "--wrong")
    assert done.returncode == 2


async def _command(temporal: str, redis_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TEMPORAL_ADDRESS": temporal, "REDIS_URL": redis_url, "PYTHONPATH": str(SOURCES)}
    argv = [sys.executable, "-W", "error", "-m", "workflow_worker.rebuild", *arguments]
    return await asyncio.to_thread(subprocess.run, argv, env=environment, capture_output=True, text=True, check=False)
