"""Visit every step of a definition with its path. Pure; importable anywhere.

A path reads ``root.steps[2].then.steps[0]``: a block adds its own name and ``steps`` (RUNTIME.md section 3).
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from workflow_runtime.core.definition.model import Definition
from workflow_runtime.core.definition.steps import (
    ActionCallStep,
    AssignStep,
    BaseStep,
    CallWorkflowStep,
    EventWaitStep,
    ForEachStep,
    HumanTaskStep,
    IfStep,
    Step,
    Steps,
    TimeWaitStep,
    TryCatchStep,
)

ROOT_PATH: Final = "root"


class PlacedStep(NamedTuple):
    """A step, its path, and the loop and catch variables an enclosing block defines for it."""

    path: str
    step: Step
    local_names: tuple[str, ...] = ()


def child_blocks(step: BaseStep) -> tuple[tuple[str, Steps], ...]:
    """The named blocks of a control step in order, empty for any other step."""
    if isinstance(step, IfStep):
        return ("then", step.then), ("else", step.else_)
    if isinstance(step, ForEachStep):
        return (("body", step.body),)
    if isinstance(step, TryCatchStep):
        return ("try", step.try_), ("catch", step.catch)
    return ()


def step_path(parent: str, index: int) -> str:
    """The path of step ``index`` in the block at ``parent``: ``root``, or a step's path and its block's name.

    >>> step_path("root.steps[2].then", 0)
    'root.steps[2].then.steps[0]'
    """
    return f"{parent}.steps[{index}]"


def walk_steps(definition: Definition) -> Iterator[PlacedStep]:
    """Every step, parents before children, in the order they are written."""
    yield from _walk(definition.steps, ROOT_PATH, ())


def assignments_of(step: Step) -> dict[str, object]:
    """Target path to value of every assignment ``step`` makes, ``saveAs`` not included."""
    if isinstance(step, EventWaitStep | TimeWaitStep | HumanTaskStep | AssignStep):
        return dict(step.config.assign)
    if isinstance(step, CallWorkflowStep):
        return dict(step.output_mapping)
    return {}


def called_actions(definition: Definition) -> tuple[tuple[str, int], ...]:
    """``(id, version)`` of every action the definition calls, sorted, each once."""
    found = {
        (placed.step.config.action_id, placed.step.config.version)
        for placed in walk_steps(definition)
        if isinstance(placed.step, ActionCallStep)
    }
    return tuple(sorted(found))


def _walk(steps: Steps, parent: str, local_names: tuple[str, ...]) -> Iterator[PlacedStep]:
    for index, step in enumerate(steps):
        path = step_path(parent, index)
        yield PlacedStep(path, step, local_names)
        for block, children in child_blocks(step):
            yield from _walk(children, f"{path}.{block}", local_names + _names_of(step, block))


def _names_of(step: BaseStep, block: str) -> tuple[str, ...]:
    if isinstance(step, ForEachStep):
        return (step.item_var,)
    if isinstance(step, TryCatchStep) and block == "catch" and step.capture_error_as:
        return (step.capture_error_as,)
    return ()
