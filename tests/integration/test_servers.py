"""The server fixtures themselves: what the other integration tests rely on."""

from pathlib import Path

import redis
import redis.asyncio
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from tests.fixtures.servers import DURABLE, running_redis


async def test_redis_is_empty_and_durable(redis_client: redis.asyncio.Redis) -> None:
    settings = await redis_client.config_get("appendonly", "appendfsync")
    assert settings == {"appendonly": "yes", "appendfsync": "always"}
    assert await redis_client.dbsize() == 0


def test_redis_comes_back_with_its_data(tmp_path: Path) -> None:
    with running_redis(tmp_path, *DURABLE) as url, redis.Redis.from_url(url) as client:
        client.set("kept", "yes")
    with running_redis(tmp_path, *DURABLE) as url, redis.Redis.from_url(url) as client:
        assert client.get("kept") == b"yes"


async def test_temporal_serves_the_default_namespace(temporal_server: str) -> None:
    client = await Client.connect(temporal_server)
    answer = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert answer.namespace_info.name == "default"
