"""The stack as processes of this machine, supervised by supervisord, without a container engine. Host process only."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from devtools.console import step
from devtools.errors import DevError
from devtools.paths import STATE
from devtools.stack.record import Stack

_STOP_SECONDS = 60.0
_LOG = STATE / "logs" / "supervisord.log"
_EXITED = re.compile(r"exited: (\S+) ")
_EXITS = 3
_KEPT = ("HOME", "LANG", "PATH", "TZ")


def start(environment: Path, configuration: str, variables: dict[str, str], ports: dict[str, int]) -> Stack:
    """Start supervisord with every service; it goes on after this process ends."""
    if any(character.isspace() or character == "%" for character in str(STATE)):
        raise DevError(
            f"the embedded stack cannot run below {STATE}: its path has a blank or a percent sign; move the checkout"
        )
    for directory in ("logs", "data"):
        (STATE / directory).mkdir(parents=True, exist_ok=True)
    _make_volumes(configuration)
    settings = {name: os.environ[name] for name in _KEPT if name in os.environ}
    settings |= variables | {"WORKFLOW_STATE": str(STATE)}
    argv = [str(environment / "bin" / "python3"), "-m", "supervisor.supervisord", "--nodaemon", "-c", configuration]
    _LOG.unlink(missing_ok=True)  # what ended in an earlier life says nothing about this one
    with (STATE / "logs" / "supervisord.out").open("ab") as log:
        process = subprocess.Popen(
            argv, env=settings, cwd=STATE, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    return Stack("embedded", configuration, ports, process.pid, _started(process.pid))


def _make_volumes(configuration: str) -> None:
    """The data directories the configuration names, for this user alone."""
    for word in Path(configuration).read_text().split():
        marker = "%(ENV_WORKFLOW_STATE)s/data/"
        if marker in word:
            name = word.split(marker)[1].strip("'\"").split("/")[0]
            (STATE / "data" / name).mkdir(mode=0o700, exist_ok=True)


def problem(stack: Stack) -> str | None:
    """Why the services cannot become ready any more, or None."""
    if not running(stack):
        return f"supervisord has ended; its last words are in {STATE / 'logs' / 'supervisord.out'}"
    for service, times in Counter(_EXITED.findall(_read(_LOG))).items():
        if times >= _EXITS:
            log = STATE / "logs" / f"{service}.log"
            last = _read(log).strip().rpartition("\n")[2]
            return f"{service} has ended {times} times; the last line of {log}: {last}"
    return None


def _read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def running(stack: Stack) -> bool:
    """Whether the process `up` started is still that process: a pid alone may have been given to another."""
    return stack.pid is not None and _started(stack.pid) == stack.started


def stop(stack: Stack) -> None:
    """Stop supervisord, which drains and stops its services, and wait until it has ended."""
    if not running(stack) or stack.pid is None:
        return
    step("draining the services")
    os.kill(stack.pid, signal.SIGTERM)
    end = time.monotonic() + _STOP_SECONDS
    while running(stack):
        if time.monotonic() > end:
            raise DevError(f"the services have not ended in {_STOP_SECONDS:.0f} s; supervisord is process {stack.pid}")
        with contextlib.suppress(ChildProcessError):
            os.waitpid(stack.pid, os.WNOHANG)
        time.sleep(0.1)


def wipe() -> None:
    """Remove all data of the embedded stack."""
    shutil.rmtree(STATE / "data", ignore_errors=True)


def _started(pid: int) -> str | None:
    """Start time of a process in clock ticks since boot, from the kernel; None when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]
