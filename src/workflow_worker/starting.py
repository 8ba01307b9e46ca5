"""From the workflow's argument to a machine and back to the argument of its continuation. Pure; workflow code.

The checkpoint is ``{machine, mailbox}``: all that a run remembers apart from its pinned definition.
"""

from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from workflow_runtime.core.contract import RUNTIME_SEMANTICS_VERSION, RunInput
from workflow_runtime.core.errors import CorruptionFailure, Failure, RuntimeFailureError, ValidationFailure
from workflow_runtime.core.machine import Machine, RunContext, published_program
from workflow_runtime.core.machine.state import readable_checkpoint
from workflow_runtime.core.origin import RunOrigin, spare_payload
from workflow_worker.mailbox import Mailbox
from workflow_worker.records import LoadedRun


class NewerWorkerNeeded(Exception):
    """A newer worker began this run, and this one cannot go on with it: the deployment was rolled back.

    No failure of the run. Raised in workflow code it fails the workflow task, and Temporal offers that task again until
    a worker is there that can do it.
    """


@dataclass(frozen=True)
class Start:
    """A readable argument; ``checkpoint`` is the machine's, None for a run that begins.

    ``origin`` is what it was given besides, for a store that lost its row; None when that was nothing readable.
    """

    run: RunInput
    mailbox: Mailbox
    checkpoint: Any = None
    origin: RunOrigin | None = None


@dataclass(frozen=True)
class Refusal:
    """An argument with which no worker can do anything; ``run`` is None when not even that can be read in it."""

    failure: Failure
    run: RunInput | None


def read_start(raw: Any, origin: Any = None) -> Start | Refusal | NewerWorkerNeeded:
    """The arguments of the workflow. Never raises: the workflow is not under way yet."""
    run: RunInput | None = None
    try:
        _require_readable(raw)
        run = _run_input(raw)
        return replace(parse_start(run), origin=read_origin(origin))
    except RuntimeFailureError as error:
        return Refusal(error.to_failure(), run)
    except NewerWorkerNeeded as needed:
        return needed


def read_origin(raw: Any) -> RunOrigin | None:
    """The second argument; None for what somebody else put there, or a newer sender in another form: it is a spare."""
    try:
        return None if raw is None else RunOrigin.model_validate(raw)
    except ValidationError:
        return None


def parse_start(run: RunInput) -> Start:
    """What a run starts from. Raises CorruptionFailure CHECKPOINT_DAMAGED."""
    if run.checkpoint is None:
        return Start(run, Mailbox())
    try:
        return Start(run, Mailbox.restore(run.checkpoint["mailbox"]), run.checkpoint["machine"])
    except (KeyError, ValidationError) as error:
        raise CorruptionFailure(f"the checkpoint is damaged: {error}", code="CHECKPOINT_DAMAGED") from None


def build_machine(start: Start, loaded: LoadedRun) -> Machine:
    """The machine of a run that begins or goes on.

    Raises `NewerWorkerNeeded`, and RuntimeFailureError for a definition or a checkpoint that does not fit.
    """
    _require_known_semantics(start, loaded)
    program = published_program(loaded.definition_hash, loaded.definition)
    if start.checkpoint is not None:
        return Machine.restore(program, start.checkpoint, action_queues=loaded.action_queues)
    return Machine.start(program, _context(start.run, loaded), loaded.payload, action_queues=loaded.action_queues)


def continued(start: Start, machine: Machine, mailbox: Mailbox) -> list[RunInput | RunOrigin]:
    """The arguments with which the same run goes on in a new history; its payload stands in the checkpoint."""
    checkpoint = {"machine": machine.checkpoint(), "mailbox": mailbox.dump()}
    spare = [] if start.origin is None else [start.origin.model_copy(update={"payload": None})]
    return [start.run.model_copy(update={"checkpoint": checkpoint}), *spare]


def child_origin(recorded: Any, payload: Any) -> RunOrigin | None:
    """What a child run is given besides its input: what its record answered, which earlier workers left empty."""
    origin = read_origin(recorded)
    return None if origin is None else origin.model_copy(update={"payload": spare_payload(payload)})


def told(error: ValidationError) -> str:
    """What is wrong with a record, field by field and without the values."""
    return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['msg']}" for item in error.errors())


def _require_readable(raw: Any) -> None:
    """Looked at before anything else: a newer worker may have written more than this one has names for."""
    match raw:
        case {"checkpoint": {"machine": machine}}:
            try:
                readable_checkpoint(machine)
            except CorruptionFailure as error:
                # Damage is reported later, when it is known whose run it is.
                if error.code == "CHECKPOINT_VERSION":
                    raise NewerWorkerNeeded(error.message) from error


def _run_input(raw: Any) -> RunInput:
    try:
        return RunInput.model_validate(raw)
    except ValidationError as error:
        raise ValidationFailure(f"the run cannot start with this input: {told(error)}", code="INVALID_INPUT") from None


def _require_known_semantics(start: Start, loaded: LoadedRun) -> None:
    """Looked at before the definition: one of newer semantics may hold steps that this worker has no names for."""
    version: Any = loaded.runtime_semantics_version
    match start.checkpoint:
        case {"run": {"runtimeSemanticsVersion": int(began_with)}}:
            version = began_with
    if version > RUNTIME_SEMANTICS_VERSION:
        raise NewerWorkerNeeded(
            f"run {start.run.run_id!r} began under semantics version {version} and this worker knows "
            f"{RUNTIME_SEMANTICS_VERSION}: run a worker at least as new as the one it began on"
        )


def _context(run: RunInput, loaded: LoadedRun) -> RunContext:
    return RunContext(
        run_id=run.run_id,
        workflow_id=run.workflow_id,
        workflow_version=run.workflow_version,
        tenant_id=run.tenant_id,
        definition_hash=loaded.definition_hash,
        runtime_semantics_version=loaded.runtime_semantics_version,
    )
