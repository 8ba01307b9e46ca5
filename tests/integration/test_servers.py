"""The server fixtures themselves: what the other integration tests rely on."""

import contextlib
import itertools
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import redis.asyncio
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from tests.fixtures import servers
from tests.fixtures.interpreter import python
from tests.fixtures.killable_servers import KillableRedis, alive
from tests.fixtures.ports import free_port, listens
from tests.fixtures.servers import DURABLE, running_redis, running_redis_cluster, running_temporal

ROOT = Path(__file__).parents[2]

type Server = Callable[[Path], contextlib.AbstractContextManager[str]]


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


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody took after it was found free."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        yield int(other.getsockname()[1])


def gives(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Let these ports be found free before all others."""
    following = itertools.chain(ports, iter(free_port, None))
    monkeypatch.setattr(servers, "free_port", lambda: next(following))


@pytest.mark.parametrize("server", [running_redis, running_redis_cluster, running_temporal])
def test_a_server_whose_port_was_taken_meanwhile_comes_up_on_another(
    server: Server, tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gives(monkeypatch, taken)
    with server(tmp_path) as address:
        assert str(taken) not in address


def test_a_cluster_whose_bus_port_was_taken_meanwhile_comes_up(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gives(monkeypatch, free_port(), taken)
    with running_redis_cluster(tmp_path) as url, redis.RedisCluster.from_url(url) as client:
        assert len(client.get_primaries()) == 3


def test_a_strangers_server_is_not_taken_for_the_one_that_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    with running_redis(tmp_path) as stranger, redis.Redis.from_url(stranger) as client:
        client.set("whose", "the stranger's")
        gives(monkeypatch, int(stranger.removesuffix("/0").rpartition(":")[2]))
        with running_redis(tmp_path / "own") as url, redis.Redis.from_url(url) as own:
            assert own.get("whose") is None


def test_a_server_that_does_not_start_is_told_with_what_it_wrote(tmp_path: Path, taken: int) -> None:
    with (
        pytest.raises(pytest.fail.Exception, match="argument must be"),
        running_redis(tmp_path, "--appendonly", "?"),
    ):
        pass
    with pytest.raises(pytest.fail.Exception, match="Address already in use"), running_redis(tmp_path, port=taken):
        pass


def test_one_that_never_finds_a_port_says_so(tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "free_port", lambda: taken)
    with pytest.raises(pytest.fail.Exception, match="Address already in use"), running_redis(tmp_path):
        pass


def test_a_server_started_again_waits_for_its_own_port_and_not_for_a_strangers(tmp_path: Path) -> None:
    server = KillableRedis(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", server.port))
        other.listen()
        with pytest.raises(AssertionError, match="Address already in use"):
            server.start()
    server.kill()
    with alive(server), redis.Redis.from_url(server.url) as client:
        assert client.ping()


def test_a_port_belongs_to_the_process_that_got_it(taken: int) -> None:
    mine = free_port()
    ask = f"""
from tests.fixtures import ports
ports._candidates = lambda: iter([{taken}, {mine}, {mine} + 1, {mine} + 2, {mine} + 3])
print(ports.free_port())
"""
    found = subprocess.run([*python(), "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert int(found) > mine
    assert free_port() != mine


def test_who_listens_on_a_port_is_known(redis_server: str, taken: int) -> None:
    me = int(Path("/proc/self").readlink().name)
    with redis.Redis.from_url(redis_server) as client:
        server = client.info("server")
    port = int(redis_server.removesuffix("/0").rpartition(":")[2])
    assert listens(server["process_id"], port)
    assert not listens(me, port)
    assert listens(me, taken)
