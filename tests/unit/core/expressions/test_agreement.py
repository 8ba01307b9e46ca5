"""Random expressions give the same in a second implementation of JSONata."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonata.jsonata import Jsonata

from workflow_runtime.core.errors import ExpressionFailure
from workflow_runtime.core.expressions import compile_expression

CONTEXT: dict[str, Any] = {
    "n": 3,
    "z": 0,
    "s": "text",
    "t": True,
    "nothing": None,
    "list": [3, 1, 2],
    "items": [{"k": "a", "v": 1}, {"k": "b", "v": 2}, {"k": "a", "v": 3}],
    "deep": {"a": {"b": [1, {"c": 2}]}},
}
LITERALS = ("1", "0", "2.5", '"a"', '""', "true", "false", "null", "[]")
NAMES = ("n", "s", "t", "nothing", "missing", "list", "items")
PATHS = ("items.k", "items.v", "deep.a.b", "deep.a.b.c", "items[0]", "list[-1]", "items[v > 1]", "items[k = 'a'].v")
LEAVES = st.sampled_from((*LITERALS, *NAMES, *PATHS))


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["=", "!=", "<", ">=", "+", "-", "*", "&", "and", "or"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, operators, inner),
        # The other implementation finds true where 1 stands, and an object where an equal one stands.
        st.builds("({} in [{}, n])".format, st.sampled_from(["s", '"a"', "missing"]), inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds('{{"x": {}, "y": {}}}'.format, inner, inner),
        st.builds('items.{{"k": k, "e": {}}}'.format, inner),
        st.builds("items.({})".format, inner),
        # The other implementation takes an error inside a predicate for false, so only what cannot fail stands there.
        st.builds("items[{} = v]".format, LEAVES),
        st.builds("($x := {}; [$x, {}])".format, inner, inner),
        st.builds("{}[0]".format, inner.map("({})".format)),
    )


def ours(text: str) -> tuple[str, Any]:
    try:
        return "value", compile_expression(text).evaluate(CONTEXT, now_iso="")
    except ExpressionFailure as failure:
        return ("value", None) if failure.code == "MISSING_RESULT" else ("failure", None)


def theirs(text: str) -> tuple[str, Any]:
    try:
        return "value", Jsonata(text).evaluate(CONTEXT)
    except Exception:
        return "failure", None


@settings(max_examples=400)
@given(st.recursive(LEAVES, combined, max_leaves=8))
def test_random_expressions_agree(text: str) -> None:
    assert json.dumps(ours(text), sort_keys=True) == json.dumps(theirs(text), sort_keys=True)
