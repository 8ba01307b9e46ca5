"""Routes of actions: what definitions may call, and registering what another process serves. Process code only."""

from typing import Any, Self

from fastapi import APIRouter, Response
from pydantic import Field, model_validator

from workflow_runtime.core.actions import ActionSpec, check_schema
from workflow_runtime.core.actions.spec import ActionMillis, require_heartbeat_below_timeout
from workflow_runtime.core.definition import Version
from workflow_runtime.service.ownership import QUEUE_OWNERS
from workflow_server.problems import ProblemError, invalid_value, not_found
from workflow_server.requests import Tenant, Work
from workflow_server.wire import RequestBody, StrictJsonRoute, json_answer

ROUTER = APIRouter(prefix="/api/actions", tags=["actions"], route_class=StrictJsonRoute)


class ExternalAction(RequestBody):
    """The spec of an action served by somebody else's worker on ``task_queue``; schemas are JSON Schemas."""

    id: str = Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    version: Version
    input_schema: dict[str, Any] | bool
    output_schema: dict[str, Any] | bool
    side_effectful: bool
    task_queue: str = Field(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f\x7f]+$")
    timeout_ms: ActionMillis | None = None
    schedule_timeout_ms: ActionMillis | None = None
    heartbeat_timeout_ms: ActionMillis | None = None
    ui: dict[str, Any] | None = None
    examples: list[Any] = Field(default_factory=list)

    @model_validator(mode="after")
    def _heartbeats_come_within_the_attempt(self) -> Self:
        require_heartbeat_below_timeout(self.timeout_ms, self.heartbeat_timeout_ms)
        return self

    def spec(self) -> ActionSpec:
        """The spec as the registry keeps it."""
        return ActionSpec(
            id=self.id,
            version=self.version,
            input_schema=self.input_schema,
            output_schema=self.output_schema,
            side_effectful=self.side_effectful,
            task_queue=self.task_queue,
            timeout_ms=self.timeout_ms,
            schedule_timeout_ms=self.schedule_timeout_ms,
            heartbeat_timeout_ms=self.heartbeat_timeout_ms,
            ui=self.ui,
            examples=tuple(self.examples),
        )


@ROUTER.get("", summary="Every action a definition of this tenant may call")
async def list_actions(tenant: Tenant, work: Work) -> Response:
    """``{actions: [spec + {origin: builtin | registered}]}`` in order of id and version."""
    registered = await work.registry.list_actions(tenant)
    views = [_view(spec, "builtin") for spec in work.own_specs] + [_view(spec, "registered") for spec in registered]
    return json_answer({"actions": sorted(views, key=lambda view: (view["id"], view["version"]))})


@ROUTER.post("", status_code=201, summary="Register an action: 201 when the version is new, 200 when it is known")
async def register_action(body: ExternalAction, tenant: Tenant, work: Work) -> Response:
    """A known version may change queue, limits and presentation; others need another version (409 ACTION_EXISTS)."""
    spec = body.spec()
    _check(spec, {(own.id, own.version) for own in work.own_specs})
    created = await work.registry.register(tenant, spec)
    return json_answer(_view(spec, "registered"), 201 if created else 200)


@ROUTER.delete("/{action_id}/{version}", status_code=204, summary="Forget a registered action")
async def remove_action(action_id: str, version: int, tenant: Tenant, work: Work) -> Response:
    """Versions published with it keep its queue and go on; new ones can no longer name it."""
    if not await work.registry.remove(tenant, action_id, version):
        raise not_found("registered action", f"{action_id}@{version}", "GET /api/actions lists them")
    return Response(status_code=204)


def _check(spec: ActionSpec, own: set[tuple[str, int]]) -> None:
    if (spec.id, spec.version) in own:
        raise ProblemError(409, "ACTION_BUILT_IN", f"action {spec.key!r} is built in; register yours under another id")
    if spec.task_queue in QUEUE_OWNERS:
        raise ProblemError(
            422,
            "QUEUE_NOT_YOURS",
            f"the queue {spec.task_queue!r} belongs to {QUEUE_OWNERS[spec.task_queue]}; serve {spec.id!r} on your own",
        )
    for side, schema in (("inputSchema", spec.input_schema), ("outputSchema", spec.output_schema)):
        problems = check_schema(schema)
        if problems:
            raise invalid_value(
                "SCHEMA_INVALID", f"{side} is not a usable JSON Schema: {'; '.join(problems)}", problems
            )


def _view(spec: ActionSpec, origin: str) -> dict[str, Any]:
    return spec.model_dump(mode="json", by_alias=True) | {"origin": origin}
