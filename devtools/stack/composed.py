"""The stack in containers, from the generated compose file. Host process only."""

import shutil
import subprocess
from collections.abc import Iterable

from devtools.archives import Archive
from devtools.console import step
from devtools.errors import DevError
from devtools.process import run
from devtools.stack.record import Stack


def engine() -> tuple[list[str] | None, str]:
    """The compose command to use and why, or None and why not."""
    if shutil.which("docker") is None:
        return None, "no container engine is installed"
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        return None, "no container engine answers"
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"], "a container engine answers"
    if shutil.which("docker-compose"):
        return ["docker-compose"], "a container engine answers"
    return None, "a container engine answers, but there is neither `docker compose` nor docker-compose"


def load_images(images: Iterable[Archive]) -> None:
    """Give the engine the images it lacks."""
    for image in images:
        known = subprocess.run(["docker", "image", "inspect", image.reference], capture_output=True, check=False)
        if known.returncode == 0:
            continue
        step(f"loading {image.reference} ({image.size / 1e6:.0f} MB)")
        with image.path.open("rb") as archive:
            done = subprocess.run(
                ["docker", "load", "--quiet"], stdin=archive, capture_output=True, text=True, check=False
            )
        if done.returncode != 0:
            raise DevError(f"the engine did not load {image.reference}: {done.stderr.strip()}")


def project(offset: int) -> str:
    """The compose project: one for each port offset, as two stacks cannot share ports anyway."""
    return f"workflow-runtime-{offset}" if offset else "workflow-runtime"


def start(compose: list[str], file: str, variables: dict[str, str], ports: dict[str, int], name: str) -> Stack:
    """Create or update the containers; what depends on another starts after its health check."""
    stack = Stack("compose", file, ports, engine=compose, project=name)
    _compose(stack, ["up", "--detach", "--remove-orphans"], variables, "starting the containers")
    return stack


def stop(stack: Stack, *, wipe: bool) -> None:
    """Stop and remove the containers and their network; with ``wipe`` their volumes as well."""
    step("draining the services")
    _compose(stack, ["down", "--remove-orphans", *(["--volumes"] if wipe else [])], {}, "stopping the containers")


def problem(stack: Stack) -> str | None:
    """Why the services cannot become ready any more, or None."""
    text = run(
        ["docker", "ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={stack.project}",
         "--filter", "status=exited"],
        what="asking the engine for ended containers",
    )  # fmt: skip
    if not text.strip():
        return None
    words = run(["docker", "logs", "--tail", "3", text.split()[0]], what="reading a container's log")
    return f"a container has ended: {words.strip()}"


def _compose(stack: Stack, argv: list[str], variables: dict[str, str], what: str) -> None:
    command = [*stack.engine, "--project-name", str(stack.project), "--file", stack.definition]
    run([*command, *argv], what=what, env={**stack.environment(), **variables})
