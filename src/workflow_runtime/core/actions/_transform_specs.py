"""Specs of the ``transform.*`` actions. Private to ``core.actions``; data only."""

from typing import Any, Final

from workflow_runtime.core.actions._schemas import (
    ANYTHING,
    BOOLEAN,
    COUNT,
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
from workflow_runtime.core.actions.transform._regexes import MAX_MATCHES
from workflow_runtime.core.contract import AUTHORED_QUEUE
from workflow_runtime.core.expressions import MAX_LENGTH
from workflow_runtime.core.expressions.regex import MAX_PATTERN

_KEY: Final[Schema] = {"type": "string", "minLength": 1}
_SOURCE_TEXT: Final = described(ANYTHING, "Source text; null is empty, other values become their JSON")
_PATTERN: Final = described(
    {"type": "string", "minLength": 1, "maxLength": MAX_PATTERN}, "JavaScript regular expression without the slashes"
)
_FLAGS: Final = described(TEXT, "JavaScript flags: i, m, s, g, u, d")
_GROUPS: Final = array(nullable(TEXT))
_NAMED_GROUPS: Final[Schema] = {"type": "object", "additionalProperties": nullable(TEXT)}
_TEXT_OUT: Final = record({"text": TEXT})
_TEXTS_OUT: Final = record({"items": array(TEXT)})
_ITEMS_OUT: Final = record({"items": array(ANYTHING)})
_OBJECT_OUT: Final = record({"object": OBJECT})
_MATCH: Final = record({"text": TEXT, "index": COUNT, "groups": _GROUPS, "namedGroups": _NAMED_GROUPS})
_INLINE: Final = array(
    {
        "type": "object",
        "properties": {
            "type": choice("text", "reference"),
            "text": TEXT,
            "marks": array(choice("bold", "italic", "code", "link")),
            "href": TEXT,
            "path": TEXT,
            "label": TEXT,
            "value": ANYTHING,
        },
        "required": ["type"],
        "if": {"properties": {"type": {"const": "text"}}},
        "then": {"required": ["text"]},
        "else": {"required": ["value"]},
        "additionalProperties": False,
    }
)
_BLOCK: Final[Schema] = {
    "type": "object",
    "properties": {
        "type": choice("paragraph", "bullet_list_item", "ordered_list_item", "heading", "blockquote", "code_block"),
        "children": _INLINE,
        "level": integer(1, 3),
        "text": TEXT,
    },
    "required": ["type"],
    "allOf": [
        {
            "if": {"properties": {"type": {"const": "code_block"}}},
            "then": {"required": ["text"]},
            "else": {"required": ["children"]},
        },
        {"if": {"properties": {"type": {"const": "heading"}}}, "then": {"required": ["level"]}},
    ],
    "additionalProperties": False,
}
_OUTPUT: Final = record(
    {
        "stableKey": {"type": "string", "pattern": "^[a-z_][a-z0-9_]*$"},
        "document": record({"version": {"const": 1}, "blocks": array(_BLOCK)}),
    },
    {"id": TEXT, "label": TEXT},
)


def _spec(name: str, label: str, description: str, given: Schema, gives: Schema, *examples: Any) -> ActionSpec:
    return ActionSpec(
        id=f"transform.{name}",
        version=1,
        input_schema=given,
        output_schema=gives,
        side_effectful=False,
        task_queue=AUTHORED_QUEUE,
        ui={"label": label, "category": "Transform", "description": description},
        examples=examples,
    )


_JSON: Final = (
    _spec(
        "parse_json",
        "Parse JSON",
        "Read JSON text; objects and arrays pass as they are.",
        record({"source": {"type": ["string", "array", "object"]}}),
        record({"value": ANYTHING, "type": choice("object", "array", "string", "number", "boolean", "null")}),
        {"input": {"source": '{"a":1}'}, "output": {"value": {"a": 1}, "type": "object"}},
    ),
    _spec(
        "query_json",
        "Query JSON",
        "Evaluate an expression which sees the value as source.",
        record({"source": ANYTHING, "expression": {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}}),
        record({"value": ANYTHING}),
        {"input": {"source": {"n": [1, 2]}, "expression": "len(source.n)"}, "output": {"value": 2}},
    ),
    _spec(
        "stringify_json",
        "Stringify JSON",
        "Write a value as JSON text.",
        record({"source": ANYTHING}, {"spacing": integer(0, 8)}),
        _TEXT_OUT,
        {"input": {"source": {"a": [1]}}, "output": {"text": '{"a":[1]}'}},
    ),
)

_TEXTS: Final = (
    _spec(
        "compose_text",
        "Compose text",
        "Markdown from documents with references, or from templates with {{placeholders}}.",
        {
            **record(
                {},
                {
                    "outputs": array(_OUTPUT, minItems=1),
                    "templates": {"type": "object", "minProperties": 1, "additionalProperties": TEXT},
                    "values": OBJECT,
                },
            ),
            "anyOf": [{"required": ["outputs"]}, {"required": ["templates"]}],
        },
        {"type": "object", "additionalProperties": TEXT},
        {
            "input": {"templates": {"note": "Ticket {{id}} is open"}, "values": {"id": 7}},
            "output": {"note": "Ticket 7 is open"},
        },
    ),
    _spec(
        "truncate_text",
        "Truncate text",
        "Shorten text to a length.",
        record(
            {"maxLength": COUNT}, {"text": _SOURCE_TEXT, "strategy": choice("end", "start", "middle"), "ellipsis": TEXT}
        ),
        _TEXT_OUT,
        {"input": {"text": "abcdefgh", "maxLength": 6}, "output": {"text": "abc..."}},
    ),
    _spec(
        "concat_text",
        "Concatenate text",
        "Join values into one text.",
        record({}, {"values": array(ANYTHING), "separator": TEXT}),
        _TEXT_OUT,
        {"input": {"values": ["a", 1, None], "separator": "-"}, "output": {"text": "a-1-"}},
    ),
    _spec(
        "replace_text",
        "Replace text",
        "Replace a text by another, everywhere or once.",
        record({"search": TEXT}, {"text": _SOURCE_TEXT, "replacement": TEXT, "replaceAll": BOOLEAN}),
        _TEXT_OUT,
        {"input": {"text": "a-a", "search": "a", "replacement": "b"}, "output": {"text": "b-b"}},
    ),
    _spec(
        "split_text",
        "Split text",
        "Split text at a delimiter.",
        record({"delimiter": TEXT}, {"text": _SOURCE_TEXT, "removeEmpty": BOOLEAN}),
        _TEXTS_OUT,
        {"input": {"text": "a,b", "delimiter": ","}, "output": {"items": ["a", "b"]}},
    ),
    _spec(
        "join_text",
        "Join text",
        "Join an array into one text.",
        record({}, {"items": array(ANYTHING), "delimiter": TEXT}),
        _TEXT_OUT,
        {"input": {"items": ["a", "b"], "delimiter": ", "}, "output": {"text": "a, b"}},
    ),
    _spec(
        "lowercase_text",
        "Lower case",
        "Text in lower case.",
        record({}, {"text": _SOURCE_TEXT}),
        _TEXT_OUT,
        {"input": {"text": "Ab"}, "output": {"text": "ab"}},
    ),
    _spec(
        "uppercase_text",
        "Upper case",
        "Text in upper case.",
        record({}, {"text": _SOURCE_TEXT}),
        _TEXT_OUT,
        {"input": {"text": "Ab"}, "output": {"text": "AB"}},
    ),
    _spec(
        "trim_text",
        "Trim text",
        "Text without white space around it.",
        record({}, {"text": _SOURCE_TEXT}),
        _TEXT_OUT,
        {"input": {"text": " a "}, "output": {"text": "a"}},
    ),
)

_REGEXES: Final = (
    _spec(
        "regex_match",
        "Match a pattern",
        "The first match with its groups.",
        record({"text": _SOURCE_TEXT, "pattern": _PATTERN}, {"flags": _FLAGS, "requireMatch": BOOLEAN}),
        record(
            {
                "matched": BOOLEAN,
                "match": nullable(TEXT),
                "index": nullable(COUNT),
                "groups": _GROUPS,
                "namedGroups": _NAMED_GROUPS,
            }
        ),
        {
            "input": {"text": "SN-42", "pattern": "SN-(\\d+)"},
            "output": {"matched": True, "match": "SN-42", "index": 0, "groups": ["42"], "namedGroups": {}},
        },
    ),
    _spec(
        "regex_extract",
        "Extract by pattern",
        "Every match with its groups.",
        record(
            {"text": _SOURCE_TEXT, "pattern": _PATTERN},
            {"flags": _FLAGS, "maxMatches": integer(1, MAX_MATCHES), "requireMatch": BOOLEAN},
        ),
        record({"matched": BOOLEAN, "count": COUNT, "first": nullable(_MATCH), "matches": array(_MATCH)}),
        {
            "input": {"text": "a1", "pattern": "\\d"},
            "output": {
                "matched": True,
                "count": 1,
                "first": {"text": "1", "index": 1, "groups": [], "namedGroups": {}},
                "matches": [{"text": "1", "index": 1, "groups": [], "namedGroups": {}}],
            },
        },
    ),
    _spec(
        "regex_replace",
        "Replace by pattern",
        "Replace matches; $1, $<name>, $& and $$ work.",
        record(
            {"text": _SOURCE_TEXT, "pattern": _PATTERN, "replacement": TEXT}, {"flags": _FLAGS, "replaceAll": BOOLEAN}
        ),
        record({"text": TEXT, "replacementCount": COUNT}),
        {
            "input": {"text": "a1b2", "pattern": "\\d", "replacement": "<$&>"},
            "output": {"text": "a<1>b<2>", "replacementCount": 2},
        },
    ),
)

_VALUES: Final = (
    _spec(
        "coalesce_value",
        "First usable value",
        "The first candidate that is not null (nor blank text).",
        record({}, {"candidates": array(ANYTHING), "treatEmptyStringAsMissing": BOOLEAN}),
        record({"value": ANYTHING, "matchedIndex": nullable(COUNT)}),
        {"input": {"candidates": [None, "", "x"]}, "output": {"value": "x", "matchedIndex": 2}},
    ),
    _spec(
        "build_object",
        "Build an object",
        "An object from named values.",
        record({}, {"fields": array(record({"key": _KEY}, {"value": ANYTHING}))}),
        _OBJECT_OUT,
        {"input": {"fields": [{"key": "a", "value": 1}]}, "output": {"object": {"a": 1}}},
    ),
    _spec(
        "pick_fields",
        "Pick fields",
        "An object with only these fields.",
        record({}, {"source": nullable(OBJECT), "fields": array(_KEY)}),
        _OBJECT_OUT,
        {"input": {"source": {"a": 1, "b": 2}, "fields": ["a"]}, "output": {"object": {"a": 1}}},
    ),
    _spec(
        "rename_fields",
        "Rename fields",
        "An object with fields renamed in order.",
        record({}, {"source": nullable(OBJECT), "renames": array(record({"from": _KEY, "to": _KEY}))}),
        _OBJECT_OUT,
        {"input": {"source": {"a": 1}, "renames": [{"from": "a", "to": "b"}]}, "output": {"object": {"b": 1}}},
    ),
    _spec(
        "append_array",
        "Append to an array",
        "An array with values added at its end.",
        record({}, {"items": array(ANYTHING), "values": array(ANYTHING)}),
        _ITEMS_OUT,
        {"input": {"items": [1], "values": [2]}, "output": {"items": [1, 2]}},
    ),
    _spec(
        "build_array",
        "Build an array",
        "An array from values.",
        record({}, {"items": array(ANYTHING)}),
        _ITEMS_OUT,
        {"input": {"items": [1, "a"]}, "output": {"items": [1, "a"]}},
    ),
)

TRANSFORM_SPECS: Final = (*_JSON, *_TEXTS, *_REGEXES, *_VALUES)
