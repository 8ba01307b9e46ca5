"""A definition with every step and block under its path. Pure; called from workflow code."""

from workflow_runtime.core.definition import ROOT_PATH, Definition, Step, Steps, child_blocks, step_path
from workflow_runtime.core.errors import CorruptionFailure


class Program:
    """Looks up what a frame's path names. Built without recursion, so nesting is bounded by memory only."""

    def __init__(self, definition: Definition) -> None:
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
