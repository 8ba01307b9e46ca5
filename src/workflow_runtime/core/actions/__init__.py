"""Actions as data: specs, schemas, keys, built-ins. Pure; importable anywhere, workflow code included."""

from workflow_runtime.core.actions.builtin import BUILTIN_SPECS
from workflow_runtime.core.actions.fit import misfit, unresolved_problems
from workflow_runtime.core.actions.inputs import effective_input
from workflow_runtime.core.actions.keys import idempotency_key, is_derived_key
from workflow_runtime.core.actions.pin import ActionPin, pin_action
from workflow_runtime.core.actions.schema import JsonCheck, check_schema, json_check, validate_json
from workflow_runtime.core.actions.spec import ActionSpec, action_key

__all__ = [
    "BUILTIN_SPECS",
    "ActionPin",
    "ActionSpec",
    "JsonCheck",
    "action_key",
    "check_schema",
    "effective_input",
    "idempotency_key",
    "is_derived_key",
    "json_check",
    "misfit",
    "pin_action",
    "unresolved_problems",
    "validate_json",
]
