"""The pure transforms, one behaviour each."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_runtime.core.actions import BUILTIN_SPECS, validate_json
from workflow_runtime.core.actions.transform import run_transform
from workflow_runtime.core.errors import RuntimeFailureError

NOW = "2026-05-04T03:02:01.000Z"
SPECS = {spec.id: spec for spec in BUILTIN_SPECS}


def run(name: str, **given: Any) -> Any:
    spec = SPECS[f"transform.{name}"]
    assert validate_json(spec.input_schema, given) == []
    output = run_transform(spec.id, given, now_iso=NOW)
    assert validate_json(spec.output_schema, output) == []
    return output


def failure_of(name: str, **given: Any) -> RuntimeFailureError:
    with pytest.raises(RuntimeFailureError) as caught:
        run(name, **given)
    return caught.value


@pytest.mark.parametrize(
    ("source", "value", "kind"),
    [
        ('{"a": [1.0]}', {"a": [1]}, "object"),
        ("[1]", [1], "array"),
        ('"x"', "x", "string"),
        ("7", 7, "number"),
        ("true", True, "boolean"),
        ("null", None, "null"),
        ({"a": 1}, {"a": 1}, "object"),
        ([], [], "array"),
    ],
)
def test_parse_json_tells_value_and_type(source: Any, value: Any, kind: str) -> None:
    assert run("parse_json", source=source) == {"value": value, "type": kind}


@pytest.mark.parametrize("source", ["", "{", "NaN", "Infinity", "{'a': 1}", '"\\ud800"', "[" * 5_000, "1e999"])
def test_parse_json_refuses_what_is_not_json(source: str) -> None:
    assert failure_of("parse_json", source=source).code == "INVALID_JSON"


def test_query_json_sees_the_source_and_the_five_functions() -> None:
    source = {"assets": [{"tag": "a", "kind": "server"}, {"tag": "b", "kind": "desk"}]}
    assert run("query_json", source=source, expression="source.assets[kind == 'server'].tag") == {"value": "a"}
    assert run("query_json", source=source, expression="nowIso() & len(source.assets)") == {"value": f"{NOW}2"}
    assert failure_of("query_json", source=1, expression="$sum(source)").code == "FUNCTION_NOT_ALLOWED"
    assert failure_of("query_json", source={}, expression="source.x").code == "MISSING_RESULT"


def test_stringify_json_is_compact_or_indented() -> None:
    assert run("stringify_json", source={"b": [1, "é"], "a": None}) == {"text": '{"b":[1,"é"],"a":null}'}
    assert run("stringify_json", source=[1], spacing=2) == {"text": "[\n  1\n]"}
    assert run("stringify_json", source="x", spacing=0) == {"text": '"x"'}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"text": "abcdef", "maxLength": 6}, "abcdef"),
        ({"text": "abcdefgh", "maxLength": 6}, "abc..."),
        ({"text": "abcdefgh", "maxLength": 6, "strategy": "start"}, "...fgh"),
        ({"text": "abcdefgh", "maxLength": 6, "strategy": "middle"}, "ab...h"),
        ({"text": "abcdefgh", "maxLength": 5, "ellipsis": ""}, "abcde"),
        ({"text": "abcdefgh", "maxLength": 2}, ".."),
        ({"text": "abcdefgh", "maxLength": 0}, ""),
        ({"text": "abcdefgh", "maxLength": 4, "strategy": "start", "ellipsis": ""}, "efgh"),
        ({"text": None, "maxLength": 3}, ""),
        ({"text": 123456, "maxLength": 4, "ellipsis": "~"}, "123~"),
        ({"maxLength": 3}, ""),
    ],
)
def test_truncate_text_keeps_within_the_length(given: dict[str, Any], text: str) -> None:
    assert run("truncate_text", **given) == {"text": text}
    assert len(text) <= given["maxLength"]


def test_texts_are_made_of_any_values() -> None:
    assert run("concat_text", values=["a", None, 1, True, 1.5, {"k": [1]}], separator="|") == {
        "text": 'a||1|true|1.5|{"k":[1]}'
    }
    assert run("concat_text") == {"text": ""}
    assert run("join_text", items=[1, 2], delimiter=", ") == {"text": "1, 2"}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"text": "a.a", "search": "a", "replacement": "$&"}, "$&.$&"),
        ({"text": "a.a", "search": "a", "replacement": "b", "replaceAll": False}, "b.a"),
        ({"text": "a.a", "search": "a"}, "."),
        ({"text": "a.a", "search": "", "replacement": "x"}, "a.a"),
        ({"text": None, "search": "a"}, ""),
    ],
)
def test_replace_text_takes_texts_literally(given: dict[str, Any], text: str) -> None:
    assert run("replace_text", **given) == {"text": text}


def test_no_text_may_explode() -> None:
    assert failure_of("replace_text", text="a" * 10_000, search="a", replacement="b" * 1_000).code == "TEXT_TOO_LONG"
    assert failure_of("join_text", items=["x" * 600_000, "y" * 600_000]).code == "TEXT_TOO_LONG"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("join_text", {"items": [None] * 100_000, "delimiter": "x" * 250_000}),
        ("concat_text", {"values": ["x" * 250_000] * 100_000}),
        ("concat_text", {"values": [None] * 2_000_000}),
        ("stringify_json", {"source": [[[[["x"] * 20]]]] * 20_000, "spacing": 8}),
        ("compose_text", {"templates": {"a": "{{v}}" * 100_000}, "values": {"v": "x" * 250_000}}),
        ("compose_text", {"templates": {f"t{n}": "{{v}}" for n in range(5_000)}, "values": {"v": "x" * 900_000}}),
        ("regex_replace", {"text": "a" * 9_000, "pattern": "a", "replacement": "$`$'" * 100_000}),
        ("regex_replace", {"text": "a" * 9_000, "pattern": "a(b?)", "replacement": "$1" * 100_000}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_text_may_explode_on_its_way(name: str, given: dict[str, Any]) -> None:
    """Put together first and measured afterwards, these would be gigabytes, or hours."""
    assert failure_of(name, **given).code == "TEXT_TOO_LONG"


@pytest.mark.parametrize(
    ("template", "text"),
    [("{{" + " " * 100_000, None), ("{{ v" + " " * 100_000 + "}}", "1"), ("{{" * 100_000 + "v}}", None)],
    ids=["never closed", "blanks", "never closed often"],
)
def test_no_template_takes_more_time_than_it_is_long(template: str, text: str | None) -> None:
    """Where white space beside a name can be divided in several ways, a reader tries them all."""
    made = run("compose_text", templates={"t": template}, values={"v": 1})["t"]
    assert made == (text or (template[: -len("{{v}}")] + "1" if template.endswith("{{v}}") else template))


def test_a_replacement_of_tokens_that_never_end_is_text() -> None:
    replacement = "$<" * 100_000
    assert run("regex_replace", text="a", pattern="a", replacement=replacement)["text"] == replacement


def test_split_text_keeps_or_drops_what_is_empty() -> None:
    assert run("split_text", text="a,,b", delimiter=",") == {"items": ["a", "", "b"]}
    assert run("split_text", text="a,,b", delimiter=",", removeEmpty=True) == {"items": ["a", "b"]}
    assert run("split_text", text="aé", delimiter="") == {"items": ["a", "é"]}
    assert run("split_text", delimiter=",") == {"items": [""]}


def test_case_and_white_space() -> None:
    assert run("lowercase_text", text="ÀB") == {"text": "àb"}
    assert run("uppercase_text", text="àb") == {"text": "ÀB"}
    assert run("trim_text", text=" \n a b\t") == {"text": "a b"}


def test_coalesce_value_skips_null_and_blank_text() -> None:
    assert run("coalesce_value", candidates=[None, "", " ", 0]) == {"value": 0, "matchedIndex": 3}
    assert run("coalesce_value", candidates=[None, ""], treatEmptyStringAsMissing=False) == {
        "value": "",
        "matchedIndex": 1,
    }
    assert run("coalesce_value", candidates=[False]) == {"value": False, "matchedIndex": 0}
    assert run("coalesce_value") == {"value": None, "matchedIndex": None}


def test_objects_are_built_picked_and_renamed() -> None:
    fields = [{"key": "a", "value": 1}, {"key": "b"}, {"key": "a", "value": 2}]
    assert run("build_object", fields=fields) == {"object": {"a": 2, "b": None}}
    assert run("pick_fields", source={"a": None, "b": 1}, fields=["a", "c"]) == {"object": {"a": None}}
    assert run("pick_fields", source=None, fields=["a"]) == {"object": {}}
    renames = [{"from": "a", "to": "b"}, {"from": "x", "to": "y"}, {"from": "b", "to": "c"}]
    assert run("rename_fields", source={"a": 1, "k": 2}, renames=renames) == {"object": {"k": 2, "c": 1}}
    assert run("rename_fields", source={"a": 1}, renames=[{"from": "a", "to": "a"}]) == {"object": {"a": 1}}


def test_arrays_are_built_and_appended_to_without_changing_the_source() -> None:
    items = [1]
    assert run("append_array", items=items, values=[[2], 3]) == {"items": [1, [2], 3]}
    assert items == [1]
    assert run("build_array", items=[None, {}]) == {"items": [None, {}]}
    assert run("append_array") == {"items": []}


def test_regex_match_and_extract_tell_groups() -> None:
    assert run("regex_match", text="no", pattern="x") == {
        "matched": False,
        "match": None,
        "index": None,
        "groups": [],
        "namedGroups": {},
    }
    found = run(
        "regex_extract", text="host srv-1 serial SN-7", pattern=r"host\s+(?<host>\S+)\s+serial\s+(?<serial>\S+)"
    )
    assert found["count"] == 1
    assert found["first"]["namedGroups"] == {"host": "srv-1", "serial": "SN-7"}
    assert run("regex_extract", text="a1b2c3", pattern=r"\d", maxMatches=2)["count"] == 2
    assert run("regex_match", text=None, pattern="a")["matched"] is False
    assert run("regex_match", text=42, pattern="4")["match"] == "4"


@pytest.mark.parametrize("name", ["regex_match", "regex_extract"])
def test_a_required_match_that_is_missing_fails(name: str) -> None:
    assert failure_of(name, text="a", pattern="b", requireMatch=True).code == "REGEX_NO_MATCH"


@pytest.mark.parametrize(
    ("pattern", "replacement", "text", "expected"),
    [
        (r"(\w+) (\w+)", "$2 $1", "ada lovelace", "lovelace ada"),
        (r"(?<a>\d)", "[$<a>]", "1x2", "[1]x[2]"),
        ("x", "$$&$&", "axb", "a$&xb"),
        ("x", "<$`|$'>", "axb", "a<a|b>b"),
        ("(x)(y)?", "$1$2$3", "x", "x$3"),
        ("(a)", "$10", "a", "a0"),
        ("😀", ":)", "a😀b", "a:)b"),
        ("z", "y", "abc", "abc"),
        ("a", "$<n>", "a", "$<n>"),
    ],
)
def test_regex_replace_understands_javascripts_tokens(pattern: str, replacement: str, text: str, expected: str) -> None:
    assert run("regex_replace", text=text, pattern=pattern, replacement=replacement)["text"] == expected


def test_regex_replace_may_replace_once_and_counts() -> None:
    assert run("regex_replace", text="aaa", pattern="a", replacement="b") == {"text": "bbb", "replacementCount": 3}
    once = run("regex_replace", text="aaa", pattern="a", replacement="b", replaceAll=False)
    assert once == {"text": "baa", "replacementCount": 1}


def test_compose_text_fills_templates_and_says_what_is_missing() -> None:
    values = {"a": {"b": 1}, "none": None}
    assert run("compose_text", templates={"t": "{{a.b}}-{{ none }}-{{a}}"}, values=values) == {"t": '1--{"b":1}'}
    failure = failure_of("compose_text", templates={"t": "{{a.c}}"}, values=values)
    assert failure.code == "MISSING_REFERENCE"
    assert "'a.c'" in failure.message


def test_compose_text_writes_markdown_blocks() -> None:
    def line(*nodes: dict[str, Any]) -> list[dict[str, Any]]:
        return list(nodes)

    def words(text: str, *marks: str, **more: str) -> dict[str, Any]:
        return {"type": "text", "text": text, "marks": list(marks), **more}

    blocks = [
        {"type": "heading", "level": 3, "children": line(words("Title"))},
        {"type": "paragraph", "children": line(words("a", "bold", "italic"), words("b\nc"), words("", "bold"))},
        {"type": "bullet_list_item", "children": line(words("one"))},
        {"type": "bullet_list_item", "children": line(words("two", "code"))},
        {"type": "ordered_list_item", "children": line(words("first"))},
        {"type": "ordered_list_item", "children": line({"type": "reference", "path": "x", "value": {"k": 1}})},
        {"type": "blockquote", "children": line({"type": "reference", "path": "y", "value": "l1\nl2"})},
        {"type": "code_block", "text": "a ``` b"},
        {"type": "paragraph", "children": line(words("here", "link", href="https://example.org"))},
    ]
    document = {"version": 1, "blocks": blocks}
    assert run("compose_text", outputs=[{"stableKey": "out", "document": document}]) == {
        "out": '### Title\n\n_**a**_b  \nc\n\n- one\n- `two`\n\n1. first\n2. {"k":1}\n\n> l1\n> l2\n\n'
        "````\na ``` b\n````\n\n[here](https://example.org)"
    }


def test_compose_text_makes_each_output_once() -> None:
    document = {"version": 1, "blocks": []}
    failure = failure_of("compose_text", templates={"a": "x"}, outputs=[{"stableKey": "a", "document": document}])
    assert failure.code == "DUPLICATE_OUTPUT"


def test_an_unknown_transform_is_a_failure() -> None:
    with pytest.raises(RuntimeFailureError) as caught:
        run_transform("transform.nope", {}, now_iso=NOW)
    assert caught.value.code == "UNKNOWN_ACTION"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1_000, 1_000) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, st.text(max_size=10), st.lists(JSON, max_size=4))
def test_texts_and_values_of_any_kind_never_raise_anything_unknown(value: Any, text: str, values: list[Any]) -> None:
    run("concat_text", values=values, separator=text)
    run("split_text", text=value, delimiter=text)
    run("replace_text", text=value, search=text, replacement=text)
    run("coalesce_value", candidates=values)
    run("append_array", items=values, values=[value])
    assert run("parse_json", source=run("stringify_json", source=value)["text"])["value"] == value
