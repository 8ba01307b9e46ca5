"""Serves actions as the activity ``executeWorkflowAction``: the one way of running an action. Activity code only.

Every process of ours which serves actions (workflow-worker its own queue, workflow-server the app queue) builds one
`ActionDispatcher` from its table of `ServedAction` and gives ``dispatcher.execute`` to its Temporal worker. The order
is RUNTIME.md section 6: known action, secrets, input schema, ledger, handler, output schema, ledger. An action that
changes nothing may run ahead of the ledger: repeating it is harmless by declaration, so its start only has to be on
record while it takes time.
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

from workflow_runtime.core.actions import ActionSpec, JsonCheck, is_derived_key, json_check, misfit
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
from workflow_runtime.service.errand import Errand, Write
from workflow_runtime.service.failures import application_error
from workflow_runtime.service.heartbeat import heartbeats
from workflow_runtime.service.patience import until_store_answers
from workflow_runtime.store.ledger import LedgerVerdict

MAX_OUTPUT_BYTES = 1024 * 1024
"""An answer travels inline through Temporal, which refuses one above 2 MiB."""

_REDACTED = "[SECRET:REDACTED]"

type _Side = Literal["input", "output"]


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
    """One action this process performs: what it is and what does it.

    ``local`` says that it ends within milliseconds, needs nothing but the store and may be repeated under its key. A
    run may have it done within its workflow task, and while the store does not answer the action waits for it.
    """

    spec: ActionSpec
    handler: Handler
    local: bool = False


class Ledger(Protocol):
    """The part of `ActionLedger` a dispatcher needs."""

    async def begin(self, request: ActionRequest, *, side_effectful: bool) -> tuple[LedgerVerdict, Any]:
        """Record the start of an attempt; the second value is the recorded output of a succeeded one."""

    async def succeed(self, request: ActionRequest, output: Any, *, begun: bool = True) -> Any:
        """Record the output and answer the one that stands; ``begun`` is false when no start is on record."""

    async def fail(self, request: ActionRequest, failure: Failure, *, begun: bool = True) -> None:
        """Record the failure; a later attempt runs again."""

    async def unknown(self, request: ActionRequest) -> None:
        """Record that nobody can say how the attempt ended."""


class Secrets(Protocol):
    """The part of `SecretSource` a dispatcher needs."""

    async def resolve(self, tenant_id: str, name: str) -> str:
        """The value of ``{"$secret": name}``; `ValidationFailure` SECRET_NOT_FOUND when there is none."""


class _Performed:
    """A served action with its schemas ready to check."""

    def __init__(self, action: ServedAction) -> None:
        self.spec = action.spec
        self.handler = action.handler
        self.local = action.local
        self.checks: dict[_Side, JsonCheck] = {
            "input": json_check(action.spec.input_schema),
            "output": json_check(action.spec.output_schema),
        }


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
        self._actions = {(action.spec.id, action.spec.version): _Performed(action) for action in actions}
        self._metrics = metrics or ActionMetrics(CollectorRegistry())
        self._ledger = ledger
        self._secrets = secrets

    @property
    def specs(self) -> tuple[ActionSpec, ...]:
        """The specs of every action served here."""
        return tuple(action.spec for action in self._actions.values())

    @property
    def local_actions(self) -> frozenset[str]:
        """The keys of the actions that a run may have done within its workflow task."""
        return frozenset(action.spec.key for action in self._actions.values() if action.local)

    @activity.defn(name=ACTION_ACTIVITY)
    async def execute(self, request: ActionRequest) -> Any:
        """Run one action. Raises `ApplicationError`, type ``WorkflowRuntimeV2.<category>``, with the failure record."""
        return await self.execute_with(request, None)

    async def execute_with(self, request: ActionRequest, write: Write | None) -> Any:
        """The same, and do ``write`` beside it: it is done when this answers or raises `ApplicationError`."""
        errand = Errand(write)
        try:
            async with heartbeats():
                return await self._run(request, errand)
        except RuntimeFailureError as error:
            raise application_error(error.to_failure()) from error

    async def _run(self, request: ActionRequest, errand: Errand) -> Any:
        try:
            action = self._find(request)
            # Only actions of ours are counted: a label that callers choose could grow without bound.
            with self._metrics.measured(action.spec.key):
                return await self._answer(action, request, errand)
        except RuntimeFailureError:
            await errand.run()
            raise

    async def _answer(self, action: _Performed, request: ActionRequest, errand: Errand) -> Any:
        secrets = _SecretScope(self._secrets, request.context.tenant_id)
        value = await secrets.fill(request.input)
        _require(action, value, request, "input", secrets)
        if _may_run_ahead(action.spec, request):
            return await self._run_ahead(action, value, request, secrets, errand)
        verdict, output = await self._begin(action, request, errand)
        if verdict is LedgerVerdict.SUCCEEDED:
            return output
        call = ActionCall(value, request.idempotency_key, request.context, verdict is LedgerVerdict.UNKNOWN)
        return await self._settled(_output(action, call, request, secrets), request, errand, begun=True)

    async def _run_ahead(
        self, action: _Performed, value: Any, request: ActionRequest, secrets: "_SecretScope", errand: Errand
    ) -> Any:
        call = ActionCall(value, request.idempotency_key, request.context)
        loop = asyncio.get_running_loop()
        work = asyncio.Task(_output(action, call, request, secrets), loop=loop, eager_start=True)
        if work.done():
            return await self._settled(work, request, errand, begun=False)
        try:
            verdict, output = await self._begin(action, request, errand)
            if verdict is LedgerVerdict.SUCCEEDED:
                return output
            return await self._settled(work, request, errand, begun=True)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _begin(self, action: _Performed, request: ActionRequest, errand: Errand) -> tuple[LedgerVerdict, Any]:
        begin = until_store_answers(lambda: self._ledger.begin(request, side_effectful=action.spec.side_effectful))
        return await errand.run_beside(begin)

    async def _settled(self, work: Awaitable[Any], request: ActionRequest, errand: Errand, *, begun: bool) -> Any:
        """The output that stands, once the end of ``work`` is on record."""
        try:
            output = await work
        except RuntimeFailureError as error:
            failure = error.to_failure()
            note = until_store_answers(lambda: self._ledger.fail(request, failure, begun=begun))
            await errand.run_beside(note)
            raise
        except asyncio.CancelledError:
            # Without this note the entry stays STARTED, which the next attempt takes for the same thing.
            with contextlib.suppress(RedisError):
                await self._ledger.unknown(request)
            raise
        return await errand.run_beside(until_store_answers(lambda: self._ledger.succeed(request, output, begun=begun)))

    def _find(self, request: ActionRequest) -> _Performed:
        action = self._actions.get((request.action_id, request.version))
        if action is None:
            raise ActionFailure(
                f"action {request.action_id!r} version {request.version} is not served on this queue; "
                f"served here: {', '.join(sorted(f'{id_}@{version}' for id_, version in self._actions))}",
                code="UNKNOWN_ACTION",
            )
        return action


def _may_run_ahead(spec: ActionSpec, request: ActionRequest) -> bool:
    """Whether the handler may begin before its start is on record.

    It must change nothing, and its key must be the run's own: under an authored key another run may have the answer.
    """
    return not spec.side_effectful and is_derived_key(
        request.context.tenant_id, request.context.run_id, request.idempotency_key
    )


async def _output(action: _Performed, call: ActionCall, request: ActionRequest, secrets: "_SecretScope") -> Any:
    output = secrets.scrub(await _guarded(action, call, secrets))
    _require_size(output, request)
    _require(action, output, request, "output", secrets)
    return output


async def _guarded(action: _Performed, call: ActionCall, secrets: "_SecretScope") -> Any:
    """Run the handler; whatever it raises leaves as a typed failure that shows no secret."""
    # None of these keeps its cause: Temporal writes causes into the history, and a cause is not scrubbed.
    try:
        if action.local:
            return await until_store_answers(lambda: action.handler(call))
        return await action.handler(call)
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


def _require(action: _Performed, value: Any, request: ActionRequest, side: _Side, secrets: "_SecretScope") -> None:
    problems = action.checks[side](value)
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
        if not self._values:
            return value
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
