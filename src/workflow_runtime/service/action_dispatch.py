"""Serves actions as the activity ``executeWorkflowAction``: the one way of running an action. Activity code only.

Every process of ours which serves actions (workflow-worker its own queue, workflow-server the app queue) builds one
`ActionDispatcher` from its table of `ServedAction` and gives ``dispatcher.execute`` to its Temporal worker. The order
is RUNTIME.md section 6: known action, secrets, input schema, ledger, handler, output schema, ledger.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from prometheus_client import CollectorRegistry
from pydantic_core import to_json
from redis.exceptions import RedisError
from temporalio import activity

from workflow_runtime.core.actions import ActionSpec, misfit, validate_json
from workflow_runtime.core.contract import ACTION_ACTIVITY, ActionContext, ActionRequest
from workflow_runtime.core.errors import (
    ActionFailure,
    Failure,
    RuntimeFailureError,
    TransientFailure,
    ValidationFailure,
    failure_error,
)
from workflow_runtime.service.action_metrics import ActionMetrics
from workflow_runtime.service.failures import application_error
from workflow_runtime.service.heartbeat import heartbeats
from workflow_runtime.service.patience import until_store_answers
from workflow_runtime.store.ledger import LedgerVerdict

MAX_OUTPUT_BYTES = 1024 * 1024
"""An answer travels inline through Temporal, which refuses one above 2 MiB."""

_REDACTED = "[SECRET:REDACTED]"


@dataclass(frozen=True, slots=True)
class ActionCall:
    """What a handler receives. ``input`` has its secrets filled in and fits the spec's input schema.

    ``recovered`` is true when an earlier attempt with the same ``idempotency_key`` began and its end is unknown: the
    handler must then make sure that it does not repeat an effect which already happened.
    """

    input: Any
    idempotency_key: str
    context: ActionContext
    recovered: bool = False


Handler = Callable[[ActionCall], Awaitable[Any]]
"""Performs one action; answers any JSON value, raises a `RuntimeFailureError` when it cannot."""


@dataclass(frozen=True, slots=True)
class ServedAction:
    """One action this process performs: what it is and what does it."""

    spec: ActionSpec
    handler: Handler


class Ledger(Protocol):
    """The part of `ActionLedger` a dispatcher needs."""

    async def begin(self, request: ActionRequest, *, side_effectful: bool) -> tuple[LedgerVerdict, Any]:
        """Record the start of an attempt; the second value is the recorded output of a succeeded one."""

    async def succeed(self, request: ActionRequest, output: Any) -> Any:
        """Record the output and answer the one that stands."""

    async def fail(self, request: ActionRequest, failure: Failure) -> None:
        """Record the failure; a later attempt runs again."""

    async def unknown(self, request: ActionRequest) -> None:
        """Record that nobody can say how the attempt ended."""


class Secrets(Protocol):
    """The part of `SecretSource` a dispatcher needs."""

    async def resolve(self, tenant_id: str, name: str) -> str:
        """The value of ``{"$secret": name}``; `ValidationFailure` SECRET_NOT_FOUND when there is none."""


class ActionDispatcher:
    """Runs the served actions of one process."""

    def __init__(
        self,
        actions: Iterable[ServedAction],
        *,
        ledger: Ledger,
        secrets: Secrets,
        metrics: ActionMetrics | None = None,
    ) -> None:
        self._actions = {(action.spec.id, action.spec.version): action for action in actions}
        self._metrics = metrics or ActionMetrics(CollectorRegistry())
        self._ledger = ledger
        self._secrets = secrets

    @property
    def specs(self) -> tuple[ActionSpec, ...]:
        """The specs of every action served here."""
        return tuple(action.spec for action in self._actions.values())

    @activity.defn(name=ACTION_ACTIVITY)
    async def execute(self, request: ActionRequest) -> Any:
        """Run one action. Raises `ApplicationError`, type ``WorkflowRuntimeV2.<category>``, with the failure record."""
        try:
            async with heartbeats():
                return await self._run(request)
        except RuntimeFailureError as error:
            raise application_error(error.to_failure()) from error

    async def _run(self, request: ActionRequest) -> Any:
        action = self._find(request)
        # Only actions of ours are counted: a label that callers choose could grow without bound.
        with self._metrics.measured(action.spec.key):
            return await self._answer(action, request)

    async def _answer(self, action: ServedAction, request: ActionRequest) -> Any:
        secrets = _SecretScope(self._secrets, request.context.tenant_id)
        value = await secrets.fill(request.input)
        _require(action.spec.input_schema, value, request, "input", secrets)
        verdict, output = await until_store_answers(
            lambda: self._ledger.begin(request, side_effectful=action.spec.side_effectful)
        )
        if verdict is LedgerVerdict.SUCCEEDED:
            return output
        call = ActionCall(value, request.idempotency_key, request.context, verdict is LedgerVerdict.UNKNOWN)
        return await self._perform(action, call, request, secrets)

    async def _perform(
        self, action: ServedAction, call: ActionCall, request: ActionRequest, secrets: "_SecretScope"
    ) -> Any:
        try:
            output = secrets.scrub(await _guarded(action.handler, call, secrets))
            _require_size(output, request)
            _require(action.spec.output_schema, output, request, "output", secrets)
        except RuntimeFailureError as error:
            failure = error.to_failure()
            await until_store_answers(lambda: self._ledger.fail(request, failure))
            raise
        except asyncio.CancelledError:
            # Without this note the entry stays STARTED, which the next attempt takes for the same thing.
            with contextlib.suppress(RedisError):
                await self._ledger.unknown(request)
            raise
        return await until_store_answers(lambda: self._ledger.succeed(request, output))

    def _find(self, request: ActionRequest) -> ServedAction:
        action = self._actions.get((request.action_id, request.version))
        if action is None:
            raise ActionFailure(
                f"action {request.action_id!r} version {request.version} is not served on this queue; "
                f"served here: {', '.join(sorted(f'{id_}@{version}' for id_, version in self._actions))}",
                code="UNKNOWN_ACTION",
            )
        return action


async def _guarded(handler: Handler, call: ActionCall, secrets: "_SecretScope") -> Any:
    """Run the handler; whatever it raises leaves as a typed failure that shows no secret."""
    # None of these keeps its cause: Temporal writes causes into the history, and a cause is not scrubbed.
    try:
        return await handler(call)
    except RuntimeFailureError as error:
        scrubbed = {"message": secrets.scrub(error.message), "details": secrets.scrub(error.details)}
        raise failure_error(error.to_failure().model_copy(update=scrubbed)) from None
    except RedisError:
        raise TransientFailure("the store did not answer", code="STORE_UNREACHABLE") from None
    except Exception as error:
        message = secrets.scrub(f"{type(error).__name__}: {error}")
        raise ActionFailure(message, code="ACTION_CRASHED") from None


def _require_size(output: Any, request: ActionRequest) -> None:
    size = len(to_json(output))
    if size > MAX_OUTPUT_BYTES:
        raise ValidationFailure(
            f"output of action {request.action_id!r} version {request.version} is {size} bytes of JSON, the limit is "
            f"{MAX_OUTPUT_BYTES}; keep it elsewhere and answer a reference",
            code="ACTION_OUTPUT_TOO_LARGE",
        )


def _require(
    schema: Any, value: Any, request: ActionRequest, side: Literal["input", "output"], secrets: "_SecretScope"
) -> None:
    problems = validate_json(schema, value)
    if problems:
        raise misfit(side, request.action_id, request.version, secrets.scrub(problems))


class _SecretScope:
    """The secrets one call used: fills them in, and takes them out of whatever leaves the activity."""

    def __init__(self, source: Secrets, tenant_id: str) -> None:
        self._source = source
        self._tenant_id = tenant_id
        self._values: set[str] = set()

    async def fill(self, value: Any) -> Any:
        """``value`` with every ``{"$secret": NAME}`` replaced."""
        match value:
            case {"$secret": str(name)} if len(value) == 1:
                secret = await self._source.resolve(self._tenant_id, name)
                self._values.add(secret)
                return secret
            case dict():
                return {key: await self.fill(item) for key, item in value.items()}
            case list():
                return [await self.fill(item) for item in value]
        return value

    def scrub(self, value: Any) -> Any:
        """``value`` without any secret this call used."""
        match value:
            case str():
                for secret in sorted(filter(None, self._values), key=len, reverse=True):
                    value = value.replace(secret, _REDACTED)
                return value
            case dict():
                return {self.scrub(key): self.scrub(item) for key, item in value.items()}
            case list():
                return [self.scrub(item) for item in value]
        return value
