"""A definition with every step and block under its path. Pure; called from workflow code."""

from functools import lru_cache
from typing import Any, Final

from workflow_runtime.core.canonical import definition_hash
from workflow_runtime.core.definition import (
    ROOT_PATH,
    Definition,
    Step,
    Steps,
    child_blocks,
    parse_definition,
    step_path,
)
from workflow_runtime.core.errors import CorruptionFailure

_KEPT: Final = 128


class Program:
    """What a machine runs, and looks up what a frame's path names; it never changes, so runs share it.

    ``hash`` is that of the definition. Built without recursion, so nesting is bounded by memory only.
    """

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.hash = definition_hash(definition)
        self._blocks: dict[str, Steps] = {}
        self._steps: dict[str, Step] = {}
        todo: list[tuple[str, Steps]] = [(ROOT_PATH, definition.steps)]
        while todo:
            path, steps = todo.pop()
            self._blocks[path] = steps
            for index, step in enumerate(steps):
                place = step_path(path, index)
                self._steps[place] = step
                todo.extend((f"{place}.{name}", block) for name, block in child_blocks(step))

    def block(self, path: str) -> Steps:
        """The steps of a block. Raises ``CorruptionFailure`` for a path that is not in the definition."""
        if path not in self._blocks:
            raise CorruptionFailure(f"the definition has no block {path!r}", code="UNKNOWN_PATH")
        return self._blocks[path]

    def step(self, path: str) -> Step:
        """A step. Raises ``CorruptionFailure`` for a path that is not in the definition."""
        if path not in self._steps:
            raise CorruptionFailure(f"the definition has no step {path!r}", code="UNKNOWN_PATH")
        return self._steps[path]


def published_program(pinned_hash: str, data: Any) -> Program:
    """The program of a published definition, read once for all runs that are pinned to it.

    Raises ``CorruptionFailure``: ``INVALID_WORKFLOW_DEFINITION`` when this worker cannot read ``data``,
    ``DEFINITION_HASH`` when it is another definition than the pinned one.
    """
    return _published(pinned_hash, _Unread(data))


class _Unread:
    """Data that stands for its hash: whatever is read under one pinned hash is the same."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unread)


@lru_cache(maxsize=_KEPT)
def _published(pinned_hash: str, unread: _Unread) -> Program:
    data, unread.data = unread.data, None
    definition, findings = parse_definition(data)
    if definition is None:
        problems = "; ".join(f"{finding.step_path}: {finding.message}" for finding in findings)
        raise CorruptionFailure(
            f"the published definition with the hash {pinned_hash!r} is not one this worker understands: {problems}",
            code="INVALID_WORKFLOW_DEFINITION",
        )
    program = Program(definition)
    if program.hash != pinned_hash:
        raise CorruptionFailure(
            f"a run is pinned to the definition with the hash {pinned_hash!r}, and workflow {definition.id!r} version "
            f"{definition.version} has {program.hash!r}: restore the one it was started with",
            code="DEFINITION_HASH",
        )
    return program
