"""Connecting to what is not there: one line per attempt, then one reason."""

import pytest
import structlog
from structlog.testing import capture_logs
from tests.fixtures.ports import free_port

from workflow_runtime.service.connect import connect_redis, connect_temporal, open_redis, redis_address
from workflow_runtime.service.errors import UnreachableError
from workflow_runtime.service.settings import ProcessSettings


async def test_unreachable_temporal_is_retried_until_the_deadline_and_then_told_in_one_line() -> None:
    structlog.reset_defaults()
    address = f"127.0.0.1:{free_port()}"
    settings = ProcessSettings(temporal_address=address, connect_deadline_seconds=0.6)
    with capture_logs() as lines, pytest.raises(UnreachableError) as failure:
        await connect_temporal(settings, open_redis(settings), identity="test")
    assert f"Temporal at {address} is unreachable after 0.6 s" in str(failure.value)
    assert "\n" not in str(failure.value)
    assert [line["event"] for line in lines] == ["dependency_unreachable"] * len(lines)
    assert len(lines) >= 2
    assert lines[0]["address"] == address


async def test_unreachable_redis_is_told_without_its_password() -> None:
    structlog.reset_defaults()
    port = free_port()
    settings = ProcessSettings(
        redis_url=f"redis://:hunter2@127.0.0.1:{port}/0",
        connect_deadline_seconds=0.3,
    )
    with capture_logs() as lines, pytest.raises(UnreachableError, match=f"Redis at 127.0.0.1:{port}") as failure:
        await connect_redis(settings)
    assert "hunter2" not in f"{failure.value}{lines}"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://cache", "cache:6379"),
        ("rediss://user:secret@cache:6380/2", "cache:6380"),
        ("unix:///run/redis.sock", "/run/redis.sock"),
    ],
)
def test_an_address_leaves_credentials_out(url: str, address: str) -> None:
    assert redis_address(url) == address
