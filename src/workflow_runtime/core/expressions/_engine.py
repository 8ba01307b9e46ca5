"""Evaluates checked expressions with jlens inside a fixed budget. Private to ``core.expressions``.

The budget counts evaluation steps, nesting, array items and text bytes: the same expression on the same values always
ends the same way, on any machine. It never looks at a clock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import jlens

from workflow_runtime.core.canonical import Json
from workflow_runtime.core.expressions._check import Shape
from workflow_runtime.core.expressions._cost import is_local, narrowed, step_limit, work
from workflow_runtime.core.expressions._functions import NOW_VARIABLE, prelude

MAX_RESULT_BYTES: Final = 256 * 1024
"""Size of a result as compact JSON in UTF-8."""

_WRAPPER_BYTES: Final = len('{"r":}')
_MAX_DEPTH: Final = 700
_FIXED_TIME: Final = 0


@dataclass(frozen=True, slots=True)
class _Budget:
    steps: int
    items: int
    text_bytes: int


# Worst memory is steps times the largest value a step can build, so a budget for texts that build values is wide in one
# of them only. All are tried, from many small values to a few large ones.
_MANY_SMALL: Final = _Budget(steps=60_000, items=2_000, text_bytes=8 * 1024)
_SOME_MEDIUM: Final = _Budget(steps=30_000, items=5_000, text_bytes=32 * 1024)
_FEW_LARGE: Final = _Budget(steps=6_000, items=20_000, text_bytes=MAX_RESULT_BYTES)
_BUILDING: Final = (_MANY_SMALL, _SOME_MEDIUM, _FEW_LARGE)
_READ_ONLY: Final = (_Budget(steps=400_000, items=100_000, text_bytes=MAX_RESULT_BYTES),)
BUDGET_CODES: Final = frozenset({"U1001", "U1006", "D1011"})
"""Limits of the engine: size of an array, text or result; steps; depth."""


class NoValueError(Exception):
    """The result is undefined."""


class NoNumberError(Exception):
    """The result holds NaN."""


class Program:
    """A compiled expression, ready to run against any context, from any thread."""

    def __init__(self, text: str, shape: Shape) -> None:
        # The bare text must compile on its own: only then is it one expression which the wrapper cannot break apart.
        compile_text(text)
        head = prelude(shape.arities)
        self.offset = len(f'({head}{{"r":(')
        self._main = compile_text(f'({head}{{"r":({text}\n)}})')
        self._nan = compile_text(f'({head}$_w:={{"r":({text}\n)}};$count($_w.**[$!=$])>0)') if shape.divides else None
        self._builds = shape.builds
        self._reach = shape.reach
        self.reads: Any = self._main.reads().get("input", {})

    def work(self, context: Mapping[str, Any]) -> int:
        """About how many values ``run`` will look at."""
        return work(self._reach, self.reads, context)

    def run(self, context: Mapping[str, Any], now_iso: str) -> Json:
        """The result, or ``jlens.JlensError``, ``NoValueError`` or ``NoNumberError``."""
        evaluate = self._evaluator(context, now_iso)
        result = evaluate(self._main)
        if "r" not in result:
            raise NoValueError
        value: Json = result["r"]
        # The engine shows NaN as null, so only a result with a null in it can hide one.
        if self._nan is not None and _holds_null(value) and evaluate(self._nan):
            raise NoNumberError
        return value

    def _evaluator(self, context: Mapping[str, Any], now_iso: str) -> Callable[[jlens.Expression], Any]:
        """The way to evaluate that fits what the expression can do to this context."""
        bindings = {NOW_VARIABLE: now_iso}
        limit = step_limit(self._reach, self.reads, context)
        if is_local(self._reach):
            budgets = _BUILDING if self._builds else _READ_ONLY
            return lambda program: _climb(partial(program.evaluate, context, bindings), budgets, limit)
        # Values are copied whenever they are read out of Python data: what is read again and again is converted once.
        document = jlens.Document(narrowed(context, self.reads))
        # A loop that reads far values touches as much of them as an array may hold, at every step.
        budgets = _BUILDING if self._builds or self._reach.collects or self._reach.roams else _READ_ONLY
        return lambda program: _climb(partial(program.evaluate_document, document, bindings), budgets, limit)


def compile_text(text: str) -> jlens.Expression:
    """Raises ``jlens.JlensError`` for a syntax error."""
    return jlens.Expression(text)


def _climb(evaluate: Callable[..., Any], budgets: tuple[_Budget, ...], ceiling: int | None) -> Any:
    """The result within the first budget that suffices; the error of the last one otherwise."""
    for budget in budgets[:-1]:
        try:
            return _within(evaluate, budget, ceiling)
        except jlens.JlensError as error:
            if error.code not in BUDGET_CODES:
                raise
    return _within(evaluate, budgets[-1], ceiling)


def _within(evaluate: Callable[..., Any], budget: _Budget, ceiling: int | None) -> Any:
    return evaluate(
        max_depth=_MAX_DEPTH,
        max_steps=budget.steps if ceiling is None else min(budget.steps, ceiling),
        max_array_length=budget.items,
        max_string_length=budget.text_bytes,
        max_result_size=MAX_RESULT_BYTES + _WRAPPER_BYTES,
        # No allowed function reads a clock or a random number; pinned all the same.
        now=_FIXED_TIME,
        seed=0,
    )


def _holds_null(value: Json) -> bool:
    todo = [value]
    while todo:
        item = todo.pop()
        if item is None:
            return True
        if isinstance(item, dict):
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return False
