"""Performs ``notifications.send_in_app``. Activity code. A repetition sends nothing twice (the store sees to it)."""

from collections.abc import Mapping
from typing import Any

from workflow_runtime.service.action_dispatch import ActionCall, Handler
from workflow_runtime.store.notifications import Notification, Notifications


def notification_handlers(notifications: Notifications) -> Mapping[str, Handler]:
    """Handlers by action id; input and output as in the specs."""

    async def send_in_app(call: ActionCall) -> Any:
        given = call.input
        message = Notification(
            title=given["title"],
            body=given["body"],
            severity=given.get("severity", "info"),
            link=given.get("link"),
            data=given.get("data"),
        )
        ids = await notifications.send(
            call.context.tenant_id, given["recipients"]["user_ids"], message, operation=_operation(call)
        )
        return {"notification_ids": list(ids), "delivered_count": len(ids)}

    return {"notifications.send_in_app": send_in_app}


def _operation(call: ActionCall) -> str:
    dedupe = call.input.get("dedupe_key")
    return call.idempotency_key if dedupe is None else f"{call.context.tenant_id}:dedupe:{dedupe}"
