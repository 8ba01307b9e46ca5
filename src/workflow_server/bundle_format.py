"""The bundle document: its shape, reading it out of untrusted data, its canonical text, its dependencies. Pure.

Source: RUNTIME.md section 10. Compatible with bundles of the earlier runtime.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, JsonValue, ValidationError

from workflow_runtime.core._wire import WireModel
from workflow_runtime.core.canonical import pretty_json
from workflow_server.problems import ProblemError
from workflow_server.raw_definitions import raw_actions, raw_schema_refs, raw_types

FORMAT: Final = "alga-psa.workflow-bundle"
FORMAT_VERSION: Final = 1

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=200)]
RawDefinition = dict[str, JsonValue]


class Metadata(WireModel):
    """What a workflow is apart from its definition; the settings are those of ``store.catalog``."""

    name: str
    description: str | None = None
    payload_schema_ref: str | None = None
    payload_schema_mode: Literal["inferred", "pinned"] | None = None
    pinned_payload_schema_ref: str | None = None
    trigger: dict[str, JsonValue] | None = None
    is_system: bool = False
    is_visible: bool = True
    is_paused: bool = False
    concurrency_limit: int | None = Field(default=None, ge=1)
    auto_pause_on_failure: bool = False
    failure_rate_threshold: float | None = None
    failure_rate_min_runs: int | None = None
    retention_policy_override: JsonValue = None


class NeededAction(WireModel):
    """An action a workflow calls."""

    action_id: str
    version: int


class Dependencies(WireModel):
    """What an importing system must have. Recomputed on import and export, never trusted."""

    actions: tuple[NeededAction, ...] = ()
    node_types: tuple[str, ...] = ()
    schema_refs: tuple[str, ...] = ()


class BundledDraft(WireModel):
    """The definition under work; it may be invalid."""

    draft_version: int = Field(ge=1)
    definition: RawDefinition


class BundledVersion(WireModel):
    """A published version; ``payload_schema_json`` null means the importing system's schema of that ref."""

    version: int = Field(ge=1)
    definition: RawDefinition
    payload_schema_json: JsonValue = None


class BundledWorkflow(WireModel):
    """One workflow with its whole past."""

    key: Key
    metadata: Metadata
    dependencies: Dependencies = Dependencies()
    draft: BundledDraft
    published_versions: tuple[BundledVersion, ...] = ()

    def definitions(self) -> Iterator[RawDefinition]:
        """The draft's, then those of the versions."""
        yield self.draft.definition
        yield from (version.definition for version in self.published_versions)


class Bundle(WireModel):
    """A set of workflows, sorted by key."""

    format: Literal["alga-psa.workflow-bundle"] = FORMAT
    format_version: Literal[1] = 1
    exported_at: str
    workflows: tuple[BundledWorkflow, ...]


def bundle_text(bundle: Bundle) -> str:
    """The canonical text: sorted keys, two-space indent, final newline, workflows by key."""
    ordered = bundle.model_copy(update={"workflows": tuple(sorted(bundle.workflows, key=lambda item: item.key))})
    return pretty_json(ordered.model_dump(mode="json", by_alias=True))


def parse_bundle(data: Any) -> Bundle:
    """The bundle in ``data``.

    Raises `ProblemError` 422 with code INVALID_BUNDLE, UNSUPPORTED_FORMAT, UNSUPPORTED_FORMAT_VERSION or
    SCHEMA_VALIDATION_FAILED (with one finding per complaint).
    """
    if not isinstance(data, dict) or "format" not in data or "formatVersion" not in data:
        raise ProblemError(422, "INVALID_BUNDLE", "a bundle is an object with format, formatVersion and workflows")
    if data["format"] != FORMAT:
        raise ProblemError(422, "UNSUPPORTED_FORMAT", f"format is {data['format']!r}, this server reads {FORMAT!r}")
    if data["formatVersion"] != FORMAT_VERSION or isinstance(data["formatVersion"], bool):
        raise ProblemError(
            422,
            "UNSUPPORTED_FORMAT_VERSION",
            f"formatVersion is {data['formatVersion']!r}, this server reads {FORMAT_VERSION}",
        )
    try:
        # In JSON an array becomes a tuple; data from a parser holds lists, which strict models refuse.
        bundle = Bundle.model_validate_json(pretty_json(data))
    except ValidationError as error:
        raise schema_failure(_complaint(item) for item in error.errors(include_url=False)) from None
    _check_unique(item.key for item in bundle.workflows)
    return bundle


def schema_failure(findings: Iterable[Mapping[str, Any]]) -> ProblemError:
    """422 SCHEMA_VALIDATION_FAILED with its findings."""
    listed = list(findings)
    summary = "; ".join(f"{item['stepPath']}: {item['message']}" for item in listed[:5])
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    return ProblemError(422, "SCHEMA_VALIDATION_FAILED", f"{summary}{more}", findings=listed)


def dependencies_of(workflow: BundledWorkflow) -> Dependencies:
    """What the draft and the versions of ``workflow`` need, from the definitions themselves."""
    definitions = list(workflow.definitions())
    actions = sorted({called for definition in definitions for called in raw_actions(definition)})
    refs = {ref for definition in definitions for ref in raw_schema_refs(definition)}
    refs |= {ref for ref in (workflow.metadata.pinned_payload_schema_ref,) if ref}
    return Dependencies(
        actions=tuple(NeededAction(action_id=action_id, version=version) for action_id, version in actions),
        node_types=tuple(sorted({kind for definition in definitions for kind in raw_types(definition)})),
        schema_refs=tuple(sorted(refs)),
    )


def _check_unique(keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise ProblemError(422, "INVALID_BUNDLE", f"two workflows of the bundle have the key {key!r}; rename one")
        seen.add(key)


def _complaint(item: Any) -> dict[str, Any]:
    path = ".".join(str(part) for part in item["loc"])
    return {"severity": "error", "code": "SCHEMA_VALIDATION_FAILED", "stepPath": path, "message": item["msg"]}
