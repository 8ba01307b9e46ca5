"""An event reaches the triggers and waits it should, with the real Redis and runs in memory."""

import uuid

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from structlog.testing import capture_logs
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import TENANT, new_event, publish_workflow, running, settled, until

from workflow_runtime.core.contract import EVENT_DEAD_LETTER_STREAM, EVENT_STREAM
from workflow_runtime.store.events import DeadLetters, TargetStatus, explain, publish
from workflow_runtime.store.waits import Wait, WaitIndex


async def test_an_event_on_the_stream_starts_a_run_of_every_workflow_it_triggers(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "TICKET_CREATED")
    await publish_workflow(redis_client, "survey", "TICKET_CREATED")
    await publish_workflow(redis_client, "other", "INVOICE_PAID")
    gateway = RunGatewayFake()
    async with running(redis_client, gateway):
        event_id = await publish(redis_client, new_event("TICKET_CREATED", {"ticketId": "T-1"}))
        await settled(redis_client, event_id)
    assert sorted(start.workflow_id for start in gateway.started.values()) == ["follow-up", "survey"]
    assert {start.event_id for start in gateway.started.values()} == {event_id}
    assert [start.payload for start in gateway.started.values()] == [{"ticketId": "T-1"}] * 2


async def test_a_second_event_resumes_the_waiting_run(redis_client: Redis) -> None:
    await WaitIndex(redis_client).register(
        Wait(tenant_id=TENANT, run_id="run-1", wait_id="w1", event_name="TICKET_CLOSED", correlation_key="T-1")
    )
    gateway = RunGatewayFake(live={"run-1"})
    async with running(redis_client, gateway):
        event_id = await publish(redis_client, new_event("TICKET_CLOSED", {"ticketId": "T-1"}))
        event = await settled(redis_client, event_id)
    [(run_id, signal)] = gateway.signalled
    assert (run_id, signal.event_id, signal.correlation_key) == ("run-1", event_id, "T-1")
    assert signal.payload == {"ticketId": "T-1"}
    assert [target.status for target in event.targets] == [TargetStatus.DELIVERED]


async def test_a_malformed_message_becomes_a_dead_letter_and_the_next_one_is_processed(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "TICKET_CREATED")
    gateway = RunGatewayFake()
    bad = {b"event_id": b"no-uuid", b"event_type": b"TICKET_CREATED", b"tenant": b"acme", b"blob": b"\xff\xfe\x00"}
    await redis_client.xadd(EVENT_STREAM, bad)  # type: ignore[arg-type]
    event_id = await publish(redis_client, new_event("TICKET_CREATED"))
    async with running(redis_client, gateway):
        await settled(redis_client, event_id)
        [letter] = await DeadLetters(redis_client).list()
    assert letter.reason.startswith("blob: is not UTF-8")
    assert letter.pairs == tuple(bad.items())
    assert letter.attempts == 1
    assert letter.at is not None
    assert len(gateway.started) == 1
    assert await redis_client.xlen(EVENT_DEAD_LETTER_STREAM) == 1


async def test_messages_that_are_all_malformed_are_read_once_and_hold_up_nobody(redis_client: Redis) -> None:
    with capture_logs() as logged:
        async with running(redis_client, RunGatewayFake()):
            for _ in range(2):
                await redis_client.xadd(EVENT_STREAM, {"event_id": "no-uuid"})
                await until(lambda: redis_client.xlen(EVENT_STREAM), lambda length: length == 0)
    assert [line for line in logged if line["event"] == "ingress_loop_failed"] == []
    assert [letter.attempts for letter in await DeadLetters(redis_client).list()] == [1, 1]


async def test_an_unmatched_event_stays_visible_with_the_reason(redis_client: Redis) -> None:
    async with running(redis_client, RunGatewayFake()):
        event_id = await publish(redis_client, new_event("NOBODY_LISTENS", {"ticketId": "T-9"}))
        await settled(redis_client, event_id)
    explanation = await explain(redis_client, TENANT, event_id)
    assert explanation.reason is not None
    assert "no workflow is triggered by 'NOBODY_LISTENS'" in explanation.reason
    assert "'T-9'" in explanation.reason


async def test_events_accepted_before_the_worker_started_are_routed(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "TICKET_CREATED")
    ids = [await publish(redis_client, new_event("TICKET_CREATED", {"ticketId": str(n)})) for n in range(250)]
    gateway = RunGatewayFake()
    async with running(redis_client, gateway):
        await until(lambda: len(gateway.started), lambda count: count == len(ids))
    assert {start.event_id for start in gateway.started.values()} == set(ids)


async def test_the_same_event_for_two_tenants_stays_apart(redis_client: Redis) -> None:
    event_id = str(uuid.uuid4())
    gateway = RunGatewayFake()
    for tenant in ("acme", "umbrella"):
        await publish_workflow(redis_client, f"of-{tenant}", "TICKET_CREATED", tenant=tenant)
        await publish(redis_client, new_event("TICKET_CREATED", tenant=tenant, event_id=event_id))
    async with running(redis_client, gateway):
        await settled(redis_client, event_id)
        await settled(redis_client, event_id, tenant="umbrella")
    starts = [(start.tenant_id, start.workflow_id) for start in gateway.started.values()]
    assert sorted(starts) == [("acme", "of-acme"), ("umbrella", "of-umbrella")]


async def test_what_happens_is_counted(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "TICKET_CREATED")
    registry, event = CollectorRegistry(), new_event("TICKET_CREATED")
    async with running(redis_client, RunGatewayFake(), registry=registry):
        await redis_client.xadd(EVENT_STREAM, {"event_id": "none"})
        for _ in range(3):
            await publish(redis_client, event)
        await settled(redis_client, event.event_id)
        outcomes = {"accepted": 1.0, "duplicate": 2.0, "dead_letter": 1.0}

        def counted() -> dict[str, float | None]:
            name = "workflow_ingress_events_total"
            return {outcome: registry.get_sample_value(name, {"outcome": outcome}) for outcome in outcomes}

        await until(counted, outcomes.__eq__)
        reading = registry.get_sample_value("workflow_ingress_reading")
    settled_targets = {"kind": "trigger", "status": "DELIVERED"}
    assert registry.get_sample_value("workflow_ingress_targets_total", settled_targets) == 1
    assert registry.get_sample_value("workflow_ingress_first_pass_seconds_count") == 1
    assert reading == 1
