"""The steps of a definition as models, one class per ``type``. Pure; importable anywhere.

Source: RUNTIME.md section 3. Block fields of ``control.*`` stand on the step itself; every other step keeps its fields
in ``config``. Unknown keys are refused by the base model.
"""

from typing import Annotated, Any, Final, Self
from typing import Literal as Fixed

from pydantic import AfterValidator, Field, model_validator

from workflow_runtime.core.canonical import EXACT_INTEGER
from workflow_runtime.core.definition.filters import EventFilter
from workflow_runtime.core.definition.values import Expr, Literal, Value, is_expression
from workflow_runtime.core.errors import Category
from workflow_runtime.core.wire import WireModel

MAX_DURATION_MS: Final = 10 * 366 * 24 * 3600 * 1000
"""Ten years: beyond any real wait, and far from the end of what a date can hold."""

RESERVED_NAMES: Final = frozenset({"payload", "vars", "local", "system", "meta", "error"})
"""Names of scopes; a loop or catch variable of that name could never be read."""

type Text = Annotated[str, Field(min_length=1)]
type Version = Annotated[int, Field(ge=1, lt=EXACT_INTEGER)]
"""Of a workflow or an action. Versions are sorted as doubles, which hold every integer below that bound."""
type Millis = Annotated[int, Field(ge=0, le=MAX_DURATION_MS)]
type PositiveMillis = Annotated[int, Field(ge=1, le=MAX_DURATION_MS)]
type VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
type Assignments = dict[Text, Value]


def _duration(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_DURATION_MS
    if not (value is None or whole or is_expression(value)):
        raise ValueError(f"needs whole milliseconds from 0 to {MAX_DURATION_MS}, or an expression")
    return value


def _instant(value: Any) -> Any:
    if not (value is None or isinstance(value, str) or is_expression(value)):
        raise ValueError("needs an ISO 8601 instant such as 2030-01-31T09:00:00Z, or an expression")
    return value


type Duration = Annotated[Value, AfterValidator(_duration)]
type Instant = Annotated[Value, AfterValidator(_instant)]


class RetryPolicy(WireModel):
    """When a failed attempt is tried again. Delay n is ``min(max_delay_ms, backoff_ms * multiplier ** (n - 1))`` ms."""

    max_attempts: int = Field(ge=1)
    backoff_ms: Millis
    backoff_multiplier: float = Field(default=2, gt=0, le=1000)
    jitter: bool = True
    max_delay_ms: Millis | None = None
    retry_on: tuple[Category, ...] | None = None


class OnError(WireModel):
    """What a failure that is not retried does to the run."""

    policy: Fixed["fail", "continue"]


class BaseStep(WireModel):
    """What every step has. ``id`` is unique in the definition."""

    id: Text
    name: str | None = None


class NodeStep(BaseStep):
    """A step that may be retried and may continue on error."""

    retry: RetryPolicy | None = None
    on_error: OnError | None = None


class IfStep(BaseStep):
    """Runs ``then`` or ``else``; the condition must be a boolean."""

    type: Fixed["control.if"]
    condition: Expr
    then: "Steps"
    else_: "Steps" = Field(default=(), alias="else")


class ForEachStep(BaseStep):
    """Runs ``body`` once per item of an array."""

    type: Fixed["control.forEach"]
    items: Expr
    item_var: VariableName
    body: "Steps"
    on_item_error: Fixed["fail", "continue"] = "fail"
    concurrency: int = Field(default=1, ge=1)


class TryCatchStep(BaseStep):
    """Runs ``catch`` when ``try`` fails."""

    type: Fixed["control.tryCatch"]
    try_: "Steps" = Field(alias="try")
    catch: "Steps"
    capture_error_as: VariableName | None = None


class CallWorkflowStep(NodeStep):
    """Runs another published workflow as a child and waits for its end."""

    type: Fixed["control.callWorkflow"]
    workflow_id: Text
    workflow_version: Version
    input_mapping: dict[Text, Value] = Field(default_factory=dict)
    output_mapping: Assignments = Field(default_factory=dict)


class ReturnStep(BaseStep):
    """Ends the run SUCCEEDED."""

    type: Fixed["control.return"]


class EventWaitConfig(WireModel):
    """A wait for an event of ``event_name`` whose key equals ``correlation_key`` (null: any key)."""

    event_name: Text
    correlation_key: Value
    filters: tuple[EventFilter, ...] = ()
    timeout_ms: PositiveMillis | None = None
    assign: Assignments = Field(default_factory=dict)
    since: Fixed["run", "wait"] = "run"


class EventWaitStep(NodeStep):
    type: Fixed["event.wait"]
    config: EventWaitConfig


class TimeWaitConfig(WireModel):
    """A timer: ``duration_ms`` from now, or ``until`` an ISO 8601 instant. Either may be an expression, which gives
    milliseconds or an ISO 8601 text."""

    mode: Fixed["duration", "until"]
    duration_ms: Duration = None
    until: Instant = None
    assign: Assignments = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_field_for_the_mode(self) -> Self:
        needed, other = ("durationMs", "until") if self.mode == "duration" else ("until", "durationMs")
        given = {"durationMs": self.duration_ms, "until": self.until}
        if given[needed] is None:
            raise ValueError(f'mode "{self.mode}" needs {needed}')
        if given[other] is not None:
            raise ValueError(f'mode "{self.mode}" does not use {other}; remove it or change the mode')
        return self


class TimeWaitStep(NodeStep):
    type: Fixed["time.wait"]
    config: TimeWaitConfig


class HumanTaskConfig(WireModel):
    """A task for a person. ``title``, ``description`` and ``context_data`` may hold expressions."""

    task_type: Text
    title: Value
    description: Value = None
    context_data: dict[str, Value] = Field(default_factory=dict)
    assign: Assignments = Field(default_factory=dict)
    timeout_ms: PositiveMillis | None = None


class HumanTaskStep(NodeStep):
    type: Fixed["human.task"]
    config: HumanTaskConfig


class StateSetConfig(WireModel):
    """``meta.state`` becomes this literal."""

    state: Text


class StateSetStep(NodeStep):
    type: Fixed["state.set"]
    config: StateSetConfig


class AssignConfig(WireModel):
    """Target path to value; applied in the order the keys are sorted by their text."""

    assign: Assignments


class AssignStep(NodeStep):
    type: Fixed["transform.assign"]
    config: AssignConfig


class ActionCallConfig(WireModel):
    """One action of the registry. The ``designer*`` keys are notes of the designer, kept and never read.

    ``outputs`` is the older way to write the input of ``transform.compose_text`` and ``ai_output_schema*`` that of the
    output schema of ``ai.infer``; the machine sends ``core.actions.effective_input``, which holds them.
    """

    action_id: Text
    version: Version
    input_mapping: dict[str, Value] = Field(default_factory=dict)
    save_as: Text | None = None
    idempotency_key: Value = None
    outputs: tuple[dict[str, Any], ...] | None = None
    ai_output_schema_mode: Fixed["simple", "advanced"] | None = None
    ai_output_schema: Literal = None
    ai_output_schema_text: str | None = None
    designer_group_key: str | None = None
    designer_tile_kind: str | None = None
    designer_app_key: str | None = None


class ActionCallStep(NodeStep):
    type: Fixed["action.call"]
    config: ActionCallConfig


class ParseBodyConfig(WireModel):
    """Text and HTML body of an e-mail; the parsed result goes to ``save_as``."""

    text: Expr | None = None
    html: Expr | None = None
    save_as: Text = "payload.parsedEmail"


class ParseBodyStep(NodeStep):
    type: Fixed["email.parseBody"]
    config: ParseBodyConfig


class RenderCommentBlocksConfig(WireModel):
    """Text or HTML to render as comment blocks; the result goes to ``save_as``."""

    text: Expr | None = None
    html: Expr | None = None
    save_as: Text = "payload.commentBlocks"


class RenderCommentBlocksStep(NodeStep):
    type: Fixed["email.renderCommentBlocks"]
    config: RenderCommentBlocksConfig


Step = Annotated[
    IfStep
    | ForEachStep
    | TryCatchStep
    | CallWorkflowStep
    | ReturnStep
    | EventWaitStep
    | TimeWaitStep
    | HumanTaskStep
    | StateSetStep
    | AssignStep
    | ActionCallStep
    | ParseBodyStep
    | RenderCommentBlocksStep,
    Field(discriminator="type"),
]
Steps = tuple[Step, ...]

STEP_TYPES: Final = (
    "action.call",
    "control.callWorkflow",
    "control.forEach",
    "control.if",
    "control.return",
    "control.tryCatch",
    "email.parseBody",
    "email.renderCommentBlocks",
    "event.wait",
    "human.task",
    "state.set",
    "time.wait",
    "transform.assign",
)

for _model in (IfStep, ForEachStep, TryCatchStep):
    _model.model_rebuild()
