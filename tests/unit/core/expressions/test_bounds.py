"""No text and no value can crash or hang the process that evaluates."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.interpreter import python

import workflow_runtime
from workflow_runtime.core.errors import ExpressionFailure
from workflow_runtime.core.expressions import MAX_LENGTH, MAX_RESULT_BYTES, compile_expression

CONTEXT: dict[str, Any] = {
    "a": 1,
    "none": None,
    "text": "x" * 100_000,
    "numbers": list(range(20_000)),
    "items": [{"k": i, "t": f"t{i}", "z": [i] * 3} for i in range(2_000)],
}


def outcome(text: str, context: Any = CONTEXT) -> Any:
    try:
        return compile_expression(text).evaluate(context, now_iso="2026-01-01T00:00:00.000Z")
    except ExpressionFailure as failure:
        return failure.code


def in_a_process(program: str, given: str = "") -> subprocess.CompletedProcess[str]:
    source = str(Path(workflow_runtime.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source}
    return subprocess.run(
        [*python(), "-c", program], input=given, env=environment, text=True, check=False, capture_output=True
    )


NAMES = ("a", "items", "text", "none", "len", "append", "$", "$$", "$x", "`q`", "and", "in", "function", "λ")
SIGNS = (*"%*.[](){},;:?=<+-/&^@#|'\"`\\\n \x00é\ud800", "**", ":=", "?:", "??", "==", "..", "~>", "/*", "*/")
LITERALS = ('"s"', "1", "2.5", "1e9", "true", "null")
TOKENS = (*NAMES, *SIGNS, *LITERALS)


@settings(max_examples=1_000)
@given(st.lists(st.sampled_from(TOKENS), max_size=25).map("".join) | st.text(max_size=40))
def test_any_text_is_a_result_or_a_failure_with_a_code(text: str) -> None:
    found = outcome(text)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("text", ["len" + "/**/" * 4_000 + "x", "len" + " /* */\t" * 2_000 + "x", "len/*" * 3_000])
def test_comments_behind_the_name_of_a_function_do_not_hang_the_reader(text: str) -> None:
    """Each could also be read as a part of the one before it: twenty-eight of them took longer than anybody waits."""
    assert outcome(text) in ("SYNTAX_ERROR", "TOO_DEEP")


def test_comments_between_a_function_and_its_arguments_are_read() -> None:
    assert outcome('len /* a */ /**/ ("abc")') == 3


LEAVES = st.sampled_from(
    ["1", "a", "none", "text", "numbers", "items", "items.z", "$", "$$", "$x", "$$.numbers", "$$.text", "**", "*", "[]"]
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["=", "<", "+", "/", "&", "and", "in", "?:", "??"])
    return st.one_of(
        st.builds("{}.{}".format, inner, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("({} {} {})".format, inner, operators, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds('{}.{{"p": {}, "q": {}}}'.format, inner, inner, inner),
        st.builds('{}{{"g": {}}}'.format, inner, inner),
        st.builds("-({})".format, inner),
        st.builds("{}^(>{})".format, inner, inner),
        st.builds("($x := {}; {})".format, inner, inner),
        st.builds("{}#$x.({})".format, inner, inner),
        st.builds("{}@$x.({})".format, inner, inner),
        st.builds("[1..20000].({})".format, inner),
        st.builds("{}.%.{}".format, inner, inner),
        st.builds("append({}, {})".format, inner, inner),
        st.builds("toString({})".format, inner),
        st.builds("({} ? {} : 1)".format, inner, inner),
    )


@settings(max_examples=400)
@given(st.recursive(LEAVES, combined, max_leaves=6))
def test_any_structure_over_large_values_stays_within_its_budget(text: str) -> None:
    json.dumps(outcome(text), allow_nan=False)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1" * (MAX_LENGTH + 1), "TOO_LONG"),
        ("(" * 500 + "1" + ")" * 500, "TOO_DEEP"),
        ("[" * 500 + "]" * 500, "TOO_DEEP"),
        ("-" * 5_000 + "1", "TOO_DEEP"),
        ("1" + "+1" * 5_000, "TOO_DEEP"),
        ("a" + ".a" * 5_000, "TOO_DEEP"),
        ("a" + "[0]" * 4_000, "TOO_DEEP"),
        ("a ? " * 1_000 + "1", "TOO_DEEP"),
        ("(" * 30 + "a" + " ?: a)" * 30, "TOO_DEEP"),
        ("(" * 30 + "a" + " ?? a)" * 30, "TOO_DEEP"),
        ("a" + '.{"x": $, "y": $}' * 40, "TOO_DEEP"),
        ("a" + ".[[$], [$]]" * 40, "TOO_DEEP"),
        ("($v := [1];" + "$v := [[$v], [$v]];" * 40 + "$v)", "TOO_DEEP"),
        ("($v := [0];" + "$v := [[$v], [$v]];" * 40 + "$v ? 1 : 2)", "TOO_DEEP"),
        ("numbers.($$.numbers = $$.numbers)", "BUDGET_EXCEEDED"),
        ("numbers[$$.numbers]", "BUDGET_EXCEEDED"),
        ("numbers.($$.text)", "BUDGET_EXCEEDED"),
        ("numbers^($$.text)", "BUDGET_EXCEEDED"),
        ("[1..20000].($$.text & 'x')", "BUDGET_EXCEEDED"),
        ("items.[[1..20000]]", "BUDGET_EXCEEDED"),
        ("items@$i.items@$j.{'i': $i, 'j': $j}", "BUDGET_EXCEEDED"),
        ("-[" + ",".join(["text"] * 1_000) + "]", "BUDGET_EXCEEDED"),
        ("($t := text & text; $t & $t & $t & $t)", "BUDGET_EXCEEDED"),
        ("[1..10000000]", "BUDGET_EXCEEDED"),
        ("append(append(numbers, numbers), numbers)", "BUDGET_EXCEEDED"),
    ],
    ids=lambda value: value[:40],
)
def test_known_ways_to_exhaust_the_engine_are_refused(text: str, code: str) -> None:
    assert outcome(text) == code


DEEPEST = {
    "brackets": lambda n: "(" * n + "1" + ")" * n,
    "arrays": lambda n: "[" * n + "1" + "]" * n,
    "objects": lambda n: '{"a":' * n + "1" + "}" * n,
    "calls": lambda n: "len(" * n + "a" + ")" * n,
    "predicates": lambda n: "a[" * n + "0" + "]" * n,
    "sums": lambda n: "1" + "+1" * n,
    "paths": lambda n: "a" + ".a" * n,
    "minus": lambda n: "-" * n + "1",
    "conditions": lambda n: "a?" * n + "1" + ":2" * n,
    "pipes": lambda n: "a" + "~>$append(1)" * n,
    "bindings": lambda n: "(" + "$a:=" * n + "1)",
    "texts": lambda n: "a" + "&a.b.c" * n,
    "sorts": lambda n: "a^(" * n + "a" + ")" * n,
    "defaults": lambda n: "a" + "?:a" * n,
}


@pytest.mark.parametrize("kind", DEEPEST)
def test_the_deepest_text_that_is_let_through_needs_little_stack(kind: str) -> None:
    """As deep as the bounds allow, from deep inside a caller, at Python's usual recursion limit."""
    allowed = max(size for size in range(1, 450) if outcome(DEEPEST[kind](size)) != "TOO_DEEP")

    def called_from(depth: int) -> Any:
        return outcome(DEEPEST[kind](allowed) + " ") if depth == 0 else called_from(depth - 1)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000)
    try:
        assert called_from(300) != "TOO_DEEP"
    finally:
        sys.setrecursionlimit(limit)


def test_importing_expressions_changes_nothing_in_the_process() -> None:
    program = "import sys; before = sys.getrecursionlimit(); import workflow_runtime.core.expressions as expressions; "
    program += "expressions.compile_expression('1'); "
    program += "sys.exit(before != sys.getrecursionlimit())"
    assert in_a_process(program).returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "1" + " + 1" * 300,
        "(" * 60 + "1" + ")" * 60,
        "a & ' ' & none & ' ' & a & text" + " & items[0].t" * 100,
        "items[k = $$.a].t",
        "items[k in [1, 2, 3]].t",
        "items^(>k)[0].t",
        "items[len(z) > 2].k[0]",
        "($wanted := a; items[k = $wanted].t)",
        'items[k < 500].{"id": k, "label": "item " & t, "size": len(z)}',
        '{"first": items[0], "last": items[-1], "count": len(items), "again": items[0]}',
        "numbers[$ > 19990]",
    ],
)
def test_what_a_person_would_write_is_within_the_bounds(text: str) -> None:
    assert not isinstance(outcome(text), str) or not outcome(text).isupper()


def test_the_result_may_be_as_large_as_the_contract_says_and_no_larger() -> None:
    fits, exceeds = "y" * (MAX_RESULT_BYTES - 2), "y" * (MAX_RESULT_BYTES - 1)
    assert outcome("big", {"big": fits}) == fits
    assert outcome("big", {"big": exceeds}) == "RESULT_TOO_LARGE"


def test_size_counts_bytes_not_characters() -> None:
    assert outcome("big", {"big": "é" * (MAX_RESULT_BYTES // 2)}) == "RESULT_TOO_LARGE"


def test_the_same_expression_on_the_same_values_always_ends_the_same_way() -> None:
    text = "items.(t & $$.text)"
    assert [outcome(text) for _ in range(3)] == ["BUDGET_EXCEEDED"] * 3


@pytest.mark.parametrize("value", [{1: 2}, {1, 2}, b"x", object(), 10**400])
def test_a_context_that_is_not_json_is_a_failure(value: Any) -> None:
    assert outcome("v", {"v": value}) == "NOT_JSON"


def test_only_what_is_read_of_a_context_is_looked_at() -> None:
    assert outcome("a", {"a": 1, "other": object()}) == 1


def test_a_message_of_the_engine_is_cut_short() -> None:
    with pytest.raises(ExpressionFailure) as caught:
        compile_expression("-items").evaluate(CONTEXT, now_iso="")
    assert caught.value.code == "EVALUATION_FAILED"
    assert len(caught.value.message) < 300


def test_memory_stays_small_under_attack() -> None:
    """In a process that may use 1 GiB, so that an attack that succeeds fails this test and nothing else."""
    texts = [
        "a" + '.{"x": $, "y": $}' * 12 + " & ''",
        "-(a" + '.{"x": $, "y": $}' * 12 + ")",
        "-[1..1000].($$.text)",
        "-(items{t: $$.text})",
        "-(numbers#$i.{'i': $i, 't': $$.text})",
        "items.(t & $$.text)",
        "-append(items, items)",
        "[**, **] ? 1 : 2",
    ]
    program = (
        "import json, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "from workflow_runtime.core.errors import ExpressionFailure\n"
        "from workflow_runtime.core.expressions import compile_expression\n"
        "task = json.load(sys.stdin)\n"
        "for text in task['texts']:\n"
        "    try:\n"
        "        compile_expression(text).evaluate(task['context'], now_iso='')\n"
        "    except ExpressionFailure:\n"
        "        pass\n"
    )
    task = json.dumps({"texts": texts, "context": CONTEXT})
    done = in_a_process(program, task)
    assert (done.returncode, done.stderr) == (0, "")


def work(text: str, context: Any) -> int:
    return compile_expression(text).work(context)


def test_the_work_of_an_expression_follows_what_it_reads() -> None:
    small, large = {"a": 1, "n": list(range(10))}, {"a": 1, "n": list(range(10_000))}
    assert work("a + 1", large) == work("a + 1", small) < 10
    assert work("n[$ > 3]", large) > 900 * work("a", large)
    assert work("n[$ in $$.n]", large) > 10 * work("n[$ > 3]", large)
    assert work("items.z", CONTEXT) > work("items.k", CONTEXT)


def test_a_range_in_the_text_is_work() -> None:
    assert work("[1..20000].($ * 2)", {}) >= 20_000
