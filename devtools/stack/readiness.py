"""Waiting until every service of the stack answers for itself. Host process only."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from typing import Any

from devtools.console import step
from devtools.errors import DevError
from devtools.stack.ports import Port

DEADLINE_SECONDS = 180.0
_INTERVAL_SECONDS = 0.2
_REPORT_SECONDS = 10.0


def wait_ready(ports: list[Port], still_there: Callable[[], str | None]) -> None:
    """Return when every port's service is ready; ``still_there`` answers why waiting is pointless, or None."""
    waiting = dict.fromkeys(ports, "not asked yet")
    begun = reported = time.monotonic()
    while True:
        waiting = {port: reason for port in waiting if (reason := _not_ready(port)) is not None}
        if not waiting:
            return
        gone = still_there()
        if gone is not None:
            raise DevError(gone)
        now = time.monotonic()
        if now - begun > DEADLINE_SECONDS:
            raise DevError(f"not ready after {DEADLINE_SECONDS:.0f} s: {_listed(waiting)}")
        if now - reported > _REPORT_SECONDS:
            reported = now
            step(f"waiting for {_listed(waiting)}")
        time.sleep(_INTERVAL_SECONDS)


def _listed(waiting: dict[Port, str]) -> str:
    return "; ".join(f"{port.service}: {reason}" for port, reason in waiting.items())


def _not_ready(port: Port) -> str | None:
    try:
        if port.service == "redis":
            return _redis(port.number)
        if port.service == "temporal":
            return _connects(port.number)
        return _http(port.number)
    except (OSError, http.client.HTTPException) as error:
        return f"port {port.number}: {error}"


def _redis(number: int) -> str | None:
    with socket.create_connection(("127.0.0.1", number), timeout=2) as connection:
        connection.sendall(b"PING\r\n")
        answer = connection.recv(64)
    return None if answer.startswith(b"+PONG") else f"answered {answer!r}"


def _connects(number: int) -> str | None:
    with socket.create_connection(("127.0.0.1", number), timeout=2):
        return None


def _http(number: int) -> str | None:
    status, body = get_json(number, "/readyz")
    if status == 200:
        return None
    checks = body.get("checks", {}) if isinstance(body, dict) else {}
    failing = [f"{name}: {check['detail']}" for name, check in checks.items() if not check.get("ok")]
    return f"answers {status}" + (f" ({'; '.join(failing)})" if failing else "")


def get_json(number: int, path: str) -> tuple[int, Any]:
    """Status and JSON body of a GET on this machine; the body is None when it is not JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", number, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    try:
        return answer.status, json.loads(body)
    except ValueError:
        return answer.status, None
