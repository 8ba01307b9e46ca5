"""From the workflow's argument to a machine and back to the argument of its continuation. Pure; workflow code.

The checkpoint is ``{machine, mailbox}``: all that a run remembers apart from its pinned definition.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from workflow_runtime.core.contract import RunInput
from workflow_runtime.core.definition import parse_definition
from workflow_runtime.core.errors import CorruptionFailure, ValidationFailure
from workflow_runtime.core.machine import Machine, RunContext
from workflow_worker.mailbox import Mailbox
from workflow_worker.records import LoadedRun


@dataclass(frozen=True)
class Start:
    """A readable argument; ``checkpoint`` is the machine's, None for a run that begins."""

    run: RunInput
    mailbox: Mailbox
    checkpoint: Any = None


def parse_start(raw: Any) -> Start:
    """The argument of the workflow. Raises ValidationFailure, or CorruptionFailure for a damaged checkpoint."""
    try:
        run = RunInput.model_validate(raw)
    except ValidationError as error:
        raise ValidationFailure(f"the run cannot start with this input: {told(error)}", code="INVALID_INPUT") from None
    if run.checkpoint is None:
        return Start(run, Mailbox())
    try:
        return Start(run, Mailbox.restore(run.checkpoint["mailbox"]), run.checkpoint["machine"])
    except (KeyError, ValidationError) as error:
        raise CorruptionFailure(f"the checkpoint is damaged: {error}", code="CHECKPOINT_DAMAGED") from None


def build_machine(start: Start, loaded: LoadedRun) -> Machine:
    """The machine of a run that begins or goes on. Raises RuntimeFailureError for a definition that does not fit."""
    definition, findings = parse_definition(loaded.definition)
    if definition is None:
        problems = "; ".join(f"{finding.step_path}: {finding.message}" for finding in findings)
        raise CorruptionFailure(
            f"the published definition of workflow {start.run.workflow_id!r} version {start.run.workflow_version} "
            f"is not one this worker understands: {problems}",
            code="INVALID_WORKFLOW_DEFINITION",
        )
    if start.checkpoint is not None:
        return Machine.restore(definition, start.checkpoint, action_queues=loaded.action_queues)
    return Machine.start(definition, _context(start.run, loaded), loaded.payload, action_queues=loaded.action_queues)


def continued(run: RunInput, machine: Machine, mailbox: Mailbox) -> RunInput:
    """The argument with which the same run goes on in a new history."""
    return run.model_copy(update={"checkpoint": {"machine": machine.checkpoint(), "mailbox": mailbox.dump()}})


def told(error: ValidationError) -> str:
    """What is wrong with a record, field by field and without the values."""
    return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['msg']}" for item in error.errors())


def _context(run: RunInput, loaded: LoadedRun) -> RunContext:
    return RunContext(
        run_id=run.run_id,
        workflow_id=run.workflow_id,
        workflow_version=run.workflow_version,
        tenant_id=run.tenant_id,
        definition_hash=loaded.definition_hash,
        runtime_semantics_version=loaded.runtime_semantics_version,
    )
