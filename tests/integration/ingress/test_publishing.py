"""What docs/EVENTS.md says a publisher does, done word by word: redis-cli, a plain Redis client, our own helper."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from redis.asyncio import Redis
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import publish_workflow, running, until
from tests.fixtures.servers import program

ROOT: Final = Path(__file__).parents[3]
BLOCKS: Final = re.findall(
    r"```(sh|python) (?:publish|helper)\n(.*?)```", (ROOT / "docs" / "EVENTS.md").read_text(), flags=re.DOTALL
)


def publish_as_documented(language: str, text: str, redis_url: str) -> None:
    """Run the block as it stands, but against the Redis of the test."""
    assert ("redis-cli" in text) is (language == "sh")
    if language == "sh":
        text = text.replace("redis-cli", f"{program('redis-cli')} -e -u {redis_url}")
        command = [program("bash"), "-euc", text]
    else:
        assert "redis://127.0.0.1:6379/0" in text
        command = [sys.executable, "-W", "error", "-c", text.replace("redis://127.0.0.1:6379/0", redis_url)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True)


def test_there_are_three_ways() -> None:
    assert [language for language, _ in BLOCKS] == ["sh", "python", "python"]


@pytest.mark.parametrize(("language", "text"), BLOCKS, ids=["redis-cli", "redis client", "helper"])
async def test_what_is_published_as_documented_starts_a_run(
    redis_client: Redis, redis_url: str, language: str, text: str
) -> None:
    await publish_workflow(redis_client, "follow-up", "TICKET_CREATED")
    async with running(redis_client, gateway := RunGatewayFake()):
        await asyncio.to_thread(publish_as_documented, language, text, redis_url)
        await until(lambda: len(gateway.started), lambda started: started == 1)
    [start] = gateway.started.values()
    assert start.payload == {"ticketId": "T-1"}
