"""Ports of the stack: declared, moved by an offset or one by one, and free."""

import socket
from collections.abc import Iterator

import pytest
from devtools.errors import DevError
from devtools.stack.ports import Port, published, require_free

DECLARED = {"redis": {"client": 6379}, "workflow-worker": {"health": 4000}}


@pytest.fixture
def taken() -> Iterator[int]:
    """A loopback port somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_variable_of_a_port_is_the_one_of_the_generated_files() -> None:
    assert Port("workflow-server", "http", 8080).variable == "WORKFLOW_SERVER_HTTP_PORT"


def test_offset_moves_every_port() -> None:
    assert [port.number for port in published(DECLARED, 100)] == [6479, 4100]


def test_environment_moves_one_port_and_wins_over_the_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_CLIENT_PORT", "7000")

    assert [port.number for port in published(DECLARED, 100)] == [7000, 4100]


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "6379.0"])
def test_number_that_is_no_port_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_CLIENT_PORT", text)

    with pytest.raises(DevError, match=rf"REDIS_CLIENT_PORT='{text}' is not a port: use a number from 1 to 65535"):
        published(DECLARED, 0)


def test_taken_port_is_named_with_ways_out(taken: int) -> None:
    with pytest.raises(DevError) as failure:
        require_free([Port("redis", "client", taken)])

    assert f"already in use on 127.0.0.1: {taken} (redis client)" in str(failure.value)
    assert "--port-offset" in str(failure.value)
    assert f"REDIS_CLIENT_PORT={taken + 1} ./dev up" in str(failure.value)


def test_free_ports_pass(taken: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]

    require_free([Port("redis", "client", free)])
