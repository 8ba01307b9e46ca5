"""Checks of the order of steps: unique ids, and steps that can never run. Private to ``core.validation``."""

from workflow_runtime.core.definition import (
    ROOT_PATH,
    Definition,
    IfStep,
    PlacedStep,
    ReturnStep,
    Step,
    Steps,
    TryCatchStep,
    child_blocks,
    step_path,
    walk_steps,
)
from workflow_runtime.core.findings import FindingCode
from workflow_runtime.core.validation._report import Report


def check_flow(report: Report, definition: Definition) -> None:
    """Ids are unique; whatever follows a certain end is warned of."""
    first: dict[str, str] = {}
    for placed in walk_steps(definition):
        path = first.setdefault(placed.step.id, placed.path)
        if path != placed.path:
            report.at(placed).error(
                FindingCode.DUPLICATE_STEP_ID, f"The step id {placed.step.id!r} is taken by {path}; choose another."
            )
    _check_block(report, definition.steps, ROOT_PATH)


def _check_block(report: Report, steps: Steps, parent: str) -> None:
    ended_by: str | None = None
    for index, step in enumerate(steps):
        path = step_path(parent, index)
        if ended_by is not None:
            report.at(PlacedStep(path, step)).warning(
                FindingCode.UNREACHABLE_STEP, f"This step never runs: the run always ends at {ended_by}."
            )
            return
        for block, children in child_blocks(step):
            _check_block(report, children, f"{path}.{block}")
        if _always_ends(step):
            ended_by = path


def _always_ends(step: Step) -> bool:
    if isinstance(step, ReturnStep):
        return True
    if isinstance(step, IfStep):
        return _block_ends(step.then) and _block_ends(step.else_)
    return isinstance(step, TryCatchStep) and _block_ends(step.try_) and _block_ends(step.catch)


def _block_ends(steps: Steps) -> bool:
    return any(_always_ends(step) for step in steps)
