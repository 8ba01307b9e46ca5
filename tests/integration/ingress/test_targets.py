"""Every target of an event has its own status and retries; a bad one blocks no other (G2, G4)."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import QUICK, TENANT, new_event, publish_workflow, running, settled, until

from workflow_runtime.core.contract import EVENT_STREAM
from workflow_runtime.core.errors import ActionFailure
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.events import (
    DeadLetters,
    EventIntake,
    EventLedger,
    NewEvent,
    TargetStatus,
    Wait,
    accept_event,
    publish,
)
from workflow_runtime.store.waits import WaitIndex
from workflow_worker.ingress import GatewayOutageError
from workflow_worker.ingress.planning import run_id_of


async def wait_for(redis: Redis, run_id: str, key: str | None = "T-1") -> None:
    wait = Wait(tenant_id=TENANT, run_id=run_id, wait_id="w", event_name="CLOSED", correlation_key=key)
    await WaitIndex(redis).register(wait)


def run_of(event: NewEvent, workflow_id: str) -> str:
    return run_id_of(TENANT, str(event.event_id), workflow_id)


def statuses(event: Any) -> dict[str, str]:
    return {target.id: target.status.value for target in event.targets}


async def test_one_run_per_event_and_workflow_however_often_and_wherever_it_is_delivered(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    await wait_for(redis_client, "waiting")
    events = [new_event("CLOSED", {"ticketId": "T-1", "n": n}) for n in range(20)]
    gateway, intake = RunGatewayFake(live={"waiting"}), EventIntake(redis_client)

    async def by_stream() -> None:
        for event in events * 3:
            await publish(redis_client, event)

    async def by_api() -> None:
        for event in events * 2:
            await accept_event(redis_client, intake, event)

    async with running(redis_client, gateway, identity="a"), running(redis_client, gateway, identity="b"):
        await asyncio.gather(by_stream(), by_api())
        for event in events:
            await settled(redis_client, event.event_id)
        await until(lambda: redis_client.xlen(EVENT_STREAM), lambda length: length == 0)
    ids = [str(event.event_id) for event in events]
    assert sorted(start.event_id for start in gateway.started.values()) == sorted(ids)
    assert len(gateway.calls) == 2 * len(events)
    assert sorted(gateway.deliveries()) == sorted(("waiting", event_id) for event_id in ids)


async def test_the_api_tells_a_duplicate_from_a_new_event(redis_client: Redis) -> None:
    event, intake = new_event("CLOSED"), EventIntake(redis_client)
    first = await accept_event(redis_client, intake, event)
    second = await accept_event(redis_client, intake, event)
    assert (first.duplicate, second.duplicate) == (False, True)
    assert (first.accepted_at, first.sequence) == (second.accepted_at, second.sequence)


async def test_a_bad_target_blocks_no_other(redis_client: Redis) -> None:
    for workflow_id in ("good", "paused", "failing"):
        await publish_workflow(redis_client, workflow_id, "CLOSED")
    await wait_for(redis_client, "signalled")
    await wait_for(redis_client, "unreachable")
    gateway = RunGatewayFake(live={"signalled", "unreachable"}, queued={"paused"})
    outage = asyncio.Event()

    event = new_event("CLOSED", {"ticketId": "T-1"})
    away = {"unreachable", run_of(event, "failing")}

    async def faulty(run_id: str) -> None:
        if run_id in away and not outage.is_set():
            raise ConnectionError("Temporal is away")

    gateway.faults.append(faulty)
    async with running(redis_client, gateway):
        await publish(redis_client, event)
        ledger = EventLedger(redis_client)

        async def states() -> dict[str, str]:
            found = await ledger.read(TENANT, [event.event_id or ""])
            return statuses(found[0]) if found else {}

        waiting = {"trigger:failing": "RETRYING", "wait:unreachable:w": "RETRYING"}
        final = {"trigger:good": "DELIVERED", "trigger:paused": "QUEUED", "wait:signalled:w": "DELIVERED"}
        await until(states, lambda found: found == waiting | final)
        outage.set()
        done = await settled(redis_client, event.event_id)
    assert set(statuses(done).values()) == {"DELIVERED", "QUEUED"}
    assert {target.id: target.attempts for target in done.targets if target.attempts == 1} == dict.fromkeys(final, 1)


async def test_a_target_that_fails_for_good_ends_after_its_attempts_in_the_dead_letters(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")

    async def always(run_id: str) -> None:
        raise ConnectionError("this one is out of reach")

    settings = QUICK.model_copy(update={"max_attempts": 3})
    event = new_event("CLOSED", {"ticketId": "T-1"})
    async with running(redis_client, RunGatewayFake(faults=[always]), settings):
        await publish(redis_client, event)
        done = await settled(redis_client, event.event_id)
    [target] = done.targets
    assert (target.status, target.attempts) == (TargetStatus.FAILED, 3)
    assert target.reason == "gave up after 3 attempts: this one is out of reach"
    [letter] = await DeadLetters(redis_client).list()
    assert letter.reason == "trigger:follow-up: gave up after 3 attempts: this one is out of reach"
    assert letter.attempts == 3
    assert letter.fields() == done.event.fields


async def test_an_outage_of_temporal_may_last_longer_than_the_attempts(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    await wait_for(redis_client, "waiting")
    met: list[str] = []

    async def away_for_long(run_id: str) -> None:
        met.append(run_id)
        if len(met) <= 12:
            raise GatewayOutageError("Temporal is away")

    settings = QUICK.model_copy(update={"max_attempts": 3})
    async with running(redis_client, RunGatewayFake(live={"waiting"}, faults=[away_for_long]), settings):
        done = await settled(redis_client, await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"})))
    assert statuses(done) == {"trigger:follow-up": "DELIVERED", "wait:waiting:w": "DELIVERED"}
    assert sum(target.attempts for target in done.targets) == 14
    assert await DeadLetters(redis_client).count() == 0


async def test_what_can_never_succeed_fails_at_once_and_only_there(redis_client: Redis) -> None:
    schema = {"type": "object", "required": ["title"]}
    await publish_workflow(redis_client, "strict", "CLOSED", schema=schema)
    await publish_workflow(redis_client, "mapped", "CLOSED", payloadMapping={"x": {"$expr": "event.payload.gone.x"}})
    await publish_workflow(redis_client, "good", "CLOSED")
    with capture_logs() as logged:
        async with running(redis_client, gateway := RunGatewayFake()):
            done = await settled(redis_client, await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"})))
    lines = [line for line in logged if line["event"] == "event_target_failed"]
    assert {line["target"]: line["final"] for line in lines} == {"trigger:mapped": True, "trigger:strict": True}
    assert {(line["tenant"], line["event_id"]) for line in lines} == {(TENANT, done.event.event_id)}
    by_id = {target.id: target for target in done.targets}
    assert statuses(done) == {"trigger:good": "DELIVERED", "trigger:mapped": "FAILED", "trigger:strict": "FAILED"}
    assert "ValidationError: the run's payload does not have the shape" in str(by_id["trigger:strict"].reason)
    assert "ExpressionError" in str(by_id["trigger:mapped"].reason)
    assert {target.attempts for target in done.targets} == {1}
    assert [start.workflow_id for start in gateway.started.values()] == ["good"]


async def test_what_can_never_succeed_outlives_its_event_as_a_dead_letter(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "strict", "CLOSED", schema={"type": "object", "required": ["title"]})
    async with running(redis_client, RunGatewayFake()):
        done = await settled(redis_client, await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"})))
    [letter] = await DeadLetters(redis_client).list()
    assert letter.reason.startswith("trigger:strict: ValidationError: ")
    assert (letter.attempts, letter.fields()) == (1, done.event.fields)


async def test_a_refusal_of_the_gateway_is_not_repeated(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")

    async def refuses(run_id: str) -> None:
        raise ActionFailure("too large", code="REFUSED_BY_TEMPORAL")

    async with running(redis_client, gateway := RunGatewayFake(faults=[refuses])):
        done = await settled(redis_client, await publish(redis_client, new_event("CLOSED")))
    assert statuses(done) == {"trigger:follow-up": "FAILED"}
    assert len(gateway.calls) == 1


async def test_a_call_that_never_answers_is_tried_again(
    redis_client: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    hung: list[str] = []

    async def hangs_once(run_id: str) -> None:
        if not hung:
            hung.append(run_id)
            await asyncio.Event().wait()

    settings = QUICK.model_copy(update={"attempt_timeout_seconds": 0.2})
    async with running(redis_client, gateway := RunGatewayFake(faults=[hangs_once]), settings):
        done = await settled(redis_client, await publish(redis_client, new_event("CLOSED")))
    assert [target.attempts for target in done.targets] == [2]
    assert list(gateway.started) == hung
    assert "no answer within 0.2 s" in capsys.readouterr().out


async def test_a_mapping_of_the_version_that_was_live_then_is_used(redis_client: Redis) -> None:
    await publish_workflow(
        redis_client, "follow-up", "CLOSED", payloadMapping={"ticket.id": {"$expr": "event.payload.ticketId"}}
    )
    async with running(redis_client, gateway := RunGatewayFake()):
        await settled(redis_client, await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"})))
    [start] = gateway.started.values()
    assert start.payload == {"ticket": {"id": "T-1"}}
    version = await Catalog(redis_client).get_version(TENANT, "follow-up")
    assert (start.workflow_version, start.definition_hash) == (1, version.hash)


async def test_a_failing_target_holds_back_later_events_of_its_key_only(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    held = new_event("CLOSED", {"ticketId": "A", "n": 1})
    behind, free = new_event("CLOSED", {"ticketId": "A", "n": 2}), new_event("CLOSED", {"ticketId": "B"})
    outage = asyncio.Event()
    first_run = run_of(held, "follow-up")

    async def faulty(run_id: str) -> None:
        if run_id == first_run and not outage.is_set():
            raise ConnectionError("away")

    settings = QUICK.model_copy(update={"max_attempts": 10_000})
    async with running(redis_client, gateway := RunGatewayFake(faults=[faulty]), settings):
        for event in (held, behind, free):
            await publish(redis_client, event)
        await settled(redis_client, free.event_id)
        ledger = EventLedger(redis_client)
        second = await until(
            lambda: ledger.get(TENANT, behind.event_id or ""),
            lambda event: [target.status for target in event.targets] == ["BEHIND"],
        )
        assert second.targets[0].reason == "an earlier event with the same key is not settled for it yet"
        outage.set()
        await settled(redis_client, behind.event_id)
    started = [start.event_id for start in gateway.started.values()]
    assert started == [free.event_id, held.event_id, behind.event_id]
