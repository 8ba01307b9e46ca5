"""`./dev up` and `./dev down`. Host process only."""

import os
from typing import Any

from devtools import fetch, nixcli
from devtools.archives import Archive, build_images
from devtools.console import step, table
from devtools.errors import DevError
from devtools.paths import STATE
from devtools.stack import composed, embedded, readiness, record
from devtools.stack.ports import Port, published, require_free
from devtools.stack.record import Mode, Stack


def up(mode: Mode | None, offset: int) -> None:
    """Fetch, build, start, wait until all is ready, and show what runs where."""
    fetch.fetch()
    mode, compose = _choose(mode)
    facts = nixcli.evaluate("lib.stack")
    ports = published(facts["topology"]["published"], offset)
    running = _running()
    if running is not None and running.mode != mode:
        raise DevError(f"the stack runs already, {running.mode}: ./dev down first, or ./dev up --{running.mode}")
    if running is None:
        require_free(ports)
    names = facts["topology"]["services"]
    step(f"building {len(names)} images in the Nix sandbox")
    images = build_images(names)
    stack = _start(mode, compose, running, images, ports, composed.project(offset))
    record.save(stack)
    step("waiting until every service is ready")
    _wait(stack, ports)
    _show(stack, facts, images, ports)


def down(*, wipe: bool) -> None:
    """Stop what up started and nothing else; data stays unless ``wipe``."""
    stack = record.load()
    if stack is None:
        step("nothing of this checkout runs")
    elif stack.mode == "compose":
        composed.stop(stack, wipe=wipe)
    else:
        embedded.stop(stack)
    record.forget()
    if wipe:
        embedded.wipe()
        step("data removed")


def _choose(mode: Mode | None) -> tuple[Mode, list[str]]:
    compose, reason = composed.engine()
    if mode == "compose" and compose is None:
        raise DevError(f"{reason}: start one, or run the same closures without it: ./dev up --embedded")
    if mode == "embedded" or compose is None:
        step(f"running embedded: {'as asked' if mode else reason}; the same closures run as supervised processes")
        return "embedded", []
    step(f"running the compose file: {'as asked' if mode else reason} ({' '.join(compose)})")
    return "compose", compose


def _running() -> Stack | None:
    stack = record.load()
    if stack is None or (stack.mode == "embedded" and not embedded.running(stack)):
        return None
    return stack


def _start(
    mode: Mode, compose: list[str], running: Stack | None, images: dict[str, Archive], ports: list[Port], project: str
) -> Stack:
    numbers = {port.variable: port.number for port in ports}
    variables = {name: str(number) for name, number in numbers.items()} | _directories() | _passed(ports)
    if mode == "compose":
        composed.load_images(images.values())
        file = str(nixcli.build(["compose"])["compose"])
        step(f"starting the containers of {file}")
        return composed.start(compose, file, variables, numbers, project)
    built = nixcli.build(["supervisor", "environment"])
    configuration = str(built["supervisor"])
    if running is not None:
        if running.definition == configuration and running.ports == numbers:
            step("the stack runs already and nothing has changed")
            return running
        embedded.stop(running)
    step("starting the services under supervisord")
    return embedded.start(built["environment"], configuration, variables, numbers)


def _directories() -> dict[str, str]:
    secrets = STATE / "secrets"
    # The containers' user reads it; a file of it may be closed to others by whoever puts it there.
    secrets.mkdir(parents=True, exist_ok=True)
    secrets.chmod(0o755)
    return {"WORKFLOW_SECRETS_DIR": str(secrets)}


def _passed(ports: list[Port]) -> dict[str, str]:
    """Settings a person may set for the services; unset ones are empty, which the services read as not set."""
    names = nixcli.evaluate("lib.stack.passEnvironment")
    ui = next(port.number for port in ports if port.variable == "TEMPORAL_UI_PORT")
    return {name: os.environ.get(name, "") for name in names} | {"TEMPORAL_UI_URL": f"http://127.0.0.1:{ui}"}


def _wait(stack: Stack, ports: list[Port]) -> None:
    problem = composed.problem if stack.mode == "compose" else embedded.problem
    asked = [port for port in ports if port.name != "ui"]
    readiness.wait_ready(asked, lambda: problem(stack))


def _show(stack: Stack, facts: dict[str, Any], images: dict[str, Archive], ports: list[Port]) -> None:
    rows = []
    for name in facts["topology"]["services"]:
        addresses = [_address(port) for port in ports if port.service == name]
        queues = ", ".join(facts["images"][name]["owns"]["queues"]) or "-"
        rows.append([name, images[name].tag[:12], queues, " ".join(addresses)])
    print(table(["SERVICE", "DIGEST", "OWNS QUEUES", "ADDRESS"], rows))
    print(f"\nready ({stack.mode}). Next: ./dev run examples/ticket-follow-up.json")


def _address(port: Port) -> str:
    scheme = {"client": "redis", "grpc": "grpc"}.get(port.name, "http")
    return f"{scheme}://127.0.0.1:{port.number}"
