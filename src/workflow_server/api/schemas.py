"""Routes of payload schemas and of the event catalogue. Process code only."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from pydantic import Field

from workflow_runtime.core.actions import check_schema
from workflow_runtime.store.schemas import BUILTIN_SCHEMAS
from workflow_server.problems import invalid_value, not_found
from workflow_server.requests import Tenant, Work
from workflow_server.wire import RequestBody, StrictJsonRoute, json_answer

ROUTER = APIRouter(prefix="/api", tags=["schemas"], route_class=StrictJsonRoute)


class EventType(RequestBody):
    """Which schema the payloads of an event follow."""

    payload_schema_ref: str = Field(min_length=1)


@ROUTER.put("/schemas/{ref:path}", summary="Keep a payload schema: 201 when the ref is new, 200 when it replaces one")
async def put_schema(ref: str, schema: Annotated[Any, Body()], tenant: Tenant, work: Work) -> Response:
    """The body is the JSON Schema itself. Published versions keep the schema they were published with."""
    problems = check_schema(schema)
    if problems:
        raise invalid_value("SCHEMA_INVALID", f"{ref!r} is not a usable JSON Schema: {'; '.join(problems)}", problems)
    created = await work.schemas.put_schema(tenant, ref, schema)
    return json_answer({"ref": ref, "schema": schema, "builtin": False}, 201 if created else 200)


@ROUTER.get("/schemas", summary="Every payload schema, built-in ones included")
async def list_schemas(tenant: Tenant, work: Work) -> Response:
    """``{schemas: [{ref, schema, builtin}]}`` in order of ref."""
    found = await work.schemas.all_schemas(tenant)
    return json_answer({"schemas": [_schema_view(ref, schema) for ref, schema in found.items()]})


@ROUTER.get("/schemas/{ref:path}", summary="One payload schema")
async def get_schema(ref: str, tenant: Tenant, work: Work) -> Response:
    """``{ref, schema, builtin}``."""
    schema = await work.schemas.get_schema(tenant, ref)
    if schema is None:
        raise not_found("schema", ref, "register it with PUT /api/schemas/{ref}")
    return json_answer(_schema_view(ref, schema))


@ROUTER.put("/event-types/{event_name}", summary="Say which schema the payloads of an event follow")
async def put_event_type(event_name: str, body: EventType, tenant: Tenant, work: Work) -> Response:
    """Publishing checks triggers and waits against this catalogue. The schema must exist."""
    if await work.schemas.get_schema(tenant, body.payload_schema_ref) is None:
        raise not_found("schema", body.payload_schema_ref, "register it with PUT /api/schemas/{ref} first")
    await work.schemas.put_event(tenant, event_name, body.payload_schema_ref)
    return json_answer({"eventName": event_name, "payloadSchemaRef": body.payload_schema_ref})


@ROUTER.get("/event-types", summary="The event catalogue")
async def list_event_types(tenant: Tenant, work: Work) -> Response:
    """``{eventTypes: [{eventName, payloadSchemaRef}]}`` in order of name."""
    found = await work.schemas.all_events(tenant)
    return json_answer({"eventTypes": [{"eventName": name, "payloadSchemaRef": ref} for name, ref in found.items()]})


def _schema_view(ref: str, schema: Any) -> dict[str, Any]:
    return {"ref": ref, "schema": schema, "builtin": ref in BUILTIN_SCHEMAS}
