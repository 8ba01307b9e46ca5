"""Who should poll each task queue and who does: the table behind ``GET /api/ownership``. Process code only."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from temporalio.client import Client

from workflow_runtime.core.wire import WireModel
from workflow_runtime.service.ownership import QUEUE_OWNERS
from workflow_runtime.service.pollers import Poller, queue_pollers
from workflow_runtime.store.connection import iso

type Verdict = Literal["OWNED", "SHARED_WITH_STRANGER", "STRANGER_ONLY", "NOT_POLLED", "PASSED_OVER", "EXTERNAL"]


class LivePoller(WireModel):
    """One process that polls a queue; ``kinds`` are ``workflow`` and ``activity``, ``image`` null for a stranger."""

    identity: str
    image: str | None
    kinds: tuple[str, ...]
    last_access: str


class QueueOwnership(WireModel):
    """One queue. ``owner`` is the image that declares it, null for a queue of an action registered from outside."""

    queue: str
    owner: str | None
    verdict: Verdict
    detail: str
    pollers: tuple[LivePoller, ...]


async def ownership_table(client: Client, external_queues: Iterable[str]) -> tuple[QueueOwnership, ...]:
    """Every declared queue, then every queue that only registered actions name. Raises RPCError."""
    owners: dict[str, str | None] = {**QUEUE_OWNERS}
    for queue in sorted(set(external_queues)):
        owners.setdefault(queue, None)
    answers = await asyncio.gather(*(queue_pollers(client, queue) for queue in owners))
    return tuple(judge(queue, owner, found) for (queue, owner), found in zip(owners.items(), answers, strict=True))


def judge(queue: str, owner: str | None, found: Sequence[Poller]) -> QueueOwnership:
    """The verdict on one queue from what Temporal says of its pollers."""
    verdict, detail = _verdict(queue, owner, {poller.image for poller in found})
    if verdict == "OWNED" and (favoured := _favoured(found)):
        verdict = "PASSED_OVER"
        detail = f"{owner} polls in vain: Temporal gives new work to {favoured}; see Worker versions in OPERATIONS.md"
    return QueueOwnership(queue=queue, owner=owner, verdict=verdict, detail=detail, pollers=tuple(_merged(found)))


def _verdict(queue: str, owner: str | None, images: set[str | None]) -> tuple[Verdict, str]:
    if not images:
        return "NOT_POLLED", f"start {owner or 'the worker that serves it'}: what is sent to this queue waits"
    if owner is None:
        return "EXTERNAL", "named by a registered action; its polling is its owner's business"
    if images == {owner}:
        return "OWNED", f"polled by {owner} alone"
    strangers = "a process of another image polls it too; stop it, it takes work away"
    return ("SHARED_WITH_STRANGER", strangers) if owner in images else ("STRANGER_ONLY", f"{owner} does not poll it")


def _favoured(found: Sequence[Poller]) -> str | None:
    """Who is given new work that nobody takes: of one kind, every poller is passed over."""
    for kind in sorted({poller.kind for poller in found}):
        favoured = [poller.passed_over for poller in found if poller.kind == kind]
        if all(favoured):
            return favoured[0]
    return None


def _merged(found: Sequence[Poller]) -> Iterable[LivePoller]:
    by_identity: Mapping[str, list[Poller]] = {
        identity: [poller for poller in found if poller.identity == identity]
        for identity in sorted({poller.identity for poller in found})
    }
    for identity, pollers in by_identity.items():
        yield LivePoller(
            identity=identity,
            image=pollers[0].image,
            kinds=tuple(sorted({poller.kind for poller in pollers})),
            last_access=iso(max(poller.last_access for poller in pollers)),
        )
