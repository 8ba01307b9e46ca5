"""The bundle format: workflows as one JSON text that can be exported, imported and compared. Pure; importable anywhere.

Source: RUNTIME.md section 10. The text is canonical (sorted keys, two-space indent, final newline, workflows sorted by
key), so that exporting what was imported gives the same bytes. Dependencies are recomputed, never believed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, ValidationError

from workflow_runtime.core.canonical import EXACT_INTEGER, MAX_JSON_DEPTH, canonical_json, pretty_json
from workflow_runtime.core.definition import (
    Definition,
    EventTrigger,
    Version,
    called_actions,
    parse_definition,
    walk_steps,
)
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.strict_json import read_json
from workflow_runtime.core.wire import WireModel

FORMAT: Final = "alga-psa.workflow-bundle"
FORMAT_VERSION: Final = 1


class BundleCode(StrEnum):
    """Why a bundle is refused."""

    INVALID_BUNDLE = "INVALID_BUNDLE"
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"
    UNSUPPORTED_FORMAT_VERSION = "UNSUPPORTED_FORMAT_VERSION"
    SCHEMA_VALIDATION_FAILED = "SCHEMA_VALIDATION_FAILED"
    WORKFLOW_KEY_CONFLICT = "WORKFLOW_KEY_CONFLICT"
    MISSING_DEPENDENCIES = "MISSING_DEPENDENCIES"


def _instant(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("needs an ISO 8601 instant such as 2026-03-31T09:00:00.000Z") from None
    return text


type Instant = Annotated[str, AfterValidator(_instant)]
type Count = Annotated[int, Field(ge=1, lt=EXACT_INTEGER)]


class BundleMetadata(WireModel):
    """Settings of a workflow that belong to no version. Rates are 0 to 1, the retention is in days.

    ``trigger`` stands here as it was written; the definitions hold the one that counts.
    """

    name: str
    description: str | None
    payload_schema_ref: str
    payload_schema_mode: Literal["inferred", "pinned"] | None
    pinned_payload_schema_ref: str | None
    trigger: dict[str, Any] | None
    is_system: bool
    is_visible: bool
    is_paused: bool
    concurrency_limit: Count | None
    auto_pause_on_failure: bool
    failure_rate_threshold: Annotated[int | float, Field(ge=0, le=1)] | None
    failure_rate_min_runs: Count | None
    retention_policy_override: Any


class ActionDependency(WireModel):
    """An action that some version calls."""

    action_id: str
    version: int


class BundleDependencies(WireModel):
    """What the definitions need from where they are imported; each list is sorted and free of repetitions."""

    actions: tuple[ActionDependency, ...]
    node_types: tuple[str, ...]
    schema_refs: tuple[str, ...]


class BundleDraft(WireModel):
    """The draft, valid or not."""

    draft_version: Count
    definition: dict[str, Any]


class BundleVersion(WireModel):
    """One published version and the payload schema it was published with."""

    version: Version
    definition: dict[str, Any]
    payload_schema_json: Any


class BundleWorkflow(WireModel):
    """One workflow with its draft and all its versions."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    metadata: BundleMetadata
    dependencies: BundleDependencies
    draft: BundleDraft
    published_versions: tuple[BundleVersion, ...]


class Bundle(WireModel):
    """A whole bundle; ``exported_at`` is ISO 8601 UTC."""

    format: Literal["alga-psa.workflow-bundle"] = FORMAT
    format_version: Literal[1] = FORMAT_VERSION
    exported_at: Instant
    workflows: tuple[BundleWorkflow, ...]


class BundleError(ValidationFailure):
    """A bundle that cannot be imported; ``details`` is ``{"problems": [...]}``."""

    def __init__(self, code: BundleCode, message: str, problems: Iterable[str] = ()) -> None:
        found = list(problems)
        super().__init__(message, code=code.value, details={"problems": found} if found else None)


def parse_bundle(text: str | bytes) -> Bundle:
    """The bundle in a JSON text, in canonical order, with its dependencies recomputed.

    Raises ``BundleError``: INVALID_BUNDLE when it is no JSON or not of this shape, UNSUPPORTED_FORMAT,
    UNSUPPORTED_FORMAT_VERSION, SCHEMA_VALIDATION_FAILED when a published definition does not read, and
    WORKFLOW_KEY_CONFLICT when two workflows share a key. Drafts may be invalid.
    """
    data = _decode(text)
    _check_format(data)
    try:
        bundle = Bundle.model_validate_json(canonical_json(data))
    except ValidationError as error:
        raise BundleError(BundleCode.INVALID_BUNDLE, "The bundle has the wrong shape.", _shape(error)) from error
    _check_keys(bundle)
    _check_definitions(bundle)
    return _ordered(bundle)


def bundle_text(bundle: Bundle) -> str:
    """The canonical text of a bundle, the same for the same content."""
    return pretty_json(_ordered(bundle).model_dump(mode="json", by_alias=True, exclude_unset=False))


def dependencies_of(definitions: Iterable[Mapping[str, Any]]) -> BundleDependencies:
    """What these definitions need, as far as they read; those that do not read add nothing."""
    actions: set[tuple[str, int]] = set()
    types: set[str] = set()
    refs: set[str] = set()
    for data in definitions:
        definition, _ = parse_definition(data)
        if definition is not None:
            actions |= set(called_actions(definition))
            types |= {placed.step.type for placed in walk_steps(definition)}
            refs |= _schema_refs(definition)
    return BundleDependencies(
        actions=tuple(ActionDependency(action_id=id_, version=version) for id_, version in sorted(actions)),
        node_types=tuple(sorted(types)),
        schema_refs=tuple(sorted(refs)),
    )


def missing_dependencies(bundle: Bundle, actions: Iterable[tuple[str, int]], refs: Iterable[str]) -> list[str]:
    """What the published versions need and the importer lacks; schemas that come with a version are not lacking.

    The caller raises ``BundleError`` (MISSING_DEPENDENCIES) with it.
    """
    known_actions, known_refs = set(actions), set(refs)
    missing: list[str] = []
    for workflow in bundle.workflows:
        brought = {
            str(version.definition.get("payloadSchemaRef"))
            for version in workflow.published_versions
            if version.payload_schema_json is not None
        }
        needed = dependencies_of(version.definition for version in workflow.published_versions)
        missing += [
            f"{workflow.key}: action {action.action_id}@{action.version}"
            for action in needed.actions
            if (action.action_id, action.version) not in known_actions
        ]
        missing += [
            f"{workflow.key}: payload schema {ref}" for ref in needed.schema_refs if ref not in known_refs | brought
        ]
    return missing


def _decode(text: str | bytes) -> dict[str, Any]:
    try:
        data = read_json(text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))
        canonical_json(data)
    except ValidationFailure as failure:
        reason = failure.message.rstrip(".")
        raise BundleError(
            BundleCode.INVALID_BUNDLE, f"The bundle is not strict JSON of at most {MAX_JSON_DEPTH} levels: {reason}."
        ) from failure
    if not isinstance(data, dict):
        raise BundleError(BundleCode.INVALID_BUNDLE, "The bundle is no JSON object.")
    return data


def _check_format(data: Mapping[str, Any]) -> None:
    if data.get("format") != FORMAT:
        raise BundleError(
            BundleCode.UNSUPPORTED_FORMAT, f"The format is {data.get('format')!r}, only {FORMAT!r} can be imported."
        )
    version = data.get("formatVersion")
    if isinstance(version, bool) or version != FORMAT_VERSION:
        raise BundleError(
            BundleCode.UNSUPPORTED_FORMAT_VERSION,
            f"The format version is {version!r}, only {FORMAT_VERSION} can be imported.",
        )


def _check_keys(bundle: Bundle) -> None:
    counted = Counter(workflow.key for workflow in bundle.workflows)
    twice = sorted(key for key, times in counted.items() if times > 1)
    if twice:
        raise BundleError(BundleCode.WORKFLOW_KEY_CONFLICT, "Several workflows of the bundle have the same key.", twice)


def _check_definitions(bundle: Bundle) -> None:
    problems: list[str] = []
    for workflow in bundle.workflows:
        versions = [version.version for version in workflow.published_versions]
        if len(set(versions)) != len(versions):
            problems.append(f"{workflow.key}: a version is there twice")
        for version in workflow.published_versions:
            _, findings = parse_definition(version.definition)
            problems += [
                f"{workflow.key} version {version.version}: {finding.step_path}: {finding.message}"
                for finding in findings
            ]
    if problems:
        raise BundleError(
            BundleCode.SCHEMA_VALIDATION_FAILED, "The bundle holds definitions that do not read.", problems
        )


def _ordered(bundle: Bundle) -> Bundle:
    """Workflows by key, versions by number, dependencies recomputed."""
    workflows = sorted(bundle.workflows, key=lambda workflow: workflow.key)
    return bundle.model_copy(update={"workflows": tuple(_ordered_workflow(workflow) for workflow in workflows)})


def _ordered_workflow(workflow: BundleWorkflow) -> BundleWorkflow:
    versions = tuple(sorted(workflow.published_versions, key=lambda version: version.version))
    needs = dependencies_of((workflow.draft.definition, *(version.definition for version in versions)))
    return workflow.model_copy(update={"published_versions": versions, "dependencies": needs})


def _schema_refs(definition: Definition) -> set[str]:
    refs = {definition.payload_schema_ref}
    if isinstance(definition.trigger, EventTrigger) and definition.trigger.source_payload_schema_ref:
        refs.add(definition.trigger.source_payload_schema_ref)
    return refs


def _shape(error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}"
        for detail in error.errors(include_url=False, include_input=False, include_context=False)
    ]
