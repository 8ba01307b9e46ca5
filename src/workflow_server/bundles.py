"""Exports workflows as bundles and imports them. Process code only.

An import is judged as a whole before anything is written. Published versions are immutable: an import adds versions
and, with ``force``, replaces drafts and settings, but a version that is there with another definition refuses it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from workflow_runtime.core.bundle import (
    Bundle,
    BundleCode,
    BundleDraft,
    BundleError,
    BundleMetadata,
    BundleVersion,
    BundleWorkflow,
    dependencies_of,
    missing_dependencies,
)
from workflow_runtime.core.canonical import sha256_hex
from workflow_runtime.core.definition import parse_definition
from workflow_runtime.store.catalog import PublishedVersion, WorkflowRow, WorkflowSettings
from workflow_runtime.store.connection import iso
from workflow_runtime.store.errors import ArchivedError, ConflictError, NotFoundError
from workflow_runtime.store.schemas import EMPTY_REF
from workflow_server.backend import Backend
from workflow_server.bundle_checks import require_usable, workflow_id_of
from workflow_server.publishing import pinned_actions, pinned_queues
from workflow_server.schedules import follow_trigger
from workflow_server.workflow_views import settings_of

_PAGE: Final = 200


async def export_bundle(work: Backend, tenant: str, workflow_ids: Sequence[str], exported_at: datetime) -> Bundle:
    """The named workflows, by default all of the tenant. Raises `NotFoundError`."""
    named = [await work.catalog.get_workflow(tenant, workflow_id) for workflow_id in dict.fromkeys(workflow_ids)]
    known = await _all_workflows(work, tenant)
    keys = keys_of({row.workflow_id: row.key for row in known})
    bundled = [await _exported(work, tenant, row, keys[row.workflow_id]) for row in named or known]
    return Bundle(exported_at=iso(exported_at), workflows=tuple(sorted(bundled, key=lambda item: item.key)))


async def import_bundle(work: Backend, tenant: str, bundle: Bundle, *, force: bool) -> list[dict[str, Any]]:
    """Bring in every workflow; answers ``[{key, workflowId, created, draftVersion, addedVersions}]``.

    Raises `ConflictError` (WORKFLOW_KEY_CONFLICT, VERSION_EXISTS) and `BundleError` (SCHEMA_VALIDATION_FAILED,
    WORKFLOW_KEY_CONFLICT, MISSING_DEPENDENCIES) before anything is written.
    """
    require_usable(bundle)
    refs = await work.schemas.all_schemas(tenant)
    if missing := missing_dependencies(bundle, await work.known_actions(tenant), refs):
        raise BundleError(BundleCode.MISSING_DEPENDENCIES, "This server lacks what the bundle needs.", missing)
    for item in bundle.workflows:
        await _require_room(work, tenant, item, force=force)
    return [await _imported(work, tenant, item) for item in bundle.workflows]


# Export


async def _all_workflows(work: Backend, tenant: str) -> list[WorkflowRow]:
    rows: list[WorkflowRow] = []
    cursor: str | None = None
    while True:
        page = await work.catalog.list_workflows(tenant, limit=_PAGE, cursor=cursor)
        rows += page.workflows
        if (cursor := page.next_cursor) is None:
            return rows


async def _exported(work: Backend, tenant: str, row: WorkflowRow, key: str) -> BundleWorkflow:
    draft = await work.catalog.get_draft(tenant, row.workflow_id)
    numbers = await work.catalog.list_versions(tenant, row.workflow_id)
    versions = [await work.catalog.get_version(tenant, row.workflow_id, number) for number in numbers]
    if draft is None and not versions:
        raise NotFoundError("draft or version of workflow", row.workflow_id, tenant, "there is nothing to export")
    definition = draft.definition if draft else versions[-1].definition
    return BundleWorkflow(
        key=key,
        metadata=_metadata(row, definition.get("trigger")),
        dependencies=dependencies_of((definition, *(version.definition for version in versions))),
        draft=BundleDraft(draft_version=draft.draft_version if draft else 1, definition=definition),
        published_versions=tuple(_exported_version(version) for version in versions),
    )


def _exported_version(version: PublishedVersion) -> BundleVersion:
    return BundleVersion(
        version=version.version, definition=version.definition, payload_schema_json=version.payload_schema_json
    )


def _metadata(row: WorkflowRow, trigger: Any) -> BundleMetadata:
    return BundleMetadata(
        name=row.name,
        description=row.description,
        payload_schema_ref=row.payload_schema_ref or EMPTY_REF,
        trigger=trigger if isinstance(trigger, dict) else None,
        **settings_of(row).model_dump(by_alias=False),
    )


def keys_of(given: Mapping[str, str | None]) -> dict[str, str]:
    """The bundle key of every workflow id, each another one; the value is the key it was given, if it was.

    >>> keys_of({"Ticket": None, "ticket": None, "mail": "ticket"})
    {'Ticket': 'ticket-6a3a175b', 'ticket': 'ticket-be43368e', 'mail': 'ticket'}
    """
    taken = Counter(key or key_of(workflow_id) for workflow_id, key in given.items())
    return {
        workflow_id: key or (own if taken[own := key_of(workflow_id)] == 1 else f"{own}-{sha256_hex(workflow_id)[:8]}")
        for workflow_id, key in given.items()
    }


def key_of(workflow_id: str) -> str:
    """A bundle key for a workflow that has none of its own.

    >>> key_of("Ticket Follow-up")
    'ticket-follow-up'
    """
    cleaned = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in workflow_id)
    return cleaned.lower().lstrip("._-") or "workflow"


# Import


def _brought_schemas(item: BundleWorkflow) -> dict[str, Any]:
    return {
        str(version.definition["payloadSchemaRef"]): version.payload_schema_json
        for version in item.published_versions
        if version.payload_schema_json is not None
    }


async def _require_room(work: Backend, tenant: str, item: BundleWorkflow, *, force: bool) -> None:
    workflow_id = workflow_id_of(item)
    holder = await work.catalog.workflow_id_of_key(tenant, item.key)
    existing = await work.catalog.find_workflow(tenant, workflow_id)
    if holder not in (None, workflow_id) or (existing is not None and not force):
        raise ConflictError(
            f"workflow {item.key!r} ({holder or workflow_id!r}) exists; import with force=true to replace its draft "
            f"and add versions, or change the key and the id in the bundle",
            code=BundleCode.WORKFLOW_KEY_CONFLICT.value,
        )
    if existing is not None:
        if existing.archived_at is not None:
            raise ArchivedError(workflow_id)
        await _require_same_versions(work, tenant, workflow_id, item)


async def _require_same_versions(work: Backend, tenant: str, workflow_id: str, item: BundleWorkflow) -> None:
    published = set(await work.catalog.list_versions(tenant, workflow_id))
    for version in item.published_versions:
        if version.version not in published:
            continue
        there = await work.catalog.get_version(tenant, workflow_id, version.version)
        if there.hash != sha256_hex(version.definition):
            raise ConflictError(
                f"version {version.version} of {workflow_id!r} is published with another definition, and published "
                f"versions never change; give the bundle's version another number",
                code="VERSION_EXISTS",
            )


async def _imported(work: Backend, tenant: str, item: BundleWorkflow) -> dict[str, Any]:
    workflow_id = workflow_id_of(item)
    created = await work.catalog.find_workflow(tenant, workflow_id) is None
    present = set(await work.catalog.list_versions(tenant, workflow_id))
    await work.catalog.save_draft(
        tenant, workflow_id, item.draft.definition, key=item.key, draft_version=item.draft.draft_version
    )
    settings = item.metadata.model_dump(include=set(WorkflowSettings.model_fields), by_alias=False)
    await work.catalog.save_settings(tenant, workflow_id, WorkflowSettings(**settings))
    schemas = await work.schemas.all_schemas(tenant)
    for ref, schema in _brought_schemas(item).items():
        if ref not in schemas:
            await work.schemas.put_schema(tenant, ref, schema)
    for version in item.published_versions:
        await _publish(work, tenant, workflow_id, version)
    await follow_trigger(work, tenant, workflow_id)
    return {
        "key": item.key,
        "workflowId": workflow_id,
        "created": created,
        "draftVersion": item.draft.draft_version,
        "addedVersions": [found.version for found in item.published_versions if found.version not in present],
    }


async def _publish(work: Backend, tenant: str, workflow_id: str, version: BundleVersion) -> None:
    actions = await work.known_actions(tenant)
    definition, _ = parse_definition(version.definition)
    assert definition is not None
    schema = version.payload_schema_json
    if schema is None:
        schema = await work.schemas.get_schema(tenant, definition.payload_schema_ref)
    await work.catalog.publish(
        tenant,
        workflow_id,
        version.version,
        version.definition,
        action_queues=pinned_queues(definition, actions),
        pinned_actions=pinned_actions(definition, actions),
        payload_schema=schema,
    )
