"""Compile and evaluate expressions. Pure; importable anywhere, workflow code included.

The rules are those of RUNTIME.md section 4. Every way in which a text can be refused or an evaluation can end is an
``ExpressionFailure`` with one of these codes:

====================== ====================================================================
EMPTY_EXPRESSION       nothing but white space
TOO_LONG, TOO_DEEP     beyond 16,384 characters, or nested or chained beyond what is parsed
SYNTAX_ERROR           not JSONata
FUNCTION_NOT_ALLOWED   a call to anything but the five functions
CONSTRUCT_NOT_ALLOWED  a lambda, computed or partial call, transform or regular expression
UNKNOWN_VARIABLE       a ``$name`` that the expression itself does not bind
MISSING_RESULT         the result is undefined
NOT_JSON               the result holds NaN, or the context is not JSON
RESULT_TOO_LARGE       the result is larger than 256 KiB of JSON
BUDGET_EXCEEDED        too many steps, too deep, too long an array or text on the way
EVALUATION_FAILED      any other error, with ``details`` ``{jsonataCode, position}``
====================== ====================================================================
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import jlens

from workflow_runtime.core.canonical import Json
from workflow_runtime.core.errors import ExpressionFailure
from workflow_runtime.core.expressions._check import check
from workflow_runtime.core.expressions._engine import (
    BUDGET_CODES,
    MAX_RESULT_BYTES,
    NoNumberError,
    NoValueError,
    Program,
    compile_text,
)
from workflow_runtime.core.expressions._scan import Scanned, scan

_CACHE_SIZE: Final = 2048
_MESSAGE_LENGTH: Final = 200
_SOURCE_LENGTH: Final = 80
_OUT_OF_RANGE: Final = "D1001"


class CompiledExpression:
    """An expression that passed every check at compile time. Made by ``compile_expression`` only; immutable."""

    __slots__ = ("_program", "_scanned", "source")

    def __init__(self, source: str, scanned: Scanned, program: Program) -> None:
        self.source = source
        self._scanned = scanned
        self._program = program

    def evaluate(self, context: Mapping[str, Any], *, now_iso: str) -> Json:
        """The value of the expression; null is a value, a missing result is a failure.

        ``context`` maps bare names to plain JSON data; it is read where the expression reaches, never copied whole.
        ``now_iso`` is what ``nowIso()`` answers. Raises ``ExpressionFailure``.
        """
        try:
            return self._program.run(context, now_iso)
        except jlens.JlensError as error:
            raise self._failure(error) from error
        except NoValueError:
            raise ExpressionFailure(
                f"The expression {self._shown} gave no value: a name in it is missing. "
                "Wrap it in coalesce to give a default.",
                code="MISSING_RESULT",
            ) from None
        except NoNumberError:
            raise ExpressionFailure(f"The expression {self._shown} divides by zero.", code="NOT_JSON") from None
        except (ValueError, OverflowError, TypeError) as error:
            raise ExpressionFailure(f"The context is not JSON: {error}.", code="NOT_JSON") from error

    def work(self, context: Mapping[str, Any]) -> int:
        """About how many values an evaluation looks at, from the sizes of what it reads: never from a clock."""
        return self._program.work(context)

    def reads(self) -> Mapping[str, Any] | None:
        """The bare names it reads: each with the names read below it, or True for everything; None for any name.

        A name on an item of something that was read stands below that thing, so every name here is read of the context.
        """
        found = self._program.reads
        return found if isinstance(found, Mapping) else None

    @property
    def _shown(self) -> str:
        """The source as a message names it: which one of a step's expressions it was."""
        line = " ".join(self.source.split())
        return line if len(line) <= _SOURCE_LENGTH else f"{line[:_SOURCE_LENGTH]}..."

    def _failure(self, error: jlens.JlensError) -> ExpressionFailure:
        if error.code in BUDGET_CODES:
            return _limit_failure(str(error))
        if error.code == "U1004":
            return ExpressionFailure(f"The context is not JSON: {error}.", code="NOT_JSON")
        failure = _engine_failure("EVALUATION_FAILED", error, self._scanned, self._program.offset)
        if error.code != _OUT_OF_RANGE:
            return failure
        # The engine names infinity, which is no JSON, as null.
        message = f"The expression {self._shown} divides by zero or gives a number larger than a double can be."
        return ExpressionFailure(message, code=failure.code, details=failure.details)


@lru_cache(maxsize=_CACHE_SIZE)
def compile_expression(source: str) -> CompiledExpression:
    """The expression ready to evaluate, from a cache when it was compiled before.

    Raises ``ExpressionFailure`` when the text is empty, too long, malformed, or uses what is not allowed.
    """
    if not source.strip():
        raise ExpressionFailure("The expression is empty; write one or give a literal.", code="EMPTY_EXPRESSION")
    scanned = scan(source)
    try:
        compile_text(scanned.text)
        program = Program(scanned.text, check(scanned.text))
    except jlens.JlensError as error:
        raise _engine_failure("SYNTAX_ERROR", error, scanned, 0) from error
    except UnicodeEncodeError as error:
        raise ExpressionFailure("The expression holds half of a surrogate pair.", code="SYNTAX_ERROR") from error
    return CompiledExpression(source, scanned, program)


def _engine_failure(code: str, error: jlens.JlensError, scanned: Scanned, offset: int) -> ExpressionFailure:
    place = error.position if error.position is not None else error.start
    position = None if place is None or place < offset else scanned.original(place - offset)
    details = {"jsonataCode": error.code, "position": position}
    where = "" if position is None else f" (at character {position})"
    return ExpressionFailure(f"{_short(error)}{where}.", code=code, details=details)


def _short(error: jlens.JlensError) -> str:
    """The engine's message, which may hold a whole value, cut to a line."""
    text = str(error).rstrip(".")
    return text if len(text) <= _MESSAGE_LENGTH else f"{text[:_MESSAGE_LENGTH]}..."


def _limit_failure(message: str) -> ExpressionFailure:
    if message.startswith("The result"):
        return ExpressionFailure(
            f"The result is larger than {MAX_RESULT_BYTES // 1024} KiB of JSON; select what the next steps need.",
            code="RESULT_TOO_LARGE",
        )
    return ExpressionFailure(
        f"The expression needs more than its budget ({message}); loop over the items with control.forEach instead.",
        code="BUDGET_EXCEEDED",
    )
