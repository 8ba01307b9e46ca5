"""Fixtures of the replay tests: the servers histories are recorded on."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis.asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from tests.fixtures.authored import Authored
from tests.fixtures.servers import running_redis, running_temporal

type Recorder = Callable[[], contextlib.AbstractAsyncContextManager[Authored]]


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    """Servers for one recording; Temporal suggests continue-as-new after 60 events."""

    @contextlib.asynccontextmanager
    async def servers() -> AsyncIterator[Authored]:
        for name in ("redis", "temporal"):
            (tmp_path / name).mkdir()
        option = "limit.historyCount.suggestContinueAsNew=60"
        with (
            running_redis(tmp_path / "redis") as url,
            running_temporal(tmp_path / "temporal", "--dynamic-config-value", option) as address,
        ):
            # A fixed identity, because a recording names whoever took part in it.
            client = await Client.connect(address, identity="recorder", data_converter=pydantic_data_converter)
            async with redis.asyncio.Redis.from_url(url, decode_responses=True) as connection:
                yield Authored(client, connection)

    return servers
