"""Specs of the app-only actions, data only; publishing and the operator read them. workflow-server only."""

from typing import Any, Final

from workflow_runtime.core.actions import ActionSpec
from workflow_runtime.core.contract import APP_ACTION_QUEUE

_ADDRESS: Final[dict[str, Any]] = {"type": "string", "minLength": 3, "maxLength": 998, "pattern": "^[^\\r\\n]+$"}
_ADDRESSES: Final[dict[str, Any]] = {
    "anyOf": [_ADDRESS, {"type": "array", "items": _ADDRESS, "minItems": 1, "maxItems": 100}]
}

AI_INFER: Final = ActionSpec(
    id="ai.infer",
    version=1,
    input_schema={
        "type": "object",
        "properties": {
            "prompt": {"type": "string", "minLength": 1, "maxLength": 200_000},
            "outputSchema": {
                "type": "object",
                "properties": {"type": {"const": "object"}},
                "required": ["type"],
                "description": "JSON Schema of the answer, which is an object",
            },
            "system": {"type": "string", "maxLength": 50_000},
            "model": {"type": "string", "minLength": 1, "maxLength": 200},
            "temperature": {"type": "number", "minimum": 0, "maximum": 2},
            "maxOutputTokens": {"type": "integer", "minimum": 1, "maximum": 200_000},
        },
        "required": ["prompt", "outputSchema"],
        "additionalProperties": False,
    },
    output_schema={"type": "object"},
    side_effectful=False,
    task_queue=APP_ACTION_QUEUE,
    ui={"label": "Ask an AI model", "category": "AI", "description": "A prompt in, an object that fits a schema out."},
    examples=(
        {
            "input": {
                "prompt": "Classify this ticket: the printer is on fire",
                "outputSchema": {
                    "type": "object",
                    "properties": {"priority": {"enum": ["low", "high"]}},
                    "required": ["priority"],
                    "additionalProperties": False,
                },
            },
            "output": {"priority": "high"},
        },
    ),
)

EMAIL_SEND: Final = ActionSpec(
    id="email.send",
    version=1,
    input_schema={
        "type": "object",
        "properties": {
            "to": _ADDRESSES,
            "cc": _ADDRESSES,
            "bcc": _ADDRESSES,
            "replyTo": _ADDRESS,
            "subject": {"type": "string", "maxLength": 998, "pattern": "^[^\\r\\n]*$"},
            "text": {"type": "string", "maxLength": 1_000_000},
            "html": {"type": "string", "maxLength": 1_000_000},
        },
        "required": ["to", "subject"],
        "anyOf": [{"required": ["text"]}, {"required": ["html"]}],
        "additionalProperties": False,
    },
    output_schema={
        "type": "object",
        "properties": {
            "messageId": {"type": "string"},
            "accepted": {"type": "array", "items": {"type": "string"}},
            "rejected": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["messageId", "accepted", "rejected"],
        "additionalProperties": False,
    },
    side_effectful=True,
    task_queue=APP_ACTION_QUEUE,
    ui={"label": "Send an e-mail", "category": "E-mail", "description": "Text, HTML or both, to up to 100 addresses."},
    examples=(
        {
            "input": {"to": "ada@example.org", "subject": "Your ticket", "text": "We are on it."},
            "output": {"messageId": "<3f2a@example.org>", "accepted": ["ada@example.org"], "rejected": {}},
        },
    ),
)

APP_SPECS: Final = (AI_INFER, EMAIL_SEND)
"""Every action served on the app queue."""
