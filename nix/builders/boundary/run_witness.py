"""The run witness: imports every module of an image in a fresh interpreter and tells what happened. Build process.

The interpreter is the image's own, started again the way this process was started (through its loader where there is
one), isolated, without ``site`` and without an environment. It runs while the AST witness reads.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from boundary.closure import Closure
from boundary.sources import parents

_RECORDER: Final = Path(__file__).parent / "recorder"
_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class SeenImport:
    """A module that a line asked for while modules were imported; ``path`` is absolute."""

    name: str
    path: str
    line: int
    third_party: bool


@dataclass(frozen=True, slots=True)
class SeenEffect:
    """Something a first-party line did while its module was imported."""

    what: str
    detail: str
    path: str
    line: int

    @property
    def replayed(self) -> bool:
        """Whether it matters only in workflow code: reading a clock or drawing lots."""
        return self.what.startswith("reaches ")


@dataclass(frozen=True, slots=True)
class SeenFailure:
    """A module whose import ended in an exception; ``name`` is the module that was not found, if that was it."""

    module: str
    kind: str
    message: str
    name: str | None
    path: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class Observations:
    """Everything one import run brought back. ``broken`` says why there is nothing."""

    imports: tuple[SeenImport, ...] = ()
    effects: tuple[SeenEffect, ...] = ()
    failures: tuple[SeenFailure, ...] = ()
    broken: str | None = None


class ImportRun:
    """An import run under way; ``finish`` waits for it."""

    def __init__(self, closure: Closure) -> None:
        self._process = _started(closure)

    def finish(self) -> Observations:
        """What was seen; a run that died or hung is itself an observation."""
        answer = self._process if isinstance(self._process, str) else self._process.answer()
        return Observations(broken=answer) if isinstance(answer, str) else _observations(answer)


def _started(closure: Closure) -> "_Process | str":
    scratch = tempfile.TemporaryDirectory(prefix="boundary-")
    try:
        return _Process(closure, scratch)
    except OSError as error:
        scratch.cleanup()
        return f"the image's Python does not start: {error}"


class _Process:
    """The recorder, started and given its request, so that it works while the caller does."""

    def __init__(self, closure: Closure, scratch: "tempfile.TemporaryDirectory[str]") -> None:
        self._scratch = scratch
        command = [*(closure.manifest.interpreter or own_interpreter()), "-I", "-S", "-B", str(_RECORDER)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(self._scratch.name),
            cwd=self._scratch.name,
        )
        self._send(json.dumps(_request(closure, self._scratch.name)).encode())

    def _send(self, request: bytes) -> None:
        assert self._process.stdin is not None
        try:
            with self._process.stdin as stream:
                stream.write(request)
        except BrokenPipeError:  # it died at once; answer() says of what
            pass
        self._process.stdin = None

    def answer(self) -> dict[str, Any] | str:
        """The recorder's answer, or why there is none."""
        try:
            output, errors = self._process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return f"the import run did not end within {_SECONDS} s"
        finally:
            self._scratch.cleanup()
        if self._process.returncode == 0 and output:
            answer: dict[str, Any] = json.loads(output)
            return answer
        last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        return f"the import run ended with code {self._process.returncode}: {last[0]}"


def _request(closure: Closure, scratch: str) -> dict[str, Any]:
    manifest = closure.manifest
    return {
        "source": str(manifest.source_root),
        "sites": [str(path) for path in manifest.site_packages],
        "scratch": scratch,
        "modules": list(closure.modules),
        "firstParty": list(manifest.first_party),
        "parents": sorted({parent for package in manifest.first_party for parent in parents(package)}),
        "firstPartyTops": sorted(closure.first_party_tops),
        "thirdParty": sorted(closure.names.inside_names()),
    }


def _observations(answer: dict[str, Any]) -> Observations:
    return Observations(
        imports=tuple(SeenImport(i["name"], i["path"], i["line"], i["thirdParty"]) for i in answer["imports"]),
        effects=tuple(SeenEffect(e["what"], e["detail"], e["path"], e["line"]) for e in answer["effects"]),
        failures=tuple(
            SeenFailure(f["module"], f["type"], f["message"], f["name"], f["path"], f["line"])
            for f in answer["failures"]
        ),
    )


def own_interpreter() -> list[str]:
    """The command that started this interpreter, its loader included, without Python's own arguments.

    ``sys.orig_argv`` begins at Python; the kernel's record of the command line begins at the loader.
    """
    arguments = sys.orig_argv[1:]
    try:
        words = Path("/proc/self/cmdline").read_bytes().decode().split("\0")[:-1]
    except OSError:
        return [sys.executable]
    command = words[: len(words) - len(arguments)]
    if words[len(command) :] != arguments or not command or not os.access(command[0], os.X_OK):
        return [sys.executable]
    return command


def _environment(scratch: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {**kept, "HOME": scratch, "TMPDIR": scratch, "LC_ALL": "C.UTF-8"}
