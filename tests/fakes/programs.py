"""Other programs as a test sees them: what was called, and canned answers. Stands in for ``subprocess.run``."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

type Effect = Callable[["Call"], None]


@dataclass(frozen=True)
class Call:
    """One call: its words, directory and environment."""

    argv: list[str]
    cwd: Path | None
    env: Mapping[str, str]


@dataclass(frozen=True)
class _Answer:
    words: tuple[str, ...]
    stdout: str
    stderr: str
    code: int
    effect: Effect | None


@dataclass
class FakePrograms:
    """Answers a call by the last rule all of whose words it has, in order; any other call is a failure of the test."""

    calls: list[Call] = field(default_factory=list)
    _answers: list[_Answer] = field(default_factory=list)

    def answer(
        self, *words: str, stdout: str = "", stderr: str = "", code: int = 0, effect: Effect | None = None
    ) -> None:
        """Answer calls with these words; ``effect`` is what the program does beside printing."""
        self._answers.append(_Answer(words, stdout, stderr, code, effect))

    def called(self, *words: str) -> list[Call]:
        """The calls with these words, in order."""
        return [call for call in self.calls if _has(call.argv, words)]

    def __call__(self, argv: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """What ``subprocess.run`` does."""
        call = Call([str(part) for part in argv], options.get("cwd"), options.get("env") or {})
        self.calls.append(call)
        for answer in reversed(self._answers):
            if _has(call.argv, answer.words):
                if answer.effect:
                    answer.effect(call)
                return subprocess.CompletedProcess(call.argv, answer.code, answer.stdout, answer.stderr)
        raise AssertionError(f"nobody expected this call: {call.argv}")


def _has(argv: list[str], words: Sequence[str]) -> bool:
    rest = iter(argv)
    return all(word in rest for word in words)
