"""Dead letters: exact redrive, drop, audit (G6), on the real Redis."""

from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.client import NEVER_DECODE
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import QUICK, TENANT, new_event, publish_workflow, running, settled, until

from workflow_runtime.core.contract import EVENT_DEAD_LETTER_STREAM, EVENT_STREAM
from workflow_runtime.store.events import (
    DeadLetters,
    EventLedger,
    Message,
    TargetStatus,
    UnknownDeadLetterError,
    publish,
)
from workflow_runtime.store.events.dead_letters import DeadLetter
from workflow_worker.ingress.planning import run_id_of

PAIRS = ((b"event_id", b"\x00\xff"), (b"event_id", b""), ("größe".encode(), b"dlq_reason"), (b"dlq_at", b"mine"))


async def raw_stream(redis: Redis) -> list[Message]:
    """Every message of the stream as bytes, repeated names included."""
    options: dict[str, Any] = {NEVER_DECODE: []}
    script = "return redis.call('XRANGE', KEYS[1], '-', '+')"
    rows = await cast(Any, redis).execute_command("EVAL", script, 1, EVENT_STREAM, **options)
    return [Message(row[0].decode(), tuple(zip(row[1][::2], row[1][1::2], strict=True))) for row in rows]


async def add(redis: Redis, source: str = "stream:1-1", pairs: Any = PAIRS) -> str:
    return await DeadLetters(redis).add(pairs, reason="because", attempts=3, source=source)


async def test_a_letter_holds_the_original_and_why_when_and_how_often(redis_client: Redis) -> None:
    letter = await DeadLetters(redis_client).show(await add(redis_client))
    assert letter.pairs == PAIRS
    assert (letter.reason, letter.attempts, letter.source) == ("because", 3, "stream:1-1")
    assert letter.at is not None
    assert letter.at.endswith("Z")
    assert letter.fields()["event_id"] == ""


async def test_a_repetition_after_a_crash_makes_no_second_letter(redis_client: Redis) -> None:
    assert await add(redis_client) == await add(redis_client)
    assert await DeadLetters(redis_client).count() == 1


async def test_redriving_puts_the_same_bytes_on_the_stream(redis_client: Redis) -> None:
    letters = DeadLetters(redis_client)
    stream_id = await letters.redrive(await add(redis_client), actor="ann")
    assert await raw_stream(redis_client) == [Message(stream_id, PAIRS)]
    assert await letters.count() == 0
    assert await add(redis_client), "the same message may die again"
    assert await letters.count() == 1


@hypothesis_settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(pairs=st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=60)), min_size=1, max_size=6))
async def test_redriving_is_exact_for_any_message(redis_client: Redis, pairs: list[tuple[bytes, bytes]]) -> None:
    await redis_client.delete(EVENT_STREAM)
    letters = DeadLetters(redis_client)
    stream_id = await letters.redrive(await add(redis_client, pairs=pairs), actor="ann")
    assert await raw_stream(redis_client) == [Message(stream_id, tuple(pairs))]


async def test_letters_are_listed_newest_first_page_by_page(redis_client: Redis) -> None:
    ids = [await add(redis_client, f"stream:{n}-0") for n in range(5)]
    letters = DeadLetters(redis_client)
    first = await letters.list(limit=2)
    second = await letters.list(limit=9, before=first[-1].id)
    assert [letter.id for letter in (*first, *second)] == ids[::-1]


async def test_a_letter_that_was_taken_out_is_unknown(redis_client: Redis) -> None:
    letters, letter_id = DeadLetters(redis_client), await add(redis_client)
    await letters.drop(letter_id, actor="ann")
    for gone in (letter_id, "nonsense", "+"):
        for attempt in (letters.show(gone), letters.drop(gone, actor="x"), letters.redrive(gone, actor="x")):
            with pytest.raises(UnknownDeadLetterError, match="does not exist"):
                await attempt


async def test_redrives_and_drops_are_written_down(redis_client: Redis) -> None:
    letters = DeadLetters(redis_client)
    first, second = await add(redis_client, "stream:1-0"), await add(redis_client, "stream:2-0")
    await letters.redrive(first, actor="ann")
    await letters.drop(second, actor="bob")
    entries = await letters.audit()
    assert [(entry.letter_id, entry.action, entry.actor) for entry in entries] == [
        (second, "drop", "bob"),
        (first, "redrive", "ann"),
    ]


async def test_a_letter_of_the_earlier_runtime_is_readable_and_redrivable(redis_client: Redis) -> None:
    letters = DeadLetters(redis_client)
    fields = {"event_id": "x", "tenant": "acme", "dlq_reason": "parse", "dlq_at": "2024-05-01T00:00:00.000Z"}
    letter_id = await redis_client.xadd(EVENT_DEAD_LETTER_STREAM, cast(Any, fields))
    assert isinstance(letter_id, str)
    pairs = ((b"event_id", b"x"), (b"tenant", b"acme"))
    assert await letters.show(letter_id) == DeadLetter(letter_id, pairs, "parse", fields["dlq_at"], 0, "")
    await letters.redrive(letter_id, actor="ann")
    assert [message.pairs for message in await raw_stream(redis_client)] == [pairs]


async def test_redriving_an_event_gives_its_failed_targets_another_round(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "failing", "CLOSED")
    await publish_workflow(redis_client, "good", "CLOSED")
    event = new_event("CLOSED", {"ticketId": "T-1"})
    away = {run_id_of(TENANT, str(event.event_id), "failing")}

    async def faulty(run_id: str) -> None:
        if run_id in away:
            raise ConnectionError("away")

    gateway = RunGatewayFake(faults=[faulty])
    async with running(redis_client, gateway, QUICK.model_copy(update={"max_attempts": 2})):
        await publish(redis_client, event)
        await settled(redis_client, event.event_id)
        [letter] = await DeadLetters(redis_client).list()
        away.clear()
        await DeadLetters(redis_client).redrive(letter.id, actor="ann")
        ledger = EventLedger(redis_client)
        done = await until(
            lambda: ledger.get(TENANT, str(event.event_id)),
            lambda found: {target.status for target in found.targets} == {TargetStatus.DELIVERED},
        )
    assert {target.id: target.attempts for target in done.targets} == {"trigger:failing": 1, "trigger:good": 1}
    starts = [call[1] for call in gateway.calls]
    assert starts.count(run_id_of(TENANT, str(event.event_id), "good")) == 1
    assert await DeadLetters(redis_client).count() == 0
