"""Loads what a definition is judged against: actions, schemas, events, workflows, secrets of a tenant. Process code."""

import functools
import zoneinfo
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from workflow_runtime.core.definition import parse_definition
from workflow_runtime.core.validation import (
    CalledWorkflow,
    Environment,
    LoadedWorkflows,
    WorkflowVersion,
    called_workflows,
)
from workflow_runtime.store.catalog import PublishedVersion
from workflow_runtime.store.connection import iso
from workflow_runtime.store.errors import NotFoundError
from workflow_server.backend import Backend
from workflow_server.raw_definitions import raw_calls

_SUGGESTED: Final = 500
"""Workflows among which a misspelt id looks for its neighbour."""

_NO_ZONES: Final = frozenset({"localtime", "posixrules", "Factory"})
"""Files beside the zones: what each says depends on the machine, or is nothing."""


async def load_environment(work: Backend, tenant: str, data: Any) -> Environment:
    """Everything that ``data``, a definition valid or not, may refer to."""
    actions = await work.known_actions(tenant)
    return Environment(
        actions={spec.key: spec for spec in actions.values()},
        schemas=await work.schemas.all_schemas(tenant),
        events=await work.schemas.all_events(tenant),
        workflows=await _reachable(work, tenant, raw_calls(data)),
        secrets=await work.secrets.names(tenant),
        timezones=known_timezones(),
        correlation_rules=work.settings.workflow_runtime_v2_event_correlation_paths_json,
        now_iso=iso(datetime.now(UTC)),
    )


@functools.cache
def known_timezones() -> frozenset[str] | None:
    """The IANA names that this machine knows; None when it has no list of them."""
    return frozenset(zoneinfo.available_timezones()) - _NO_ZONES or None


async def _reachable(work: Backend, tenant: str, called: Iterable[WorkflowVersion]) -> LoadedWorkflows:
    """Every version that calls lead to, and the names of the others when one of them is missing."""
    loaded: dict[WorkflowVersion, CalledWorkflow] = {}
    missing: set[WorkflowVersion] = set()
    todo = list(called)
    while todo:
        wanted = todo.pop()
        if wanted in loaded or wanted in missing:
            continue
        found = await _version(work, tenant, wanted)
        if found is None:
            missing.add(wanted)
            continue
        loaded[wanted] = _as_called(found)
        todo += loaded[wanted].calls
    return LoadedWorkflows(loaded, await _names(work, tenant) if missing else {})


async def _version(work: Backend, tenant: str, wanted: WorkflowVersion) -> PublishedVersion | None:
    try:
        return await work.catalog.get_version(tenant, *wanted)
    except NotFoundError:
        return None


def _as_called(version: PublishedVersion) -> CalledWorkflow:
    definition, _ = parse_definition(version.definition)
    calls = called_workflows(definition) if definition is not None else ()
    return CalledWorkflow(payload_schema=version.payload_schema_json, calls=calls)


async def _names(work: Backend, tenant: str) -> dict[str, tuple[int, ...]]:
    page = await work.catalog.list_workflows(tenant, limit=_SUGGESTED)
    ids = [row.workflow_id for row in page.workflows if row.latest_version is not None]
    return {workflow_id: await work.catalog.list_versions(tenant, workflow_id) for workflow_id in ids}
