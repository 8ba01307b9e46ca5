"""Checks of ``action.call`` steps. Private to ``core.validation``."""

from typing import Any

from workflow_runtime.core.actions import ActionSpec, action_key, check_schema, effective_input
from workflow_runtime.core.actions.inputs import AI_INFER, COMPOSE_TEXT
from workflow_runtime.core.definition import ActionCallConfig
from workflow_runtime.core.didyoumean import did_you_mean
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.findings import FindingCode
from workflow_runtime.core.validation._mapping import Source, check_mapping
from workflow_runtime.core.validation._report import Place
from workflow_runtime.core.validation._values import SecretRule, check_value, check_values
from workflow_runtime.core.validation.environment import Environment


def check_action(place: Place, config: ActionCallConfig, environment: Environment, source: Source | None) -> None:
    """The action exists and its input can fit its schema."""
    check_value(place, "idempotencyKey", config.idempotency_key, secrets=SecretRule(environment.secrets, allowed=False))
    _check_options(place, config)
    given = _input(place, config)
    if given is None:
        return
    check_values(place, "inputMapping", given, secrets=SecretRule(environment.secrets, allowed=True))
    spec = environment.actions.get(action_key(config.action_id, config.version))
    if spec is None:
        _unknown(place, config, environment)
        return
    check_mapping(place, "inputMapping", given, spec.input_schema, source)
    _check_output_schema(place, spec, given)


def _input(place: Place, config: ActionCallConfig) -> dict[str, Any] | None:
    try:
        return effective_input(config)
    except ValidationFailure as failure:
        place.error(FindingCode.INVALID_CONFIG, failure.message)
        return None


def _check_options(place: Place, config: ActionCallConfig) -> None:
    written = config.model_fields_set
    older = {"ai_output_schema", "ai_output_schema_text", "ai_output_schema_mode"} & written
    if "outputs" in written and config.action_id != COMPOSE_TEXT:
        place.error(FindingCode.UNSUPPORTED_OPTION, f"outputs belongs to {COMPOSE_TEXT} only; remove it.")
    if older and config.action_id != AI_INFER:
        place.error(FindingCode.UNSUPPORTED_OPTION, f"aiOutputSchema belongs to {AI_INFER} only; remove it.")
    for name, field in (("outputs", "outputs"), ("outputSchema", "ai_output_schema")):
        if name in config.input_mapping and field in written:
            place.error(FindingCode.INVALID_CONFIG, f"{name} is given twice, in the config and in inputMapping.")


def _check_output_schema(place: Place, spec: ActionSpec, given: dict[str, Any]) -> None:
    if spec.id == AI_INFER and isinstance(given.get("outputSchema"), dict):
        for problem in check_schema(given["outputSchema"]):
            place.error(FindingCode.INVALID_CONFIG, f"outputSchema: {problem}")


def _unknown(place: Place, config: ActionCallConfig, environment: Environment) -> None:
    versions = sorted(spec.version for spec in environment.actions.values() if spec.id == config.action_id)
    if versions:
        found = ", ".join(str(version) for version in versions)
        hint = f"{config.action_id} exists in version {found}."
    else:
        hint = did_you_mean(config.action_id, {spec.id for spec in environment.actions.values()}) or ""
    place.error(
        FindingCode.UNKNOWN_ACTION,
        f"There is no action {config.action_id!r} in version {config.version}; register it or correct the name.",
        hint or None,
    )
