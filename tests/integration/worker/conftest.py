"""Fixtures of the worker tests."""

from collections.abc import Iterator

import pytest
from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from tests.fixtures.authored import Authored
from tests.fixtures.servers import running_temporal


@pytest.fixture
async def client(temporal_server: str) -> Client:
    return await Client.connect(temporal_server, data_converter=pydantic_data_converter)


@pytest.fixture
def authored(client: Client, redis_client: Redis) -> Authored:
    return Authored(client, redis_client)


@pytest.fixture(scope="session")
def short_history_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Temporal server that suggests continue-as-new after 40 history events."""
    option = "limit.historyCount.suggestContinueAsNew=40"
    with running_temporal(tmp_path_factory.mktemp("short"), "--dynamic-config-value", option) as address:
        yield address


@pytest.fixture
async def short_lived(short_history_server: str, redis_client: Redis) -> Authored:
    client = await Client.connect(short_history_server, data_converter=pydantic_data_converter)
    return Authored(client, redis_client)
