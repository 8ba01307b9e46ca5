"""A failed event is delivered again to where it failed and nowhere else, by retry and by redrive, on the real Redis."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import QUICK, TENANT, new_event, publish_workflow, running, settled, until

from workflow_runtime.core.contract import EVENT_STREAM
from workflow_runtime.store.events import DeadLetters, EventLedger, LedgerEvent, Refusal, TargetStatus, publish
from workflow_worker.ingress.planning import run_id_of
from workflow_worker.ingress.routing import Routing

pytestmark = pytest.mark.also_on_valkey

IMPATIENT = QUICK.model_copy(update={"max_attempts": 2})


async def retry(redis: Redis, event_id: str) -> None:
    assert await DeadLetters(redis).retry(TENANT, event_id, actor="ann", why="it is back") == ("trigger:failing",)


async def redrive(redis: Redis, event_id: str) -> None:
    [letter] = await DeadLetters(redis).list()
    assert letter.event_id == event_id
    await DeadLetters(redis).redrive(letter.id, actor="ann", why="it is back")


@pytest.mark.parametrize("again", [retry, redrive])
async def test_only_the_failed_targets_are_delivered_again(
    redis_client: Redis, again: Callable[[Redis, str], Awaitable[None]]
) -> None:
    await publish_workflow(redis_client, "failing", "CLOSED")
    await publish_workflow(redis_client, "good", "CLOSED")
    event = new_event("CLOSED", {"ticketId": "T-1"})
    event_id = str(event.event_id)
    away = {run_id_of(TENANT, event_id, "failing")}

    async def faulty(run_id: str) -> None:
        if run_id in away:
            raise ConnectionError("away")

    gateway = RunGatewayFake(faults=[faulty])
    async with running(redis_client, gateway, IMPATIENT):
        await publish(redis_client, event)
        failed = await settled(redis_client, event_id)
        away.clear()
        await again(redis_client, event_id)
        done = await until(lambda: EventLedger(redis_client).get(TENANT, event_id), all_delivered)
        await until(lambda: redis_client.xlen(EVENT_STREAM), lambda length: length == 0)
    assert {target.id: target.status for target in failed.targets} == {
        "trigger:failing": TargetStatus.FAILED,
        "trigger:good": TargetStatus.DELIVERED,
    }
    assert {target.id: target.attempts for target in done.targets} == {"trigger:failing": 1, "trigger:good": 1}
    starts = [call[1] for call in gateway.calls]
    assert starts.count(run_id_of(TENANT, event_id, "good")) == 1
    assert await DeadLetters(redis_client).count() == 0
    [retried] = done.retries
    assert (retried.actor, retried.why, retried.via) == ("ann", "it is back", again.__name__)


def all_delivered(event: LedgerEvent) -> bool:
    return {target.status for target in event.targets} == {TargetStatus.DELIVERED}


async def test_a_target_that_fails_again_makes_a_letter_again(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "failing", "CLOSED")

    async def away(run_id: str) -> None:
        raise ConnectionError("away")

    letters = DeadLetters(redis_client)
    async with running(redis_client, RunGatewayFake(faults=[away]), IMPATIENT):
        event_id = await publish(redis_client, new_event("CLOSED"))
        await settled(redis_client, event_id)
        [first] = await letters.list()
        await retry(redis_client, event_id)
        await settled(redis_client, event_id)
        [second] = await letters.list()
    assert second.id != first.id
    assert [(entry.action, entry.letter_id) for entry in await letters.history(second)] == [("retry", first.id)]


@pytest.mark.parametrize("again", ["retry", "redrive"])
async def test_a_repaired_version_is_what_a_failed_target_is_started_in(redis_client: Redis, again: str) -> None:
    strict, letters = {"type": "object", "required": ["title"]}, DeadLetters(redis_client)
    for workflow_id in ("one", "two"):
        await publish_workflow(redis_client, workflow_id, "CLOSED", schema=strict)
    async with running(redis_client, gateway := RunGatewayFake()):
        event_id = await publish(redis_client, new_event("CLOSED"))
        await settled(redis_client, event_id)
        second, first = await letters.list()
        for workflow_id in ("one", "two"):
            await publish_workflow(redis_client, workflow_id, "CLOSED", version=2)
        if again == "retry":
            assert await letters.retry(TENANT, event_id, actor="ann") == ("trigger:one", "trigger:two")
        else:
            assert (await letters.redrive(first.id, actor="ann")).others == (second.id,)
        await until(lambda: EventLedger(redis_client).get(TENANT, event_id), all_delivered)
    assert {(start.workflow_id, start.workflow_version) for start in gateway.started.values()} == {
        ("one", 2),
        ("two", 2),
    }
    assert await letters.count() == 0
    assert {entry.letter_id for entry in await letters.audit()} == {first.id, second.id}


async def test_what_was_delivered_or_matched_nothing_is_not_retried(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "good", "CLOSED")
    async with running(redis_client, gateway := RunGatewayFake()):
        for name in ("CLOSED", "UNHEARD"):
            event_id = await publish(redis_client, new_event(name))
            await settled(redis_client, event_id)
            assert await DeadLetters(redis_client).retry(TENANT, event_id, actor="ann") == ()
            assert (await EventLedger(redis_client).get(TENANT, event_id)).retries == ()
    assert len(gateway.calls) == 1


@pytest.mark.parametrize("again", ["retry", "redrive"])
async def test_an_event_given_up_before_it_was_planned_is_planned_anew(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    """A defect in the planning that was repaired meanwhile must not have cost the event."""
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    broken, plan = asyncio.Event(), Routing._plan

    async def plan_or_die(self: Routing, claim: Any) -> Any:
        if broken.is_set() and claim.event.event.event_name == "CLOSED":
            raise RuntimeError("a defect")
        return await plan(self, claim)

    monkeypatch.setattr(Routing, "_plan", plan_or_die)
    broken.set()
    settings = QUICK.model_copy(update={"lease_seconds": 0.02, "grace_seconds": 0.02})
    gateway, letters = RunGatewayFake(), DeadLetters(redis_client)
    async with running(redis_client, gateway, settings):
        event_id = await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"}))
        given_up = await settled(redis_client, event_id)
        [letter] = await letters.list()
        assert given_up.targets == ()
        assert letter.source.endswith(":plan")
        broken.clear()
        if again == "retry":
            assert await letters.retry(TENANT, event_id, actor="ann") == ("plan",)
        else:
            await letters.redrive(letter.id, actor="ann")
        await until(lambda: len(gateway.started))
        later = await publish(redis_client, new_event("UNHEARD", {"ticketId": "T-1"}))
        await settled(redis_client, later)
        done = await settled(redis_client, event_id)
    assert [(target.id, target.status) for target in done.targets] == [("trigger:follow-up", "DELIVERED")]
    assert [row.targets for row in done.retries] == [("plan",)]
    assert await letters.count() == 0
    assert await EventLedger(redis_client).claim(TENANT, event_id, "t") is Refusal.DONE
