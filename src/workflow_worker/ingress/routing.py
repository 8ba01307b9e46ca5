"""One pass over one event: claim, plan, attempt, finish. Process code only.

Every step is recorded before its effect, so a process may die anywhere: the event is offered again, targets that were
settled stay settled, and repeating the others is harmless because run ids and event ids decide. Work that may have
ended a process before is done alone and counted, so that it ends at a cap and takes nothing innocent with it.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Final

import structlog

from workflow_runtime.store.connection import is_outage
from workflow_runtime.store.events import (
    Claim,
    Considered,
    DeadLetters,
    EventLedger,
    Hold,
    LedgerEvent,
    Refusal,
    Target,
    TargetStatus,
)
from workflow_runtime.store.events.claims import new_token
from workflow_runtime.store.events.dead_letters import letter_source
from workflow_worker.ingress.delivery import Delivery
from workflow_worker.ingress.metrics import IngressMetrics
from workflow_worker.ingress.planning import make_plan
from workflow_worker.ingress.settings import IngressSettings

_AT_ONCE: Final = 64
_PATIENCE_SECONDS: Final = 0.005


class Routing:
    """Passes over events, and the claims of those under way."""

    def __init__(
        self,
        ledger: EventLedger,
        delivery: Delivery,
        dead_letters: DeadLetters,
        metrics: IngressMetrics,
        settings: IngressSettings,
        *,
        identity: str,
    ) -> None:
        self._ledger = ledger
        self._delivery = delivery
        self._dead_letters = dead_letters
        self._metrics = metrics
        self._settings = settings
        self._claims: dict[str, Hold] = {}
        self._identity = identity
        self._outlived: list[Hold] = []
        self._failed: list[Hold] = []
        self._under_way: set[tuple[str, str]] = set()
        self._quarantine = asyncio.Lock()

    async def route(self, tenant: str, event_id: str, claim: Claim | None = None) -> tuple[str, ...]:
        """Make one pass over an event if it is free, or is ours by ``claim``; answers which events of the tenant may go
        on now.

        What this process has under way is never free, even when a lease ran out because the machine is busy.
        """
        event = (tenant, event_id)
        if event in self._under_way:
            return ()
        self._under_way.add(event)
        hold = claim.hold if claim else Hold(tenant, event_id, self.new_token())
        try:
            found = claim or await self._ledger.claim(*hold)
            return () if isinstance(found, Refusal) else await self._pass(found)
        except asyncio.CancelledError:
            await asyncio.shield(self._ledger.give_up([hold]))
            raise
        except Exception as error:
            (self._outlived if is_outage(error) else self._failed).append(hold)
            raise
        finally:
            self._under_way.discard(event)

    async def _pass(self, claim: Claim) -> tuple[str, ...]:
        self._claims[claim.token] = claim.hold
        try:
            return await (self._later_pass(claim) if claim.planned else self._first_pass(claim))
        finally:
            del self._claims[claim.token]

    def new_token(self) -> str:
        """A token of this process."""
        return new_token(self._identity)

    def outlived(self, holds: Iterable[Hold]) -> None:
        """Say with the next `keep_claims` that these claims ended without their process."""
        self._outlived.extend(holds)

    async def keep_claims(self) -> None:
        """Say that this process lives, begin the leases of everything under way anew, and say which passes an outage
        ended and not their process, and which failed by themselves."""
        await self._ledger.presence.beat(self._identity)
        await self._ledger.extend(list(self._claims.values()))
        for holds, tell in ((self._outlived, self._ledger.give_up), (self._failed, self._ledger.blame)):
            while told := holds[:_AT_ONCE]:
                await tell(told)
                del holds[: len(told)]

    async def _first_pass(self, claim: Claim) -> tuple[str, ...]:
        begun = claim.begun + claim.doubtful.get("plan", 0)
        if not begun:
            return await self._plan(claim)
        async with self._quarantine:
            if claim.begun < self._settings.max_deliveries <= begun:
                return _in_doubt(claim)
            if claim.begun >= self._settings.max_deliveries:
                reason = f"poison: routing began {claim.begun} times and never came to an end"
                await self._bury(claim.event, reason, claim.begun, "plan")
                return await self._finish(claim, (), (), reason)
            await self._ledger.note_first_pass(claim)
            return await self._plan(claim)

    async def _plan(self, claim: Claim) -> tuple[str, ...]:
        plan = make_plan(claim)
        return await self._attempt(claim, plan.targets, (), plan.considered, plan.reason)

    async def _later_pass(self, claim: Claim) -> tuple[str, ...]:
        unsettled = [target for target in claim.event.targets if not target.status.final]
        open_again = [_not_tried_any_more(target) for target in unsettled]
        due = [target for target in open_again if target.due_ms <= claim.now_ms]
        rest = [target for target in open_again if target.due_ms > claim.now_ms]
        if any(_suspicion(claim, target) for target in due):
            async with self._quarantine:
                return await self._try_one(claim, due, rest)
        return await self._attempt(claim, due, rest, None, "")

    async def _try_one(self, claim: Claim, due: Sequence[Target], rest: Sequence[Target]) -> tuple[str, ...]:
        """Try the target that is least suspected of having ended a process, and leave the others for later passes."""
        first, *others = sorted(due, key=lambda target: (_suspicion(claim, target), target.id))
        rest = [*others, *rest]
        if first.abandoned < self._settings.max_deliveries <= _suspicion(claim, first):
            return _in_doubt(claim)
        if first.abandoned >= self._settings.max_deliveries:
            reason = f"poison: {first.abandoned} attempts ended with their process"
            failed = self._delivery.settle(claim, first, TargetStatus.FAILED, reason)
            await self._bury(claim.event, f"{first.id}: {reason}", first.attempts, first.id)
            return await self._finish(claim, [failed, *rest], None, "")
        return await self._attempt(claim, [first], rest, None, "")

    async def _attempt(
        self,
        claim: Claim,
        due: Sequence[Target],
        rest: Sequence[Target],
        considered: Sequence[Considered] | None,
        reason: str,
    ) -> tuple[str, ...]:
        if not due:
            return await self._finish(claim, rest, considered, reason)
        begun = await self._ledger.begin(claim, due, considered=considered)
        if begun is None:
            return ()
        if len(begun) == 1:
            done = [await self._deliver(claim, begun[0])]
        else:
            done = await asyncio.gather(*(self._deliver(claim, target) for target in begun))
        return await self._finish(claim, [*done, *rest], None, reason)

    async def _deliver(self, claim: Claim, target: Target) -> Target:
        if target.status is TargetStatus.BEHIND:
            return target
        after = await self._delivery.attempt(claim, target)
        self._metrics.targets.labels(after.kind, after.status).inc()
        if after.status is TargetStatus.FAILED:
            await self._bury(claim.event, f"{after.id}: {after.reason}", after.attempts, after.id)
        return after

    async def _finish(
        self, claim: Claim, targets: Sequence[Target], considered: Sequence[Considered] | None, reason: str
    ) -> tuple[str, ...]:
        # With many under way, others end in a moment; with few, an event behind this one may be all there is to do.
        patience = _PATIENCE_SECONDS if len(self._under_way) > self._settings.max_in_flight // 4 else 0.0
        ended = await self._ledger.finish(claim, targets, reason=reason, considered=considered, patience=patience)
        if ended is None:
            return ()
        self._metrics.routed.labels(ended.status).inc()
        if not claim.planned:
            self._metrics.first_pass.observe(max(0.0, time.time() - claim.event.accepted_ms / 1000))
        return ended.runnable

    async def _bury(self, event: LedgerEvent, reason: str, attempts: int, what: str) -> None:
        fields, tenant, event_id = event.event.fields, event.event.tenant_id, event.event.event_id
        source = letter_source(tenant, event_id, what)
        pairs = [(name.encode(), value.encode()) for name, value in fields.items()]
        await self._dead_letters.add(pairs, reason=reason, attempts=attempts, source=source)
        self._metrics.events.labels("dead_letter").inc()
        structlog.get_logger(__name__).error("event_dead_lettered", tenant=tenant, event_id=event_id, reason=reason)


def _suspicion(claim: Claim, target: Target) -> int:
    return target.abandoned + claim.doubtful.get(target.id, 0)


def _in_doubt(claim: Claim) -> tuple[str, ...]:
    """Leave the event to its lease: when that ends, some of those who hold it may have come back, or be dead."""
    structlog.get_logger(__name__).warning(
        "event_in_doubt", tenant=claim.hold.tenant, event_id=claim.hold.event_id, reason="slow or dead holders"
    )
    return ()


def _not_tried_any_more(target: Target) -> Target:
    if target.status is not TargetStatus.TRYING:
        return target
    return target.model_copy(update={"status": TargetStatus.PENDING})
