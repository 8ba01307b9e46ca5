"""Joins every built-in spec with what performs it. Process code only; called by main."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx2
from redis.asyncio import Redis

from workflow_runtime.core.actions import BUILTIN_SPECS
from workflow_runtime.core.actions.transform import TRANSFORM_IDS, run_transform
from workflow_runtime.service.action_dispatch import ActionCall, Handler, ServedAction
from workflow_runtime.store.key_values import KeyValues
from workflow_runtime.store.links import Links
from workflow_runtime.store.notifications import Notifications
from workflow_worker.actions.http_guard import HttpGuard
from workflow_worker.actions.http_request import HttpRequest
from workflow_worker.actions.link_actions import link_handlers
from workflow_worker.actions.notification_actions import notification_handlers
from workflow_worker.actions.store_actions import store_handlers

MAX_CONNECTIONS: Final = 100
"""Connections that ``http.request`` holds at once, over all hosts."""

_SLOW: Final = frozenset({"http.request"})
"""Those that wait for somebody else; a workflow task must not wait with them."""


@asynccontextmanager
async def builtin_actions(redis: Redis, allowed_hosts: Sequence[str]) -> AsyncIterator[tuple[ServedAction, ...]]:
    """Every built-in action while the body runs. ``allowed_hosts`` are those ``http.request`` may call."""
    # Proxies and credentials of the environment are left out: they would see, or lend, more than a workflow may have.
    # Connections are not kept: they are made to addresses, and two hosts at one address must not share one.
    limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=0)
    async with httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=None, limits=limits) as client:
        handlers: dict[str, Handler] = {
            **{action_id: _transform(action_id) for action_id in TRANSFORM_IDS},
            **store_handlers(KeyValues(redis)),
            **link_handlers(Links(redis)),
            **notification_handlers(Notifications(redis)),
            "http.request": HttpRequest(client, HttpGuard(allowed_hosts)).perform,
        }
        yield tuple(ServedAction(spec, handlers[spec.id], local=spec.id not in _SLOW) for spec in BUILTIN_SPECS)


def _transform(action_id: str) -> Handler:
    async def perform(call: ActionCall) -> Any:
        return run_transform(action_id, call.input, now_iso=call.context.now_iso)

    return perform
