"""Specs of ``notifications.send_in_app`` and ``http.request``. Private to ``core.actions``; data only."""

from typing import Final

from workflow_runtime.core.actions._schemas import (
    ANYTHING,
    BOOLEAN,
    COUNT,
    NAME,
    TEXT,
    Schema,
    array,
    choice,
    described,
    integer,
    record,
)
from workflow_runtime.core.actions.spec import ActionSpec
from workflow_runtime.core.contract import AUTHORED_QUEUE

_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean", "null"]}
_HEADERS: Final[Schema] = {"type": "object", "additionalProperties": TEXT, "maxProperties": 100}

SEND_IN_APP: Final = ActionSpec(
    id="notifications.send_in_app",
    version=1,
    input_schema=record(
        {
            "recipients": record({"user_ids": array(NAME, minItems=1, maxItems=1000)}),
            "title": {"type": "string", "minLength": 1, "maxLength": 500},
            "body": {"type": "string", "minLength": 1, "maxLength": 10_000},
        },
        {
            "severity": choice("info", "success", "warning", "error"),
            "link": described(TEXT, "Where opening the notification leads"),
            "data": described(ANYTHING, "Anything of at most 256 KiB for the application"),
            "dedupe_key": described(NAME, "Send once per user and key, in whatever run"),
        },
    ),
    output_schema=record({"notification_ids": array(TEXT), "delivered_count": COUNT}),
    side_effectful=True,
    task_queue=AUTHORED_QUEUE,
    ui={
        "label": "Send an in-app notification",
        "category": "Notifications",
        "description": "One notification for each user; a repetition sends nothing twice.",
    },
    examples=(
        {
            "input": {"recipients": {"user_ids": ["u-1"]}, "title": "New ticket", "body": "The printer is on fire."},
            "output": {"notification_ids": ["5f2a"], "delivered_count": 1},
        },
    ),
)

HTTP_REQUEST: Final = ActionSpec(
    id="http.request",
    version=1,
    input_schema={
        **record(
            {"url": described({"type": "string", "minLength": 8, "maxLength": 8192}, "http or https, an allowed host")},
            {
                "method": choice("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
                "headers": _HEADERS,
                "query": {"type": "object", "additionalProperties": {"anyOf": [_SCALAR, array(_SCALAR)]}},
                "json": described(ANYTHING, "Body as JSON"),
                "body": described(TEXT, "Body as text"),
                "timeoutMs": integer(100, 120_000),
                "responseType": choice("auto", "json", "text"),
                "failOnStatus": described(BOOLEAN, "Fail on 4xx and 5xx (default true); 429 and 5xx are transient"),
                "idempotencyHeader": described(NAME, "Header that carries the idempotency key"),
            },
        ),
        "not": {"required": ["json", "body"]},
    },
    output_schema=record(
        {
            "status": integer(100, 599),
            "headers": {"type": "object", "additionalProperties": TEXT},
            "body": described(ANYTHING, "JSON value, text, or null when there is none"),
        }
    ),
    side_effectful=True,
    task_queue=AUTHORED_QUEUE,
    ui={
        "label": "HTTP request",
        "category": "HTTP",
        "description": "Call an allow-listed host; private addresses are refused.",
    },
    examples=(
        {
            "input": {"url": "https://api.example.org/tickets", "method": "POST", "json": {"title": "Printer"}},
            "output": {"status": 201, "headers": {"content-type": "application/json"}, "body": {"id": 7}},
        },
    ),
)
