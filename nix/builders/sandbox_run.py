"""Starts the whole stack, runs an authored workflow and a domain job, and drains it. Runs inside a Nix build.

Document: ``{version, services: [{name, command, environment, volumes}], ports: {VARIABLE: number}, python: [argv],
sources: {relative path: store path}, example, job: {queue, workflow, input}}``. The services are those of the embedded
stack, in start order; ``%(ENV_NAME)s`` in them is filled in here as supervisord would. The sandbox has a loopback
address of its own, so the ports are the published ones and nothing outside is touched.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from document import output, read_document

START_SECONDS = 60.0
STOP_SECONDS = 40.0
_VARIABLE = re.compile(r"%\(ENV_([A-Z0-9_]+)\)s")

_JOB = """
import asyncio, json, sys
from temporalio.client import Client

async def main(address, job):
    client = await Client.connect(address)
    return await client.execute_workflow(job["workflow"], job["input"], id="sandboxed", task_queue=job["queue"])

print(json.dumps(asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))))
"""


def main() -> int:
    """Start, use, stop; the exit code of the first thing that went wrong."""
    document = read_document()
    state = Path.cwd() / "state"
    variables = {name: str(number) for name, number in document["ports"].items()}
    variables |= {"WORKFLOW_STATE": str(state), "WORKFLOW_SECRETS_DIR": str(state / "secrets")}
    (state / "logs").mkdir(parents=True)
    (state / "secrets").mkdir()
    tree = _sources(document["sources"])
    services = {service["name"]: _start(service, variables, state) for service in document["services"]}
    try:
        _wait(document["ports"])
        _use(document, tree, variables)
    except (AssertionError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        _show_logs(state)
        return 1
    finally:
        codes = {name: _stop(process) for name, process in reversed(services.items())}
    undrained = {name: code for name, code in codes.items() if code != 0 and name.endswith(("-worker", "-server"))}
    if undrained:
        print(f"error: these did not drain: {undrained}", file=sys.stderr)
        _show_logs(state)
        return 1
    output().write_text("an authored run and a domain job succeeded; every service drained\n")
    return 0


def _sources(sources: dict[str, str]) -> Path:
    tree = Path.cwd() / "tree"
    for relative, source in sources.items():
        shutil.copytree(source, tree / relative)
    return tree


def _fill(text: str, variables: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: variables.get(match[1], ""), text)


def _start(service: dict[str, Any], variables: dict[str, str], state: Path) -> subprocess.Popen[bytes]:
    for volume in service["volumes"]:
        (state / "data" / volume).mkdir(parents=True)
    environment = {name: _fill(value, variables) for name, value in service["environment"].items()}
    with (state / "logs" / f"{service['name']}.log").open("wb") as log:
        return subprocess.Popen(
            [_fill(part, variables) for part in service["command"]],
            env={"HOME": str(state), "PATH": "", **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _wait(ports: dict[str, int]) -> None:
    """Ready: every health port answers 200; the others accept connections."""
    end = time.monotonic() + START_SECONDS
    waiting = dict(ports)
    while waiting:
        waiting = {name: port for name, port in waiting.items() if not _answers(name, port)}
        assert time.monotonic() < end, f"not ready after {START_SECONDS:.0f} s: {', '.join(waiting)}"
        time.sleep(0.1)


def _answers(name: str, port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            if not name.endswith(("_HEALTH_PORT", "_HTTP_PORT")):
                return True
            connection.sendall(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return connection.recv(64).split()[1:2] == [b"200"]
    except OSError:
        return False


def _use(document: dict[str, Any], tree: Path, variables: dict[str, str]) -> None:
    environment = {
        **variables,
        "HOME": str(tree),
        "PYTHONPATH": f"{tree}:{tree / 'src'}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    follow = [*document["python"], "-m", "devtools.follow", str(tree / document["example"])]
    subprocess.run(follow, env=environment, check=True)
    address = f"127.0.0.1:{document['ports']['TEMPORAL_GRPC_PORT']}"
    job = [*document["python"], "-c", _JOB, address, json.dumps(document["job"])]
    subprocess.run(job, env=environment, check=True)


def _stop(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        os.kill(process.pid, signal.SIGTERM)
    try:
        return process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _show_logs(state: Path) -> None:
    for log in sorted((state / "logs").iterdir()):
        print(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
