"""A running stack for the end-to-end tests, started as a person starts it: with ./dev. Test code."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class RunningStack:
    """One stack in one mode, below its own state directory and port offset."""

    mode: str
    state: Path
    offset: int

    def dev(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run ./dev; the caller judges its exit code."""
        environment = {**os.environ, "WORKFLOW_DEV_STATE": str(self.state)}
        # The tests' own PATH and PYTHON* belong to the locked environment; a person's shell has neither.
        environment = {name: value for name, value in environment.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [str(ROOT / "dev"), *argv], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    def up(self) -> subprocess.CompletedProcess[str]:
        """Start it, or let a running one be."""
        return self.dev("up", f"--{self.mode}", "--port-offset", str(self.offset))

    def port(self, default: int) -> int:
        """The published port of this stack that is ``default`` without an offset."""
        return default + self.offset

    def pause(self, service: str) -> None:
        """Let a service stop working, without the supervisor or the engine starting it again."""
        if self.mode == "compose":
            subprocess.run(["docker", "stop", self.container(service)], check=True, capture_output=True)
        else:
            os.kill(self.pid(service), signal.SIGSTOP)

    def resume(self, service: str) -> None:
        """Undo pause."""
        if self.mode == "compose":
            subprocess.run(["docker", "start", self.container(service)], check=True, capture_output=True)
        else:
            os.kill(self.pid(service), signal.SIGCONT)

    def container(self, service: str) -> str:
        """Id of a service's container."""
        labels = [f"com.docker.compose.project=workflow-runtime-{self.offset}", f"com.docker.compose.service={service}"]
        filters = [flag for label in labels for flag in ("--filter", f"label={label}")]
        argv = ["docker", "ps", "--all", "--quiet", *filters]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def pid(self, service: str) -> int:
        """Process id of a service that supervisord runs."""
        supervisor = json.loads((self.state / "stack.json").read_text())["pid"]
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        module = service.replace("-", "_")
        for child in children:
            command = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            if module in command:
                return int(child)
        raise AssertionError(f"supervisord {supervisor} runs no {module}")

    def logs(self, service: str) -> str:
        """What a service has logged."""
        if self.mode == "compose":
            done = subprocess.run(
                ["docker", "logs", self.container(service)], check=True, capture_output=True, text=True
            )
            return done.stdout + done.stderr
        return (self.state / "logs" / f"{service}.log").read_text()
