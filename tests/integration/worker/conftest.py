"""Fixtures of the worker tests."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from temporalio.client import Client
from tests.fixtures.authored import Authored
from tests.fixtures.servers import running_temporal

from workflow_runtime.service.large_payloads import data_converter


@pytest.fixture
async def client(temporal_server: str, redis_client: Redis) -> Client:
    return await _connected(temporal_server, redis_client)


async def _connected(address: str, redis: Redis) -> Client:
    return await Client.connect(address, data_converter=data_converter(redis, retention=timedelta(days=1)))


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
    return Authored(await _connected(short_history_server, redis_client), redis_client)
