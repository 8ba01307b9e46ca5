"""`./dev dlq` against a real workflow-server: what it prints, what it changes, what it refuses."""

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from tests.fixtures.commands import ROOT, dev
from tests.fixtures.ingress import new_event
from tests.fixtures.ports import free_port
from tests.fixtures.processes import service_process
from tests.integration.ingress.test_dead_letters import HOSTILE, raw_stream

from workflow_runtime.store.events import (
    Claim,
    DeadLetters,
    EventIntake,
    EventLedger,
    EventSource,
    Message,
    Target,
    TargetStatus,
)
from workflow_runtime.store.events.dead_letters import letter_source


@pytest.fixture(scope="module")
def server(temporal_server: str, redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a workflow-server over the session's Redis."""
    environment = {"TEMPORAL_ADDRESS": temporal_server, "REDIS_URL": redis_server}
    with service_process("workflow_server", free_port(), tmp_path_factory.mktemp("server"), **environment) as process:
        process.until_ready()
        yield process.url


async def add(redis: Redis, source: str = "stream:1-1", tenant: str = "acme", **payload: Any) -> str:
    fields = new_event("TICKET_CREATED", payload, tenant=tenant).incoming().fields
    pairs = [(name.encode(), value.encode()) for name, value in fields.items()]
    return await DeadLetters(redis).add(pairs, reason="trigger:w: gave up", attempts=12, source=source)


async def command(*argv: str, server: str) -> tuple[int, str, str]:
    return await asyncio.to_thread(dev, "dlq", *argv, server=server)


async def refusal(*argv: str, server: str) -> str:
    """The one line of a mistake."""
    code, output, errors = await command(*argv, server=server)
    assert (code, output) == (2, ""), (code, output, errors)
    [line] = errors.splitlines()
    assert line.startswith("dev: ")
    return line


@pytest.mark.parametrize("pairs", HOSTILE.values(), ids=HOSTILE)
async def test_a_message_comes_back_byte_for_byte(redis_client: Redis, server: str, pairs: Any) -> None:
    letter_id = await DeadLetters(redis_client).add(pairs, reason="because", attempts=3, source="s")
    code, output, errors = await command("list", server=server)
    assert (code, errors) == (0, "")
    assert letter_id in output
    code, output, errors = await command("redrive", letter_id, "--reason", "größer", "--actor", "ann", server=server)
    assert (code, errors) == (0, "")
    [message] = await raw_stream(redis_client)
    assert message == Message(message.id, pairs)
    assert output == f"{letter_id} redriven, on the stream as {message.id}\n"
    [entry] = await DeadLetters(redis_client).audit()
    assert (entry.actor, entry.why, entry.stream_id) == ("ann", "größer", message.id)
    assert "it was redriven by ann at" in await refusal("show", letter_id, server=server)


async def test_the_list_says_what_died_and_why(redis_client: Redis, server: str) -> None:
    assert (await command("list", server=server))[:2] == (0, "no dead letters.\n")
    first, second = await add(redis_client), await add(redis_client, "2", tenant="globex")
    code, output, _ = await command("list", server=server)
    rows = output.splitlines()
    assert code == 0
    assert rows[0].split() == ["ID", "AT", "TENANT", "EVENT", "ATTEMPTS", "REASON"]
    assert [row.split()[0] for row in rows[1:3]] == [second, first]
    assert "globex" in rows[1]
    assert rows[2].endswith("12        trigger:w: gave up")
    assert "TICKET_CREATED" in rows[2]
    code, output, _ = await command("list", "--tenant", "acme", "--limit", "1", "--json", server=server)
    assert [letter["id"] for letter in json.loads(output)["deadLetters"]] == [first]


async def test_a_letter_shows_its_fields_without_secrets_and_what_was_done_before(
    redis_client: Redis, server: str
) -> None:
    letters = DeadLetters(redis_client)
    fields = new_event("E", {"n": 1, "password": "hunter2"}).incoming().fields | {"x-token": "hunter2"}
    pairs = [(name.encode(), value.encode()) for name, value in fields.items()]
    await letters.redrive(await letters.add(pairs, reason="first", attempts=1, source="1"), actor="ann", why="try")
    letter_id = await letters.add(pairs, reason="second", attempts=2, source="2")
    code, output, errors = await command("show", letter_id, server=server)
    assert (code, errors) == (0, "")
    for text in (
        "reason    second",
        "attempts  2",
        "tenant    acme",
        "redriven by ann at",
        ": try; the letter said: first",
    ):
        assert text in output
    assert '{"n": 1, "password": "[REDACTED]"}' in output
    assert "hunter2" not in output
    assert f"./dev dlq redrive {letter_id} --server {server}" in output
    assert "./dev explain" not in output, "the event was never accepted"
    await EventIntake(redis_client).accept([new_event("E", event_id=fields["event_id"]).incoming()], EventSource.API)
    assert f"./dev explain {fields['event_id']} --tenant acme" in (await command("show", letter_id, server=server))[1]


async def test_nothing_in_a_message_steers_the_terminal(redis_client: Redis, server: str) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\r\n\u202e\x9b31m"
    pairs = [(evil.encode(), evil.encode()), (b"tenant", evil.encode()), (b"event_name", evil.encode())]
    letter_id = await DeadLetters(redis_client).add(pairs, reason=evil, attempts=1, source=evil)
    for argv in (("list",), ("show", letter_id)):
        code, output, _ = await command(*argv, server=server)
        assert code == 0
        assert not set(output) & set("\x1b\x07\r\u202e\x9b")
        assert "\\x1b[2J" in output


async def test_all_of_a_tenant_are_redriven_oldest_first(redis_client: Redis, server: str) -> None:
    for number in range(4):
        await add(redis_client, f"{number}", tenant="acme" if number != 2 else "globex", n=number)
    code, output, _ = await command("redrive", "--all", "--tenant", "acme", server=server)
    assert code == 0
    assert output.endswith("3 dead letters there were\n")
    payloads = [dict(message.pairs)[b"payload_json"] for message in await raw_stream(redis_client)]
    assert payloads == [b'{"n":0}', b'{"n":1}', b'{"n":3}']
    assert await DeadLetters(redis_client).count() == 1
    [entry, *_] = await DeadLetters(redis_client).audit()
    assert "@" in entry.actor


async def test_letters_of_one_event_are_redriven_together(redis_client: Redis, server: str) -> None:
    letters, ledger, event = DeadLetters(redis_client), EventLedger(redis_client), new_event("E").incoming()
    await EventIntake(redis_client).accept([event], EventSource.API)
    claim = await ledger.claim("acme", event.event_id, "t")
    assert isinstance(claim, Claim)
    names = ("trigger:one", "trigger:two")
    targets = [Target(id=name, kind="trigger", run_id=name, status=TargetStatus.FAILED) for name in names]
    await ledger.finish(claim, targets, reason="")
    pairs = [(name.encode(), value.encode()) for name, value in event.fields.items()]
    sources = [letter_source("acme", event.event_id, name) for name in names]
    first, second = [await letters.add(pairs, reason="r", attempts=1, source=source) for source in sources]
    code, output, errors = await command("redrive", "--all", server=server)
    assert (code, errors) == (0, "")
    assert output.splitlines()[1] == f"{second} went with {first}, which is of the same event"
    assert await letters.count() == 0


async def test_one_unknown_letter_keeps_no_other_from_being_redriven(redis_client: Redis, server: str) -> None:
    letter_id = await add(redis_client)
    code, output, errors = await command("redrive", "1-1", letter_id, server=server)
    assert code == 2
    assert output.startswith(f"{letter_id} redriven")
    assert errors == "dev: dead letter '1-1' does not exist; it was redriven or dropped, or its id is mistyped\n"


async def test_dropping_wants_a_yes(redis_client: Redis, server: str) -> None:
    letter_id = await add(redis_client)
    assert "add --yes where nobody can answer" in await refusal("drop", letter_id, server=server)
    for answer, code, left in (("n", 1, 1), ("y", 0, 0)):
        assert await asyncio.to_thread(at_a_terminal, answer, "dlq", "drop", letter_id, "--server", server) == code
        assert await DeadLetters(redis_client).count() == left
    second = await add(redis_client)
    code, output, _ = await command("drop", second, "--yes", "--reason", "a test", server=server)
    assert (code, output) == (0, f"{second} dropped\n")
    assert [entry.why for entry in await DeadLetters(redis_client).audit()] == ["a test", ""]


def at_a_terminal(answer: str, *argv: str) -> int:
    """Exit code of a command whose input is a terminal at which somebody types ``answer``."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-m", "devtools", *argv], cwd=ROOT, stdin=theirs) as process:
        os.write(ours, f"{answer}\n".encode())
    os.close(ours)
    os.close(theirs)
    return process.returncode


async def test_mistakes_are_one_line_and_code_2(redis_client: Redis, server: str) -> None:
    await EventIntake(redis_client).accept([new_event("E").incoming()], EventSource.API)
    assert "there is no tenant 'nobody'; there are: acme" in await refusal("list", "--tenant", "nobody", server=server)
    assert "there is no tenant 'nobody'" in await refusal("redrive", "--all", "--tenant", "nobody", server=server)
    assert "their IDs, or --all" in await refusal("redrive", server=server)
    assert "their IDs, or --all" in await refusal("redrive", "1-1", "--all", server=server)
    assert "--tenant chooses among --all" in await refusal("redrive", "1-1", "--tenant", "acme", server=server)
    assert "'x/../y' is no dead letter's ID" in await refusal("show", "x/../y", server=server)


def test_without_a_server_it_says_so(tmp_path: Path) -> None:
    code, _, errors = dev("dlq", "list", WORKFLOW_DEV_STATE=str(tmp_path))
    assert (code, errors) == (
        2,
        "dev: nothing of this checkout runs: start it with ./dev up, or name a server with --server URL\n",
    )
    (tmp_path / "stack.json").write_text(
        json.dumps({"mode": "embedded", "definition": "x", "ports": {"WORKFLOW_SERVER_HTTP_PORT": free_port()}})
    )
    code, _, errors = dev("dlq", "list", WORKFLOW_DEV_STATE=str(tmp_path))
    assert code == 2
    assert "Connection refused): start the stack with ./dev up" in errors


async def test_the_token_of_a_closed_server_comes_from_the_environment(
    temporal_server: str, redis_url: str, tmp_path: Path
) -> None:
    environment = {"TEMPORAL_ADDRESS": temporal_server, "REDIS_URL": redis_url, "API_TOKEN": "open sesame"}
    with service_process("workflow_server", free_port(), tmp_path, **environment) as closed:
        closed.until_ready()
        (tmp_path / "token").write_text("open sesame\n")
        for variables, code in (
            ({}, 2),
            ({"API_TOKEN": "wrong"}, 2),
            ({"API_TOKEN_FILE": str(tmp_path / "none")}, 2),
            ({"API_TOKEN": "open sesame"}, 0),
            ({"API_TOKEN_FILE": str(tmp_path / "token")}, 0),
        ):
            done = await asyncio.to_thread(dev, "dlq", "list", server=closed.url, **variables)
            assert done[0] == code, done
            assert len(done[2].splitlines()) == (code == 2)
