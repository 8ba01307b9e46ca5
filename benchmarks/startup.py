"""Measures exec to first poll: ``python3 -m benchmarks.startup``, against the running embedded stack.

A second process of each service is started from the same closure, on a port of its own. It is ready when Temporal lists
it among the pollers of its queues. The interpreter's own start stands beside it: the part nobody can save.
"""

import configparser
import os
import re
import shlex
import signal
import socket
import statistics
import subprocess
import time
from http.client import HTTPException

from devtools.console import table
from devtools.errors import DevError
from devtools.paths import STATE
from devtools.stack import record
from devtools.stack.readiness import get_json

SERVICES = ("workflow-worker", "temporal-worker", "workflow-server")
ROUNDS = 5
_VARIABLE = re.compile(r"%\(ENV_([A-Z0-9_]+)\)s")


def main() -> None:
    """Start each service a few times; print the medians."""
    stack = record.load()
    if stack is None or stack.mode != "embedded":
        raise DevError("this measures the embedded stack: ./dev up --embedded first")
    file = configparser.RawConfigParser()
    file.read(stack.definition)
    variables = {**stack.environment(), "WORKFLOW_STATE": str(STATE), "WORKFLOW_SECRETS_DIR": str(STATE / "secrets")}
    rows = []
    for service in SERVICES:
        section = file[f"program:{service}"]
        command = [_fill(part, variables) for part in shlex.split(section["command"])]
        settings = dict(part.split("=", 1) for part in shlex.split(section["environment"].replace(",", " ")))
        environment = {name: _fill(value, variables) for name, value in settings.items()}
        ready = statistics.median(_until_ready(command, environment) for _ in range(ROUNDS))
        bare = statistics.median(_bare([*command[: command.index("-I") + 1], "-c", ""]) for _ in range(ROUNDS))
        rows.append([service, f"{ready:.2f} s", f"{bare:.3f} s", f"{ready / bare:.0f}"])
    print(table(["PROCESS", "EXEC TO FIRST POLL", "BARE INTERPRETER", "RATIO"], rows))


def _fill(text: str, variables: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: variables.get(match[1], ""), text)


def _until_ready(command: list[str], environment: dict[str, str]) -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    begun = time.perf_counter()
    settings = {**environment, "PORT": str(port), "PATH": os.environ["PATH"]}
    process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _is_ready(port):
            if process.poll() is not None:
                raise DevError(f"{command[-1]} ended with {process.returncode} before it was ready")
            time.sleep(0.01)
        return time.perf_counter() - begun
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _is_ready(port: int) -> bool:
    try:
        return get_json(port, "/readyz")[0] == 200
    except (OSError, HTTPException):
        return False


def _bare(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    try:
        main()
    except DevError as error:
        raise SystemExit(f"benchmark: {error}") from None
