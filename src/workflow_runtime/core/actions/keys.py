"""The key under which an action's effect happens once. Pure; importable anywhere, workflow code included."""

from typing import Any

from workflow_runtime.core.canonical import sha256_hex
from workflow_runtime.core.errors import ValidationFailure


def idempotency_key(
    *,
    tenant_id: str,
    run_id: str,
    item_path: str,
    action_id: str,
    version: int,
    input: Any,
    authored: str | None = None,
) -> str:
    """``<tenant>:<runId>:<item path>:<actionId>:<version>:<sha256 of the canonical input>``, or the authored key.

    ``item_path`` is the step path with loop item indexes, so that iterations differ. An authored key is prefixed with
    the tenant only: that one effect may be shared between runs is its purpose. Retries of a step share a key. Raises
    ``ValidationFailure`` for input that is not JSON and for an authored key without any text (RUNTIME.md section 6).
    """
    if authored is None:
        return f"{tenant_id}:{run_id}:{item_path}:{action_id}:{version}:{sha256_hex(input)}"
    if not authored.strip():
        raise ValidationFailure(
            "The idempotency key is empty; give a text that names the effect, or null for the usual key.",
            code="EMPTY_IDEMPOTENCY_KEY",
        )
    return f"{tenant_id}:{authored}"


def is_derived_key(tenant_id: str, run_id: str, key: str) -> bool:
    """Whether a key belongs to this run, ``<tenant>:<runId>:…``; authored ones begin with the tenant only."""
    return key.startswith(f"{tenant_id}:{run_id}:")
