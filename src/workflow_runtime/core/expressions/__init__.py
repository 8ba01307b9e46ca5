"""Expressions: JSONata with five functions, behind one adapter. Pure; importable anywhere, workflow code included."""

from workflow_runtime.core.expressions._engine import MAX_RESULT_BYTES
from workflow_runtime.core.expressions._functions import ALLOWED_FUNCTIONS
from workflow_runtime.core.expressions._scan import MAX_LENGTH
from workflow_runtime.core.expressions.compiled import CompiledExpression, compile_expression
from workflow_runtime.core.expressions.resolve import Effort, resolve_value

__all__ = [
    "ALLOWED_FUNCTIONS",
    "MAX_LENGTH",
    "MAX_RESULT_BYTES",
    "CompiledExpression",
    "Effort",
    "compile_expression",
    "resolve_value",
]
