"""Visiting the steps of a definition."""

from tests.unit.core.builders import definition, expr, node, state, step

from workflow_runtime.core.definition import called_actions, iter_expressions, iter_secrets, walk_steps


def test_steps_are_visited_in_order_with_their_paths() -> None:
    parsed = definition(
        step(
            "control.if",
            "a",
            condition=expr("true"),
            then=[state("b")],
            **{"else": [step("control.forEach", "c", items=expr("[]"), itemVar="i", body=[state("d")])]},
        ),
        step("control.tryCatch", "e", **{"try": [state("f")], "catch": [state("g")]}, captureErrorAs="why"),
    )
    assert [(placed.step.id, placed.path) for placed in walk_steps(parsed)] == [
        ("a", "root.steps[0]"),
        ("b", "root.steps[0].then.steps[0]"),
        ("c", "root.steps[0].else.steps[0]"),
        ("d", "root.steps[0].else.steps[0].body.steps[0]"),
        ("e", "root.steps[1]"),
        ("f", "root.steps[1].try.steps[0]"),
        ("g", "root.steps[1].catch.steps[0]"),
    ]


def test_a_step_knows_the_names_its_blocks_define() -> None:
    inner = step("control.tryCatch", "t", **{"try": [state("a")], "catch": [state("b")]}, captureErrorAs="why")
    loop = step("control.forEach", "l", items=expr("[]"), itemVar="line", body=[inner])
    names = {placed.step.id: placed.local_names for placed in walk_steps(definition(loop))}
    assert names == {"l": (), "t": ("line",), "a": ("line",), "b": ("line", "why")}


def test_called_actions_are_sorted_and_told_once() -> None:
    call = {"actionId": "b.x", "version": 2}
    parsed = definition(
        node("action.call", "1", **call),
        node("action.call", "2", **call),
        node("action.call", "3", actionId="a.y", version=1),
    )
    assert called_actions(parsed) == (("a.y", 1), ("b.x", 2))


def test_references_are_found_at_any_depth() -> None:
    value = {"a": [{"b": expr("x")}, {"$secret": "K"}], "c": expr("y"), "d": 1}
    assert list(iter_expressions(value)) == [("a[0].b", "x"), ("c", "y")]
    assert list(iter_secrets(value)) == [("a[1]", "K")]
