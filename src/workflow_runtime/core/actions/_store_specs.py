"""Specs of the ``store.*`` and ``links.*`` actions. Private to ``core.actions``; data only.

Field names are those of the earlier runtime. A repeated change under one idempotency key happens once.
"""

from typing import Any, Final

from workflow_runtime.core.actions._schemas import (
    ANYTHING,
    BOOLEAN,
    COUNT,
    NAME,
    NUMBER,
    OBJECT,
    TEXT,
    Schema,
    array,
    choice,
    described,
    integer,
    nullable,
    record,
)
from workflow_runtime.core.actions.spec import ActionSpec
from workflow_runtime.core.contract import AUTHORED_QUEUE

_NAMESPACE: Final = described(NAME, "Collection that groups entries")
_KEY: Final = described(NAME, "Name of one entry in its namespace")
_TIME: Final = described(TEXT, "ISO 8601 UTC")
_CURSOR: Final = nullable({"type": "string", "minLength": 1})
_LIMIT: Final = integer(1, 200, default=100)
_ENTITY: Final = record({"type": NAME, "id": NAME})
_VALUE_TYPE: Final = choice("string", "number", "boolean", "json")
_KEY_OVERRIDE: Final = described(
    {"type": "string", "maxLength": 256}, "Unused since the step has idempotencyKey; accepted for older definitions"
)


def _spec(
    id_: str, label: str, description: str, given: Schema, gives: Schema, *, changes: bool, example: Any = None
) -> ActionSpec:
    return ActionSpec(
        id=id_,
        version=1,
        input_schema=given,
        output_schema=gives,
        side_effectful=changes,
        task_queue=AUTHORED_QUEUE,
        ui={"label": label, "category": "Data store", "description": description},
        examples=() if example is None else (example,),
    )


_ENTRY: Final = record(
    {
        "namespace": NAME,
        "key": NAME,
        "value": ANYTHING,
        "value_type": nullable(TEXT),
        "revision": COUNT,
        "expires_at": nullable(_TIME),
        "created_at": _TIME,
        "updated_at": _TIME,
    }
)
_LINK: Final = record(
    {
        "link_id": TEXT,
        "namespace": NAME,
        "left": _ENTITY,
        "right": _ENTITY,
        "relation": NAME,
        "attributes": OBJECT,
        "created_at": _TIME,
        "updated_at": _TIME,
    }
)

STORE_SPECS: Final = (
    _spec(
        "store.get",
        "Get a stored value",
        "Read an entry.",
        record({"namespace": _NAMESPACE, "key": _KEY}),
        record(
            {
                "found": BOOLEAN,
                "value": ANYTHING,
                "value_type": nullable(TEXT),
                "revision": nullable(COUNT),
                "expires_at": nullable(_TIME),
            }
        ),
        changes=False,
        example={
            "input": {"namespace": "counters", "key": "tickets"},
            "output": {"found": True, "value": 7, "value_type": "number", "revision": 3, "expires_at": None},
        },
    ),
    _spec(
        "store.set",
        "Set a stored value",
        "Write an entry of at most 256 KiB.",
        record(
            {"namespace": _NAMESPACE, "key": _KEY, "value": ANYTHING},
            {
                "value_type": _VALUE_TYPE,
                "ttl_seconds": described(integer(1, 31_536_000), "Forget the entry after so many seconds"),
                "if_revision": described(COUNT, "Write only over this revision; 0 writes only a new entry"),
                "idempotency_key": _KEY_OVERRIDE,
            },
        ),
        record({"revision": COUNT, "created": BOOLEAN}),
        changes=True,
        example={
            "input": {"namespace": "seen", "key": "a@example.org", "value": True, "ttl_seconds": 3600},
            "output": {"revision": 1, "created": True},
        },
    ),
    _spec(
        "store.delete",
        "Delete a stored value",
        "Remove an entry.",
        record({"namespace": _NAMESPACE, "key": _KEY}, {"if_revision": COUNT, "idempotency_key": _KEY_OVERRIDE}),
        record({"deleted": BOOLEAN}),
        changes=True,
    ),
    _spec(
        "store.increment",
        "Increment a stored number",
        "Add to a number; a missing one counts as initial.",
        record(
            {"namespace": _NAMESPACE, "key": _KEY},
            {"by": NUMBER, "initial": NUMBER, "idempotency_key": _KEY_OVERRIDE},
        ),
        record({"value": NUMBER, "revision": COUNT}),
        changes=True,
        example={"input": {"namespace": "counters", "key": "tickets"}, "output": {"value": 1, "revision": 1}},
    ),
    _spec(
        "store.list",
        "List stored values",
        "Entries of a namespace in order of key.",
        record(
            {"namespace": _NAMESPACE},
            {"prefix": {"type": "string", "maxLength": 256}, "limit": _LIMIT, "cursor": _CURSOR},
        ),
        record({"items": array(_ENTRY), "next_cursor": _CURSOR}),
        changes=False,
    ),
    _spec(
        "store.list_namespaces",
        "List store namespaces",
        "Every namespace and how many entries it has.",
        record(),
        record({"namespaces": array(record({"namespace": NAME, "key_count": COUNT}))}),
        changes=False,
    ),
)

LINK_SPECS: Final = (
    _spec(
        "links.upsert",
        "Link two entities",
        "Make a link, or replace the attributes of the one there is.",
        record(
            {"namespace": _NAMESPACE, "left": _ENTITY, "right": _ENTITY},
            {"relation": NAME, "attributes": OBJECT, "idempotency_key": _KEY_OVERRIDE},
        ),
        record({"link_id": TEXT, "created": BOOLEAN}),
        changes=True,
        example={
            "input": {
                "namespace": "crm",
                "left": {"type": "ticket", "id": "7"},
                "right": {"type": "issue", "id": "GH-12"},
            },
            "output": {"link_id": "0b8c", "created": True},
        },
    ),
    _spec(
        "links.lookup",
        "Look up links",
        "What an entity is linked to.",
        record(
            {"namespace": _NAMESPACE, "from": _ENTITY},
            {
                "direction": choice("forward", "reverse", "either"),
                "relation": NAME,
                "right_type": described(NAME, "Only entities of this type at the other end"),
                "limit": _LIMIT,
            },
        ),
        record(
            {
                "matches": array(
                    record({"link_id": TEXT, "type": NAME, "id": NAME, "relation": NAME, "attributes": OBJECT})
                )
            }
        ),
        changes=False,
    ),
    _spec(
        "links.delete",
        "Delete links",
        "Remove every link with these ends.",
        {
            **record(
                {"namespace": _NAMESPACE},
                {"left": _ENTITY, "right": _ENTITY, "relation": NAME, "idempotency_key": _KEY_OVERRIDE},
            ),
            "anyOf": [{"required": ["left"]}, {"required": ["right"]}],
        },
        record({"deleted_count": COUNT}),
        changes=True,
    ),
    _spec(
        "links.list",
        "List links",
        "Links of a namespace.",
        record(
            {"namespace": _NAMESPACE},
            {"left_type": NAME, "right_type": NAME, "relation": NAME, "limit": _LIMIT, "cursor": _CURSOR},
        ),
        record({"items": array(_LINK), "next_cursor": _CURSOR}),
        changes=False,
    ),
    _spec(
        "links.list_namespaces",
        "List link namespaces",
        "Every namespace and how many links it has.",
        record(),
        record({"namespaces": array(record({"namespace": NAME, "link_count": COUNT}))}),
        changes=False,
    ),
)
