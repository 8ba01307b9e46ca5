"""The catalog: drafts, immutable versions, settings and triggers of workflows. Processes and activities only.

Nothing here judges a definition: whoever publishes has validated it. What is kept is exactly what was given, and every
version is checked against its hash when it is read.
"""

import hashlib
import json
import re
from collections.abc import Awaitable, Mapping
from typing import Any, Final, cast

from redis.asyncio import Redis

from workflow_runtime.core.actions import ActionPin
from workflow_runtime.core.canonical import canonical_json
from workflow_runtime.store._catalog_keys import triggers_by_event_key, triggers_key
from workflow_runtime.store._catalog_rows import (
    Draft,
    PublishedVersion,
    TriggerTarget,
    WorkflowPage,
    WorkflowRow,
    WorkflowSettings,
    WorkflowStatus,
)
from workflow_runtime.store._indexes import in_order, members
from workflow_runtime.store._rows import dump, flat
from workflow_runtime.store._run_keys import workflow_key
from workflow_runtime.store.connection import Clock, iso, register_script, remember_tenant, tenant_key, utc_now
from workflow_runtime.store.errors import (
    ArchivedError,
    ConflictError,
    HashMismatchError,
    InvalidNameError,
    InvalidValueError,
    NotFoundError,
    RevisionMismatchError,
)

__all__ = [
    "Catalog",
    "Draft",
    "PublishedVersion",
    "TriggerTarget",
    "WorkflowPage",
    "WorkflowRow",
    "WorkflowSettings",
    "WorkflowStatus",
]

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")


class Catalog:
    """The workflows of all tenants."""

    def __init__(self, redis: Redis, *, clock: Clock = utc_now) -> None:
        self._redis = redis
        self._clock = clock
        self._save_draft = register_script(redis, "catalog_save_draft")
        self._publish = register_script(redis, "_triggers", "catalog_publish")
        self._archive = register_script(redis, "_triggers", "catalog_archive")
        self._set = register_script(redis, "catalog_set")
        self._triggers = register_script(redis, "_trigger_lookup", "catalog_triggers")

    # Drafts

    async def save_draft(
        self,
        tenant: str,
        workflow_id: str,
        definition: Mapping[str, Any],
        *,
        key: str | None = None,
        expected_draft_version: int | None = None,
        draft_version: int | None = None,
    ) -> WorkflowRow:
        """Keep ``definition``, valid or not, as the draft; the workflow exists from its first draft on.

        ``key`` names it in bundles; ``draft_version`` is set by imports, otherwise it counts up. Raises
        `RevisionMismatchError` when another draft than ``expected_draft_version`` is there (0: none),
        `ConflictError` WORKFLOW_KEY_CONFLICT when another workflow has the key.
        """
        _check_key(key)
        await remember_tenant(self._redis, tenant)
        head = [workflow_id, _text(expected_draft_version), _text(draft_version), dump(definition, "draft")]
        fields = flat(_described(tenant, workflow_id, definition))
        index, by_key = tenant_key(tenant, "workflows"), tenant_key(tenant, "workflow-keys")
        names = [workflow_key(tenant, workflow_id), _draft_key(tenant, workflow_id), index, by_key]
        outcome, found = await self._save_draft(names, [*head, iso(self._clock()), key or "", *fields])
        if outcome == "moved":
            raise RevisionMismatchError(f"draft of workflow {workflow_id!r}", expected_draft_version or 0, int(found))
        if outcome == "taken":
            raise ConflictError(
                f"key {key!r} belongs to workflow {found!r}; choose another key", code="WORKFLOW_KEY_CONFLICT"
            )
        return await self.get_workflow(tenant, workflow_id)

    async def get_draft(self, tenant: str, workflow_id: str) -> Draft | None:
        """The draft; null when there is none."""
        row = await self.find_workflow(tenant, workflow_id)
        text = await self._redis.get(_draft_key(tenant, workflow_id))
        if row is None or text is None:
            return None
        return Draft(workflow_id=workflow_id, draft_version=row.draft_version, definition=json.loads(text))

    # Versions

    async def publish(
        self,
        tenant: str,
        workflow_id: str,
        version: int,
        definition: Mapping[str, Any],
        *,
        action_queues: Mapping[str, str],
        pinned_actions: Mapping[str, ActionPin] | None = None,
        payload_schema: Any = None,
    ) -> PublishedVersion:
        """Keep ``definition`` as an immutable version; the highest version is the one whose trigger is live.

        Repeating it is harmless. Raises `ConflictError` VERSION_EXISTS when that version is another definition,
        `ArchivedError`, and core's ``ValidationFailure`` NOT_JSON.
        """
        text = canonical_json(definition)
        row = PublishedVersion(
            workflow_id=workflow_id,
            version=version,
            definition=json.loads(text),
            hash=_sha256(text),
            action_queues=dict(action_queues),
            pinned_actions=dict(pinned_actions or {}),
            payload_schema_json=payload_schema,
            published_at=iso(self._clock()),
        )
        await remember_tenant(self._redis, tenant)
        outcome, found = await self._publish(
            [*_trigger_keys(tenant, workflow_id), _version_key(tenant, workflow_id, version)],
            _publish_arguments(tenant, row, text),
        )
        if outcome == "archived":
            raise ArchivedError(workflow_id)
        if outcome == "different":
            raise ConflictError(
                f"workflow {workflow_id!r} version {version} is published with hash {found}, this definition has "
                f"{row.hash}; published versions never change: publish it as version {version + 1} or later",
                code="VERSION_EXISTS",
            )
        return row if outcome == "published" else await self.get_version(tenant, workflow_id, version)

    async def get_version(self, tenant: str, workflow_id: str, version: int | None = None) -> PublishedVersion:
        """A version, by default the latest. Raises `NotFoundError`, or `HashMismatchError` when it was changed."""
        if version is None:
            version = (await self.get_workflow(tenant, workflow_id)).latest_version or 0
        key = _version_key(tenant, workflow_id, version)
        raw = await cast(Awaitable[dict[str, str]], self._redis.hgetall(key))
        if not raw:
            what = f"version {version}" if version else "a published version"
            raise NotFoundError(f"{what} of workflow", workflow_id, tenant, "publish it first")
        actual = _sha256(raw["definition"])
        if actual != raw["hash"]:
            raise HashMismatchError(workflow_id, version, raw["hash"], actual)
        return PublishedVersion.from_hash(raw)

    async def list_versions(self, tenant: str, workflow_id: str) -> tuple[int, ...]:
        """Numbers of the published versions, rising."""
        return tuple(int(found) for found in await members(self._redis, _versions_key(tenant, workflow_id)))

    # Workflows

    async def find_workflow(self, tenant: str, workflow_id: str) -> WorkflowRow | None:
        """The workflow; null when there is none."""
        raw = await cast(Awaitable[dict[str, str]], self._redis.hgetall(workflow_key(tenant, workflow_id)))
        return WorkflowRow.from_hash(raw) if raw else None

    async def get_workflow(self, tenant: str, workflow_id: str) -> WorkflowRow:
        """The workflow. Raises `NotFoundError`."""
        row = await self.find_workflow(tenant, workflow_id)
        if row is None:
            raise _no_workflow(tenant, workflow_id)
        return row

    async def workflow_id_of_key(self, tenant: str, key: str) -> str | None:
        """The workflow that has this key in bundles."""
        return await cast(Awaitable[str | None], self._redis.hget(tenant_key(tenant, "workflow-keys"), key))

    async def list_workflows(self, tenant: str, *, limit: int = 100, cursor: str | None = None) -> WorkflowPage:
        """Workflows in order of id, archived ones included."""
        ids = await in_order(self._redis, tenant_key(tenant, "workflows"), limit=limit, cursor=cursor)
        pipe = self._redis.pipeline(transaction=False)
        for workflow_id in ids:
            pipe.hgetall(workflow_key(tenant, workflow_id))
        rows = tuple(WorkflowRow.from_hash(raw) for raw in await pipe.execute() if raw)
        return WorkflowPage(workflows=rows, next_cursor=ids[-1] if len(ids) == limit else None)

    async def save_settings(self, tenant: str, workflow_id: str, settings: WorkflowSettings) -> None:
        """Replace all settings. Raises `NotFoundError`. See `set_paused` for what has to follow."""
        await self._change(tenant, workflow_id, settings.model_dump(mode="json", by_alias=True))

    async def change_settings(self, tenant: str, workflow_id: str, changes: Mapping[str, Any]) -> None:
        """Change settings by their Python names and leave the others. Raises `NotFoundError`, pydantic's error."""
        given = WorkflowSettings(**changes)
        await self._change(tenant, workflow_id, given.model_dump(mode="json", by_alias=True, include=set(changes)))

    async def set_paused(self, tenant: str, workflow_id: str, paused: bool) -> None:
        """Let starts wait, or go on (then launch what `Runs.admit_waiting` answers). Raises `NotFoundError`."""
        await self._change(tenant, workflow_id, {"isPaused": paused})

    async def set_concurrency_limit(self, tenant: str, workflow_id: str, limit: int | None) -> None:
        """Allow at most ``limit`` runs at a time, null for any number; call `Runs.admit_waiting` after raising it."""
        if limit is not None and limit < 1:
            raise InvalidValueError(f"concurrency limit {limit} is below 1; to hold all starts pause the workflow")
        await self._change(tenant, workflow_id, {"concurrencyLimit": limit})

    async def _change(self, tenant: str, workflow_id: str, values: Mapping[str, Any]) -> None:
        # Failures are counted anew, and a person's word about pausing goes before that of the counter.
        cleared = ["recentOutcomes", *(["pausedReason"] if "isPaused" in values else [])]
        cleared += [name for name, value in values.items() if value is None]
        fields = WorkflowRow.encode(dict(values) | {"updatedAt": iso(self._clock())})
        if not await self._set([workflow_key(tenant, workflow_id)], [len(cleared), *cleared, *flat(fields)]):
            raise _no_workflow(tenant, workflow_id)

    async def archive(self, tenant: str, workflow_id: str) -> None:
        """Stop triggers, starts and versions; runs and waiting starts go on. Raises `NotFoundError`."""
        arguments = [workflow_id, iso(self._clock()), "archive"]
        if not await self._archive(_trigger_keys(tenant, workflow_id), arguments):
            raise _no_workflow(tenant, workflow_id)

    async def restore(self, tenant: str, workflow_id: str) -> None:
        """Undo `archive`. Raises `NotFoundError`."""
        row = await self.get_workflow(tenant, workflow_id)
        latest = None if row.latest_version is None else await self.get_version(tenant, workflow_id, row.latest_version)
        arguments = [workflow_id, iso(self._clock()), "restore", *(_trigger(latest) if latest else ("", ""))]
        await self._archive(_trigger_keys(tenant, workflow_id), arguments)

    # Triggers

    async def triggers_for_event(self, tenant: str, event_name: str) -> tuple[TriggerTarget, ...]:
        """The live triggers of an event in order of workflow id, paused workflows included: their starts wait."""
        found = await self._triggers([triggers_key(tenant), triggers_by_event_key(tenant)], [event_name])
        return tuple(TriggerTarget.model_validate_json(text) for text in found)

    async def all_triggers(self, tenant: str) -> tuple[TriggerTarget, ...]:
        """Every live trigger, schedules included, in order of workflow id: what schedules are reconciled with."""
        table = await cast(Awaitable[dict[str, str]], self._redis.hgetall(triggers_key(tenant)))
        return tuple(TriggerTarget.model_validate_json(table[workflow_id]) for workflow_id in sorted(table))


def _check_key(key: str | None) -> None:
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidNameError("workflow key", key, "lower-case letters, digits, '.', '_' and '-', no sign in front")


def _described(tenant: str, workflow_id: str, definition: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a workflow's row that its definition tells; a draft may hold anything in their place."""
    told = {"name": definition.get("name"), "description": definition.get("description")}
    told["payloadSchemaRef"] = definition.get("payloadSchemaRef")
    texts = {name: value for name, value in told.items() if isinstance(value, str)}
    return WorkflowRow.encode({"workflowId": workflow_id, "tenantId": tenant, "name": ""} | texts)


def _publish_arguments(tenant: str, row: PublishedVersion, definition_text: str) -> list[str | int]:
    described = flat(_described(tenant, row.workflow_id, row.definition))
    version_fields = flat(row.to_hash() | {"definition": definition_text})
    head: list[str | int] = [row.workflow_id, row.version, row.hash, row.published_at, *_trigger(row)]
    return [*head, len(described), *described, *version_fields]


def _trigger(version: PublishedVersion) -> tuple[str, str]:
    """The trigger's JSON and the name of its event, empty where there is none."""
    trigger = version.definition.get("trigger")
    if not isinstance(trigger, dict):
        return "", ""
    target = TriggerTarget(
        workflow_id=version.workflow_id,
        version=version.version,
        definition_hash=version.hash,
        payload_schema_ref=version.definition.get("payloadSchemaRef"),
        trigger=trigger,
    )
    return target.model_dump_json(by_alias=True), trigger["eventName"] if trigger.get("type") == "event" else ""


def _trigger_keys(tenant: str, workflow_id: str) -> list[str]:
    """As named in lua/_triggers.lua."""
    own = [workflow_key(tenant, workflow_id), tenant_key(tenant, "workflows"), _versions_key(tenant, workflow_id)]
    return [*own, triggers_key(tenant), triggers_by_event_key(tenant)]


def _draft_key(tenant: str, workflow_id: str) -> str:
    return tenant_key(tenant, "workflow", workflow_id, "draft")


def _versions_key(tenant: str, workflow_id: str) -> str:
    return tenant_key(tenant, "workflow", workflow_id, "versions")


def _version_key(tenant: str, workflow_id: str, version: int) -> str:
    return tenant_key(tenant, "workflow", workflow_id, "version", version)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _no_workflow(tenant: str, workflow_id: str) -> NotFoundError:
    return NotFoundError("workflow", workflow_id, tenant, "save a draft or publish it first")
