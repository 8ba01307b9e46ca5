"""Shapes of the catalog. Private to the stores (exported by store.catalog); pure."""

from typing import Any, Literal

from pydantic import Field

from workflow_runtime.core.actions import ActionPin
from workflow_runtime.core.wire import WireModel
from workflow_runtime.store._rows import HashRow

WorkflowStatus = Literal["draft", "published", "archived"]


class WorkflowSettings(WireModel):
    """What may be changed of a workflow without publishing; names as in a bundle's metadata (RUNTIME.md section 10).

    With ``auto_pause_on_failure`` the workflow is paused when, of its latest runs that succeeded or failed (at most
    100, counted since its settings were changed last), at least ``failure_rate_min_runs`` (10 when null) are there and
    the share that failed reaches ``failure_rate_threshold`` (0.5 when null).
    """

    payload_schema_mode: Literal["inferred", "pinned"] | None = None
    pinned_payload_schema_ref: str | None = None
    is_system: bool = False
    is_visible: bool = True
    is_paused: bool = False
    concurrency_limit: int | None = Field(default=None, ge=1)
    auto_pause_on_failure: bool = False
    failure_rate_threshold: float | None = None
    failure_rate_min_runs: int | None = None
    retention_policy_override: Any = None


class WorkflowRow(HashRow, WorkflowSettings):
    """One workflow. ``name``, ``description`` and ``payload_schema_ref`` are those of the draft.

    ``key`` is its name in bundles, ``draft_version`` counts the saved drafts from 1 (0: there is none),
    ``latest_version`` is the one that triggers start, ``paused_reason`` says why it was paused by itself.
    """

    workflow_id: str
    tenant_id: str
    key: str | None = None
    name: str = ""
    description: str | None = None
    payload_schema_ref: str | None = None
    draft_version: int = 0
    latest_version: int | None = None
    created_at: str
    updated_at: str
    archived_at: str | None = None
    paused_reason: str | None = None

    @property
    def status(self) -> WorkflowStatus:
        """Archived wins; published as soon as there is a version."""
        if self.archived_at is not None:
            return "archived"
        return "published" if self.latest_version is not None else "draft"


class WorkflowPage(WireModel):
    """Workflows in order of id; ``next_cursor`` continues the list and is null at its end."""

    workflows: tuple[WorkflowRow, ...]
    next_cursor: str | None


class Draft(WireModel):
    """The definition under work; it may be invalid."""

    workflow_id: str
    draft_version: int
    definition: dict[str, Any]


class PublishedVersion(HashRow):
    """One immutable version.

    ``hash`` is the SHA-256 of the definition's canonical JSON, ``action_queues`` maps ``<actionId>@<version>`` to the
    task queue resolved at publishing, ``pinned_actions`` to what else was pinned of it (nothing in versions older than
    this field), ``payload_schema_json`` is the payload schema as it was then.
    """

    workflow_id: str
    version: int = Field(ge=1)
    definition: dict[str, Any]
    hash: str
    action_queues: dict[str, str]
    pinned_actions: dict[str, ActionPin] = Field(default_factory=dict)
    payload_schema_json: Any = None
    published_at: str


class TriggerTarget(WireModel):
    """A workflow's trigger, as published last."""

    workflow_id: str
    version: int
    definition_hash: str
    payload_schema_ref: str | None = None
    trigger: dict[str, Any]
