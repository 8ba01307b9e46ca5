"""Judges a bundle as far as it can be judged without looking at what is here already. Process code only.

An import is all or nothing, so whatever a store or Temporal would refuse half-way is found before anything is written.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from workflow_runtime.core.actions import check_schema
from workflow_runtime.core.bundle import Bundle, BundleCode, BundleError, BundleVersion, BundleWorkflow
from workflow_runtime.core.definition import FindingCode, parse_definition
from workflow_runtime.core.validation import Environment, id_problem, validate_for_publish
from workflow_runtime.store.errors import StoreError
from workflow_runtime.store.schemas import BUILTIN_SCHEMAS, schema_text
from workflow_server.environment import known_timezones

_ALWAYS_WRONG: Final = frozenset(
    {
        FindingCode.INVALID_WORKFLOW_DEFINITION,
        FindingCode.DUPLICATE_STEP_ID,
        FindingCode.INVALID_CONFIG,
        FindingCode.UNSUPPORTED_OPTION,
        FindingCode.EMPTY_EXPRESSION,
        FindingCode.INVALID_EXPRESSION,
        FindingCode.INVALID_ASSIGN_PATH,
        FindingCode.INVALID_SECRET_NAME,
        FindingCode.TIME_TRIGGER_RUN_AT_REQUIRED,
        FindingCode.TIME_TRIGGER_INVALID_RUN_AT,
        FindingCode.TIME_TRIGGER_INVALID_CRON,
        FindingCode.TIME_TRIGGER_INVALID_TIMEZONE,
    }
)
"""What forbids publishing wherever and whenever it is tried. A moment that has passed, an event or a secret that is not
here yet do not: a version may be older than that, and its runs say what they lack."""


def require_usable(bundle: Bundle) -> None:
    """Raise `BundleError` SCHEMA_VALIDATION_FAILED or WORKFLOW_KEY_CONFLICT, with every problem there is."""
    problems = [f"{item.key} {problem}" for item in bundle.workflows for problem in _problems(item)]
    if problems:
        raise BundleError(
            BundleCode.SCHEMA_VALIDATION_FAILED, "The bundle holds definitions that cannot be used.", problems
        )
    counted = Counter(workflow_id_of(item) for item in bundle.workflows)
    if twice := sorted(workflow_id for workflow_id, times in counted.items() if times > 1):
        raise BundleError(BundleCode.WORKFLOW_KEY_CONFLICT, "Several workflows of the bundle have the same id.", twice)


def workflow_id_of(item: BundleWorkflow) -> str:
    """The id under which a usable workflow is imported."""
    return str(item.draft.definition["id"])


def _problems(item: BundleWorkflow) -> Iterator[str]:
    workflow_id = item.draft.definition.get("id")
    # Whatever else a draft lacks its author can add, but not without an address.
    if not isinstance(workflow_id, str):
        yield "draft: the definition needs an id"
    elif problem := id_problem(workflow_id):
        yield f"draft: {problem}"
    for version in item.published_versions:
        if (version.definition.get("id"), version.definition.get("version")) != (workflow_id, version.version):
            yield f"version {version.version}: the definition has another id or version than what is around it"
        for problem in _version_problems(version):
            yield f"version {version.version}: {problem}"


def _version_problems(version: BundleVersion) -> Iterator[str]:
    definition, _ = parse_definition(version.definition)
    assert definition is not None, "parse_bundle has read it"
    for finding in validate_for_publish(definition, Environment(timezones=known_timezones())):
        if finding.code in _ALWAYS_WRONG:
            yield f"{finding.step_path}: {finding.message}"
    if version.payload_schema_json is not None:
        yield from _schema_problems(definition.payload_schema_ref, version.payload_schema_json)


def _schema_problems(ref: str, schema: object) -> Iterator[str]:
    try:
        if ref not in BUILTIN_SCHEMAS:
            schema_text(ref, schema)
    except StoreError as error:
        yield error.message
    for problem in check_schema(schema):
        yield f"payloadSchemaJson: {problem}"
