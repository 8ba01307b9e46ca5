"""Definitions as the API and the page show them. Pure; process code and tests."""

from typing import Any

from workflow_runtime.store.catalog import PublishedVersion, WorkflowRow, WorkflowSettings


def workflow_summary(row: WorkflowRow) -> dict[str, Any]:
    """The row by its wire names, ``status`` (draft, published, archived), and ``state``, which also says paused."""
    state = "paused" if row.is_paused and row.status == "published" else row.status
    return row.model_dump(mode="json", by_alias=True) | {"status": row.status, "state": state}


def settings_of(row: WorkflowRow) -> WorkflowSettings:
    """The part of a row that may be changed without publishing."""
    return WorkflowSettings(**row.model_dump(include=set(WorkflowSettings.model_fields), by_alias=False))


def version_view(version: PublishedVersion) -> dict[str, Any]:
    """The version with its definition and its pins."""
    return version.model_dump(mode="json", by_alias=True)
