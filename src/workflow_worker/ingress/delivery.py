"""One attempt of one target of an event. Process code only."""

import asyncio
import random
from collections.abc import Callable
from typing import Final

import structlog

from workflow_runtime.core.definition import Definition, EventTrigger
from workflow_runtime.core.errors import Category, CorruptionFailure, RuntimeFailureError
from workflow_runtime.store.catalog import Catalog, PublishedVersion
from workflow_runtime.store.events import Claim, LedgerEvent, Target, TargetStatus, iso_ms
from workflow_runtime.store.schemas import Schemas
from workflow_runtime.store.waits import WaitIndex, event_signal
from workflow_worker.ingress.mapping import run_payload
from workflow_worker.ingress.ports import GatewayOutageError, RunGateway, RunStart, StartOutcome
from workflow_worker.ingress.settings import IngressSettings

_VERSIONS_KEPT: Final = 256
_REASON_LENGTH: Final = 500
_MOST_DOUBLINGS: Final = 64


class Delivery:
    """Delivers events to targets, whatever kind they are."""

    def __init__(
        self,
        gateway: RunGateway,
        catalog: Catalog,
        schemas: Schemas,
        waits: WaitIndex,
        settings: IngressSettings,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._gateway = gateway
        self._catalog = catalog
        self._schemas = schemas
        self._waits = waits
        self._settings = settings
        self._jitter = jitter
        self._places = asyncio.Semaphore(settings.max_in_flight)
        self._versions: dict[tuple[str, str, int], PublishedVersion] = {}
        self._reading = asyncio.Lock()

    async def attempt(self, claim: Claim, target: Target) -> Target:
        """Try to deliver; answers the target as settled, or RETRYING with the time of the next attempt.

        What can never succeed (an event the mapping or the schema refuses, an archived workflow) fails at once,
        anything else is tried again until the attempts are used up, and what meets an outage for as long as that lasts.
        """
        try:
            async with self._places, asyncio.timeout(self._settings.attempt_timeout_seconds):
                status, reason = await (self._start if target.kind == "trigger" else self._signal)(claim.event, target)
        except RuntimeFailureError as error:
            if error.category is Category.TRANSIENT:
                return self._again(claim, target, error)
            text = f"{error.category}: {error.message}"
            _tell(claim, target, text, final=True)
            return self.settle(claim, target, TargetStatus.FAILED, text)
        except TimeoutError as error:
            text = str(error) or f"no answer within {self._settings.attempt_timeout_seconds:g} s"
            return self._again(claim, target, TimeoutError(text))
        except Exception as error:
            return self._again(claim, target, error)
        return self.settle(claim, target, status, reason)

    def settle(self, claim: Claim, target: Target, status: TargetStatus, reason: str) -> Target:
        """The target with a final status."""
        update = {"status": status, "reason": reason[:_REASON_LENGTH], "settled_at": iso_ms(claim.time_ms())}
        return target.model_copy(update=update)

    def _again(self, claim: Claim, target: Target, error: Exception) -> Target:
        text = str(error) or type(error).__name__
        final = target.attempts >= self._settings.max_attempts and not isinstance(error, GatewayOutageError)
        _tell(claim, target, text, final=final)
        if final:
            return self.settle(claim, target, TargetStatus.FAILED, f"gave up after {target.attempts} attempts: {text}")
        due_ms = claim.time_ms() + round(self.backoff_seconds(target.attempts) * 1000)
        update = {"status": TargetStatus.RETRYING, "reason": text[:_REASON_LENGTH], "due_ms": due_ms}
        return target.model_copy(update=update)

    def backoff_seconds(self, attempts: int) -> float:
        """The pause after so many attempts: doubling up to the cap, 20 % up or down so that retries spread."""
        # An outage knows no last attempt, and a power of two knows no end that a float could hold.
        doublings = min(attempts - 1, _MOST_DOUBLINGS)
        pause = min(self._settings.first_retry_seconds * 2.0**doublings, self._settings.max_retry_seconds)
        return pause * (0.8 + 0.4 * self._jitter())

    async def _start(self, event: LedgerEvent, target: Target) -> tuple[TargetStatus, str]:
        version = await self._version(event.event.tenant_id, target)
        outcome = await self._gateway.start_run(
            RunStart(
                run_id=target.run_id,
                tenant_id=event.event.tenant_id,
                workflow_id=version.workflow_id,
                workflow_version=version.version,
                definition_hash=version.hash,
                event_id=event.event.event_id,
                payload=await self._payload(event, version),
            )
        )
        if outcome is StartOutcome.QUEUED:
            return TargetStatus.QUEUED, "the run starts when its workflow is resumed or has room"
        return TargetStatus.DELIVERED, "started" if outcome is StartOutcome.STARTED else "was started already"

    async def _payload(self, event: LedgerEvent, version: PublishedVersion) -> object:
        trigger = Definition.model_validate(version.definition, strict=False).trigger
        if not isinstance(trigger, EventTrigger):
            raise CorruptionFailure(
                f"workflow {version.workflow_id!r} version {version.version} is registered for events but has no event "
                f"trigger; publish it again",
                code="NO_EVENT_TRIGGER",
            )
        ref = trigger.source_payload_schema_ref
        if trigger.payload_mapping is not None and ref is None:
            ref = await self._schemas.event_schema_ref(event.event.tenant_id, event.event.event_name)
        mapping = trigger.payload_mapping
        return run_payload(event, mapping, source_schema_ref=ref, schema=version.payload_schema_json)

    async def _signal(self, event: LedgerEvent, target: Target) -> tuple[TargetStatus, str]:
        tenant, wait_id = event.event.tenant_id, target.wait_id or ""
        if await self._gateway.signal_run(tenant, target.run_id, event_signal(event, target.key)):
            return TargetStatus.DELIVERED, "signalled"
        await self._waits.resolve(tenant, target.run_id, wait_id)
        return TargetStatus.GONE, "the run that waited has ended"

    async def _version(self, tenant: str, target: Target) -> PublishedVersion:
        key = (tenant, target.workflow_id or "", target.workflow_version or 0)
        if key not in self._versions:
            # One after the other: what the first of many at once has read, the others need not read.
            async with self._reading:
                if key not in self._versions:
                    self._remember(key, await self._catalog.get_version(*key))
        return self._versions[key]

    def _remember(self, key: tuple[str, str, int], version: PublishedVersion) -> None:
        # Versions are immutable, so only the memory they take is a reason to forget one.
        if len(self._versions) >= _VERSIONS_KEPT:
            self._versions.pop(next(iter(self._versions)))
        self._versions[key] = version


def _tell(claim: Claim, target: Target, text: str, *, final: bool) -> None:
    """One line for a failed attempt, with what `./dev explain` and `./dev retry` want to know."""
    structlog.get_logger(__name__).warning(
        "event_target_failed",
        tenant=claim.hold.tenant,
        event_id=claim.hold.event_id,
        target=target.id,
        attempt=target.attempts,
        final=final,
        reason=text[:_REASON_LENGTH],
    )
