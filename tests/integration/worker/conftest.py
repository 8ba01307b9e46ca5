"""Fixtures of the worker tests."""

import pytest
from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from tests.fixtures.authored import Authored


@pytest.fixture
async def client(temporal_server: str) -> Client:
    return await Client.connect(temporal_server, data_converter=pydantic_data_converter)


@pytest.fixture
def authored(client: Client, redis_client: Redis) -> Authored:
    return Authored(client, redis_client)
