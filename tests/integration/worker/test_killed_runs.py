"""kill -9 of the worker at every boundary of every effect: the run ends as the undisturbed one, each effect once.

The boundaries are counted by `tests.fixtures.run_victim`; a run is repeated with the worker killed at the first, the
second, … until it ends before its boundary comes. One definition is tried at all of its boundaries, the others at some
of theirs, and at the full length of tests/fixtures/nightly.py at all.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from temporalio.client import Client
from tests.fixtures.authored import TENANT, Authored, action, assign, eventually, send_event, wait
from tests.fixtures.nightly import FULL_LENGTH
from tests.fixtures.run_victim import CALLS, EFFECTS, Order, RunVictims
from tests.fixtures.servers import running_redis, running_temporal

from workflow_runtime.service.large_payloads import data_converter
from workflow_runtime.service.launch import launch_run
from workflow_runtime.store.runs import RunRow
from workflow_worker.rebuild import Rebuilder

LANES = 6
NEVER = 1_000_000
PATIENCE_SECONDS = 60

_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_numbers = count(1)

type Definition = Callable[[Authored], Coroutine[Any, Any, str]]
"""Publishes a workflow; answers its id."""


async def one_of_each(authored: Authored) -> str:
    """A reading action, an effect and a wait."""
    return await authored.publish(
        action("look", "look", saveAs="vars.before"),
        action("first", "charge", input={"n": {"$expr": "vars.before.effects"}}),
        wait("paid", "PAID", assign={"vars.by": {"$expr": "event.by"}}),
    )


async def actions_and_blocks(authored: Authored) -> str:
    """Side-effectful and reading actions in branches, a loop, a retry and a caught failure."""
    loop = {"id": "loop", "type": "control.forEach", "items": {"$expr": "[1, 2]"}, "itemVar": "n"}
    return await authored.publish(
        action("look", "look", saveAs="vars.before"),
        {
            "id": "if",
            "type": "control.if",
            "condition": {"$expr": "vars.before.effects = 0"},
            "then": [action("first", "charge", input={"n": 0}, saveAs="vars.first")],
        },
        {**loop, "body": [action("each", "charge", input={"n": {"$expr": "n"}}, saveAs="vars.each")]},
        action("shaky", "shaky", input={"n": 9}, retry={"maxAttempts": 2, "backoffMs": 20, "jitter": False}),
        {
            "id": "try",
            "type": "control.tryCatch",
            "try": [assign("broken", x="vars.missing")],
            "catch": [action("repair", "charge", input={"n": 10}, saveAs="vars.repaired")],
        },
    )


async def waits(authored: Authored) -> str:
    """An event, a time and a person, each followed by an effect."""
    return await authored.publish(
        wait("paid", "PAID", assign={"vars.by": {"$expr": "event.by"}}),
        action("after-event", "charge", input={"by": {"$expr": "vars.by"}}),
        {"id": "pause", "type": "time.wait", "config": {"mode": "duration", "durationMs": 30}},
        action("after-time", "charge", input={"n": 1}),
        {"id": "ask", "type": "human.task", "config": {"taskType": "approval", "title": "Approve?"}},
        action("after-task", "charge", input={"ok": {"$expr": "vars.event.ok"}}, saveAs="vars.last"),
    )


async def children(authored: Authored) -> str:
    """A child with an effect between effects of its parent."""
    child = await authored.publish(action("inner", "charge", input={"n": {"$expr": "payload.n"}}, saveAs="vars.got"))
    call = {"id": "call", "type": "control.callWorkflow", "workflowId": child, "workflowVersion": 1}
    mapping = {"inputMapping": {"n": 5}, "outputMapping": {"vars.child": {"$expr": "childRun.vars.got"}}}
    return await authored.publish(
        action("before", "charge", input={"n": 1}), {**call, **mapping}, action("after", "charge", input={"n": 2})
    )


async def histories(authored: Authored) -> str:
    """A loop that goes on in a new history."""
    loop = {"id": "loop", "type": "control.forEach", "items": {"$expr": "[1, 2, 3, 4, 5, 6, 7, 8]"}, "itemVar": "n"}
    collect = assign("add", seen="append(coalesce(vars.seen, []), vars.last.charged.n)")
    each = action("each", "charge", input={"n": {"$expr": "n"}}, saveAs="vars.last")
    return await authored.publish({**loop, "body": [each, collect]})


@dataclass(frozen=True)
class Lane:
    """A namespace and a Redis database of its own, so that lanes do not see each other; one worker at a time."""

    authored: Authored
    victims: RunVictims
    order: Order


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """URL of a Redis without its database, address of a Temporal that notices a lost workflow task within a second."""
    options = ['history.defaultWorkflowTaskTimeout="1s"', "limit.historyCount.suggestContinueAsNew=30"]
    flags = [part for option in options for part in ("--dynamic-config-value", option)]
    flags += [part for lane in range(LANES) for part in ("--namespace", f"lane-{lane}")]
    with (
        running_redis(tmp_path_factory.mktemp("redis")) as url,
        running_temporal(tmp_path_factory.mktemp("temporal"), *flags) as address,
    ):
        yield url.removesuffix("/0"), address


@pytest.fixture(scope="module")
def fork_servers() -> Iterator[list[RunVictims]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(RunVictims()) for _ in range(LANES)]


@pytest.fixture
async def lanes(servers: tuple[str, str], fork_servers: list[RunVictims]) -> AsyncIterator[list[Lane]]:
    async with contextlib.AsyncExitStack() as stack:
        found = []
        for number, victims in enumerate(fork_servers):
            order = Order(f"{servers[0]}/{number}", servers[1], f"lane-{number}")
            redis = await stack.enter_async_context(Redis.from_url(order.url, decode_responses=True))
            converter = data_converter(redis, retention=timedelta(days=1))
            client = await Client.connect(order.address, namespace=order.namespace, data_converter=converter)
            found.append(Lane(Authored(client, redis), victims, order))
        yield found


@dataclass(frozen=True)
class End:
    """What must not depend on how often a worker died; ids of runs are replaced by their place in the family."""

    result: Any
    effects: list[Any]
    runs: list[Any]
    tasks: list[Any]
    left_over: list[str]
    unannounced: list[str]
    """Idempotency keys whose effect had happened and whose handler was called again without ``recovered``."""


async def _started(lane: Lane, definition: Definition, run_id: str) -> "asyncio.Task[None]":
    """Start a run on an empty store; the task ends with the run."""
    await lane.authored.redis.flushdb()
    workflow_id = await definition(lane.authored)
    version = await lane.authored.catalog.get_version(TENANT, workflow_id, 1)
    row = RunRow(
        run_id=run_id,
        tenant_id=TENANT,
        workflow_id=workflow_id,
        workflow_version=1,
        definition_hash=version.hash,
        root_run_id=run_id,
        payload={},
    )
    await launch_run(lane.authored.client, lane.authored.runs, row)
    await send_event(lane.authored.handle(run_id), "event-1", "PAID", "7", {"by": "ann"})
    return asyncio.create_task(_settled(lane, run_id))


async def _sweep(lane: Lane, definition: Definition, boundaries: Iterator[int]) -> AsyncGenerator[tuple[int, End]]:
    """What became of the run whose worker died at each boundary, until a run ends before its boundary comes.

    A worker goes on with the run of the one that died, and then dies itself in the next run.
    """
    die_at = next(boundaries)
    worker = await lane.victims.start(replace(lane.order, die_at=die_at))
    try:
        while True:
            run_id = f"{definition.__name__}-{die_at}-{next(_numbers)}"
            lane.victims.arm()
            async with asyncio.timeout(PATIENCE_SECONDS):
                ended = await _started(lane, definition, run_id)
                await asyncio.wait((worker, ended), return_when=asyncio.FIRST_COMPLETED)
                if not worker.done():
                    await ended
                    yield 0, await _end_of(lane, run_id)
                    return
                assert await worker == -9
                died_at, die_at = die_at, next(boundaries)
                worker = await lane.victims.start(replace(lane.order, die_at=die_at))
                await asyncio.wait((worker, ended), return_when=asyncio.FIRST_COMPLETED)
                assert ended.done(), f"the second worker ended by itself: {await worker}"
                await ended
            end = await _end_of(lane, run_id)
            for id_ in (run_id, *await _children(lane.authored, run_id)):
                await Rebuilder(lane.authored.client, lane.authored.redis).rebuild(id_)
            assert await _end_of(lane, run_id) == end, f"rebuilt after a kill at boundary {died_at}"
            yield died_at, end
    finally:
        lane.victims.kill()
        await worker


async def _settled(lane: Lane, run_id: str) -> None:
    answering = asyncio.create_task(_answer_tasks(lane, run_id))
    try:
        await lane.authored.handle(run_id).result()
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)

    async def noted() -> bool | None:
        # The process that launched a run notes it a moment later.
        return None if await lane.authored.redis.exists(f"wf:{{{TENANT}}}:runs:unlaunched") else True

    await eventually(noted)


async def _answer_tasks(lane: Lane, run_id: str) -> None:
    """A person who answers whatever is asked, again until it is taken."""
    while True:
        for task in (await lane.authored.tasks.list_tasks(TENANT)).tasks:
            with contextlib.suppress(Exception):
                answer = {"taskId": task.task_id, "payload": {"ok": True}}
                await lane.authored.handle(run_id).signal("workflowRuntimeV2HumanTask", answer)
        await asyncio.sleep(0.1)


async def _end_of(lane: Lane, run_id: str) -> End:
    authored, redis = lane.authored, cast(Any, lane.authored.redis)
    family = {run_id: "RUN", **{child: f"CHILD-{n}" for n, child in enumerate(await _children(authored, run_id))}}

    def named(value: Any) -> Any:
        text = _TIME.sub("TIME", json.dumps(value, sort_keys=True))
        for id_, name in family.items():
            text = text.replace(id_, name)
        return json.loads(text)

    calls = [json.loads(text) for text in await redis.lrange(CALLS, 0, -1)]
    effects = await redis.hgetall(EFFECTS)
    result = await authored.handle(run_id).result()
    tasks = (await authored.tasks.list_tasks(TENANT, status=None)).tasks
    left_over = [key async for key in redis.scan_iter(f"wf:{{{TENANT}}}:*active")]
    left_over += [key async for key in redis.scan_iter(f"wf:{{{TENANT}}}:waits*")]
    return End(
        result=named({name: result[name] for name in ("vars", "payload", "meta")}),
        effects=sorted(named([key, json.loads(value)]) for key, value in effects.items()),
        runs=[await _timeline(authored, id_, named) for id_ in family],
        tasks=[(task.status, task.response) for task in tasks],
        left_over=left_over,
        unannounced=_unannounced(calls),
    )


def _unannounced(calls: list[dict[str, Any]]) -> list[str]:
    seen: set[str] = set()
    found = []
    for call in calls:
        if call["action"] == "charge" and call["key"] in seen and not call["recovered"]:
            found.append(call["key"])
        seen.add(call["key"])
    return found


async def _children(authored: Authored, run_id: str) -> list[str]:
    return list(await authored.runs.children(TENANT, run_id))


async def _timeline(authored: Authored, run_id: str, named: Callable[[Any], Any]) -> Any:
    detail = await authored.runs.run_detail(TENANT, run_id)
    assert detail is not None
    rows = {
        kind: [(row.key, row.fields.get("status")) for row in rows]
        for kind, rows in (("steps", detail.steps), ("actions", detail.actions))
    }
    waited = [(row.fields["type"], row.fields["status"], row.fields.get("eventId")) for row in detail.waits]
    logs = [row.fields["message"] for row in detail.logs]
    run = detail.run
    return named([run.status, run.step_count, run.seq, run.current_wait, rows, waited, logs])


WITHIN_TASK: dict[Definition, int] = {one_of_each: 1, actions_and_blocks: 12, waits: 12, children: 12, histories: 16}
OVER_QUEUE: dict[Definition, int] = {one_of_each: 6, actions_and_blocks: 18, waits: 18, children: 18, histories: 24}
"""To the distance between boundaries that is tried by default."""


@pytest.mark.parametrize("definition", WITHIN_TASK, ids=lambda definition: definition.__name__)
async def test_a_run_whose_worker_is_killed_at_any_boundary_ends_as_the_undisturbed_one(
    lanes: list[Lane], definition: Definition
) -> None:
    await _compare(lanes, definition, WITHIN_TASK[definition])


@pytest.mark.parametrize("definition", OVER_QUEUE, ids=lambda definition: definition.__name__)
async def test_so_does_a_run_whose_actions_go_over_the_queue(lanes: list[Lane], definition: Definition) -> None:
    queued = [replace(lane, order=replace(lane.order, local=False)) for lane in lanes]
    await _compare(queued, definition, OVER_QUEUE[definition])


async def _compare(lanes: list[Lane], definition: Definition, distance: int) -> None:
    async with contextlib.aclosing(_sweep(lanes[0], definition, count(NEVER))) as runs:
        _, undisturbed = await anext(runs)
    assert (undisturbed.left_over, undisturbed.unannounced) == ([], [])
    boundaries = count(1, 1 if FULL_LENGTH else distance)
    over, deaths = asyncio.Event(), list[int]()

    async def work(lane: Lane) -> None:
        async with contextlib.aclosing(_sweep(lane, definition, boundaries)) as runs:
            async for died_at, end in runs:
                assert end == undisturbed, f"killed at boundary {died_at}"
                deaths.append(died_at)
                if died_at == 0 or over.is_set():
                    over.set()
                    return

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(work(lane))
    assert max(deaths) > 40, "the worker passed fewer boundaries than a run has"
