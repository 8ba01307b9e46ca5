"""Payload schemas and the event catalogue."""

import pytest
from redis.asyncio import Redis
from tests.integration.store.builders import TENANT

from workflow_runtime.store.errors import ConflictError, InvalidNameError, InvalidValueError, ValueTooLargeError
from workflow_runtime.store.schemas import CLOCK_TRIGGER_REF, EMPTY_REF, Schemas

pytestmark = pytest.mark.also_on_valkey

REF = "payload.TicketCreated.v1"


@pytest.fixture
def schemas(redis_client: Redis) -> Schemas:
    return Schemas(redis_client)


async def test_every_tenant_has_the_built_in_schemas(schemas: Schemas) -> None:
    assert list(await schemas.all_schemas("anyone")) == [EMPTY_REF, CLOCK_TRIGGER_REF]
    clock = await schemas.get_schema("anyone", CLOCK_TRIGGER_REF)
    assert clock is not None
    assert set(clock["properties"]) - set(clock["required"]) == {"cron"}


async def test_a_schema_is_kept_and_may_be_replaced(schemas: Schemas) -> None:
    assert await schemas.put_schema(TENANT, REF, {"type": "object", "required": []})
    assert not await schemas.put_schema(TENANT, REF, True)
    assert await schemas.get_schema(TENANT, REF) is True
    assert await schemas.get_schema("other", REF) is None
    assert set(await schemas.all_schemas(TENANT)) == {EMPTY_REF, CLOCK_TRIGGER_REF, REF}


async def test_a_removed_schema_is_gone(schemas: Schemas) -> None:
    await schemas.put_schema(TENANT, REF, {})
    assert await schemas.remove_schema(TENANT, REF)
    assert not await schemas.remove_schema(TENANT, REF)
    assert await schemas.get_schema(TENANT, REF) is None


async def test_built_in_schemas_stay_as_they_are(schemas: Schemas) -> None:
    with pytest.raises(ConflictError, match="is built in"):
        await schemas.put_schema(TENANT, EMPTY_REF, {})


async def test_what_is_no_schema_is_refused(schemas: Schemas) -> None:
    with pytest.raises(InvalidValueError, match="is a list"):
        await schemas.put_schema(TENANT, REF, [])
    with pytest.raises(InvalidNameError):
        await schemas.put_schema(TENANT, "no spaces", {})
    with pytest.raises(ValueTooLargeError):
        await schemas.put_schema(TENANT, REF, {"description": "x" * 300_000})


async def test_the_catalogue_maps_events_to_schemas(schemas: Schemas) -> None:
    await schemas.put_event(TENANT, "TicketCreated", REF)
    await schemas.put_event(TENANT, "Invoice Paid", "payload.InvoicePaid.v2")
    await schemas.put_event(TENANT, "TicketCreated", "payload.TicketCreated.v2")
    assert await schemas.all_events(TENANT) == {
        "Invoice Paid": "payload.InvoicePaid.v2",
        "TicketCreated": "payload.TicketCreated.v2",
    }
    assert await schemas.event_schema_ref(TENANT, "TicketCreated") == "payload.TicketCreated.v2"
    assert await schemas.event_schema_ref(TENANT, "Unknown") is None
    assert await schemas.remove_event(TENANT, "TicketCreated")
    assert not await schemas.remove_event(TENANT, "TicketCreated")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201])
async def test_impossible_event_names_are_refused(schemas: Schemas, name: str) -> None:
    with pytest.raises(InvalidNameError):
        await schemas.put_event(TENANT, name, REF)
