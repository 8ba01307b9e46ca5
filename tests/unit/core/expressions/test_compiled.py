"""Compiling and evaluating: what authors are told, and what callers may rely on."""

import threading
from typing import Any

import pytest

from workflow_runtime.core.definition import Expr
from workflow_runtime.core.errors import Category, ExpressionFailure
from workflow_runtime.core.expressions import compile_expression, resolve_value

NOW = "2026-05-04T03:02:01.000Z"


def failure_of(text: str, context: dict[str, Any] | None = None) -> ExpressionFailure:
    with pytest.raises(ExpressionFailure) as caught:
        compile_expression(text).evaluate(context or {}, now_iso=NOW)
    return caught.value


def test_a_refused_function_is_named_with_those_that_exist() -> None:
    failure = failure_of("lenn(x)")
    assert failure.message == (
        'The function lenn is not available; these are: append, coalesce, len, nowIso, toString. Did you mean "len"?'
    )
    assert failure.category is Category.EXPRESSION


def test_a_bare_function_after_a_dot_is_told_how_to_write_it() -> None:
    assert "$len" in failure_of("payload.items.len(sku)").message


def test_a_missing_result_is_told_the_way_out() -> None:
    assert "coalesce" in failure_of("payload.x").message


def test_a_failure_names_the_expression_among_the_others_of_its_step() -> None:
    assert failure_of("payload.\n  nothing", {"payload": {}}).message.startswith("The expression payload. nothing gave")
    shown = failure_of(f"{'a' * 100}.b", {}).message
    assert f"{'a' * 80}... gave no value" in shown


@pytest.mark.parametrize("text", ["1/0", "0/0", "5%0", "[-1/0]", '{"a": 0/0}', "1e308 * 10"])
def test_a_division_by_zero_says_so(text: str) -> None:
    found = failure_of(text, {})
    assert found.code in ("EVALUATION_FAILED", "NOT_JSON")
    assert f"The expression {text} divides by zero" in found.message
    assert "null" not in found.message


@pytest.mark.parametrize(
    ("text", "position"),
    [("a b", 3), ("a == b c", 8), ("len(a) + len(b) )", 17), ("/* c */ a b", 11), ("a == 1 == (", 11)],
)
def test_positions_are_those_of_the_authors_text(text: str, position: int) -> None:
    assert failure_of(text).details["position"] == position


def test_a_failed_evaluation_says_where_and_why() -> None:
    failure = failure_of("len(a) + b.c", {"a": [1], "b": {"c": "x"}})
    assert failure.code == "EVALUATION_FAILED"
    assert failure.details == {"jsonataCode": "T2002", "position": 8}


def test_the_context_is_never_changed() -> None:
    context = {"items": [{"a": [3, 1, 2]}], "n": None}
    compile_expression("items.a^($)").evaluate(context, now_iso=NOW)
    compile_expression("append(items, n)").evaluate(context, now_iso=NOW)
    assert context == {"items": [{"a": [3, 1, 2]}], "n": None}


def test_a_compiled_expression_is_kept() -> None:
    assert compile_expression("a + 1") is compile_expression("a + 1")


def test_refusals_are_repeated_and_not_kept_as_results() -> None:
    assert {failure_of("$now()").code for _ in range(2)} == {"FUNCTION_NOT_ALLOWED"}


def test_threads_may_compile_and_evaluate_together() -> None:
    found: list[Any] = []

    def work(number: int) -> None:
        found.extend(
            compile_expression(f"len(items) + {number + step}").evaluate({"items": [1, 2]}, now_iso=NOW)
            for step in range(50)
        )

    threads = [threading.Thread(target=work, args=(number * 100,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(2 + number * 100 + step for number in range(4) for step in range(50))


def test_values_are_resolved_at_any_depth_and_secrets_stay() -> None:
    value = {"a": [{"$expr": "n + 1"}, {"b": {"$secret": "KEY"}}], "c": (1, "x", None), "d": {"$expr": "nowIso()"}}
    assert resolve_value(value, {"n": 1}, NOW) == {"a": [2, {"b": {"$secret": "KEY"}}], "c": [1, "x", None], "d": NOW}


def test_what_an_expression_gives_is_data_and_not_resolved_again() -> None:
    assert resolve_value({"$expr": "x"}, {"x": {"$expr": "1 + 1"}}, NOW) == {"$expr": "1 + 1"}


def test_an_expression_model_is_resolved_too() -> None:
    assert resolve_value(Expr.model_validate({"$expr": "1 + 1"}), {}, NOW) == 2


@pytest.mark.parametrize("value", [1, "x", None, True, [], {}, 1.5])
def test_literals_stay(value: Any) -> None:
    assert resolve_value(value, {}, NOW) == value


def test_an_expression_that_is_no_text_is_failure_of() -> None:
    with pytest.raises(ExpressionFailure):
        resolve_value({"$expr": 5}, {}, NOW)
