"""Routes of dead letters: messages that could not be delivered. They belong to no tenant alone. Process code only."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from workflow_runtime.store.events import DeadLetters
from workflow_server.letter_views import audit_view, letter_summary, letter_view
from workflow_server.requests import Actor, Limit, Why, Work
from workflow_server.wire import StrictJsonRoute, json_answer

ROUTER = APIRouter(prefix="/api/dead-letters", tags=["dead letters"], route_class=StrictJsonRoute)


@ROUTER.get("", summary="Dead letters, newest first")
async def list_letters(
    work: Work,
    limit: Limit = 50,
    before: Annotated[str | None, Query(pattern=r"^[0-9]{1,19}-[0-9]{1,19}$")] = None,
    tenant: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """``{deadLetters, count, nextBefore}``: those which say they are ``tenant``'s, or all; secrets are redacted.

    ``count`` is that of all. Pass ``nextBefore`` as ``before`` for the next page.
    """
    letters = DeadLetters(work.redis)
    page = await letters.page(limit=limit, before=before, tenant=tenant)
    answer = {
        "deadLetters": [letter_summary(letter) for letter in page.letters],
        "count": await letters.count(),
        "nextBefore": page.next_before,
    }
    return json_answer(answer)


@ROUTER.get("/audit", summary="Who redrove, retried or dropped what, when and why, newest first")
async def audit(work: Work, limit: Limit = 50) -> Response:
    """``{audit: [{letterId, action, actor, at, why, eventId, tenant, reason, attempts, streamId}]}``."""
    entries = await DeadLetters(work.redis).audit(limit=limit)
    return json_answer({"audit": [audit_view(entry) for entry in entries]})


@ROUTER.get("/{letter_id}", summary="One dead letter with its original fields")
async def show_letter(letter_id: str, work: Work) -> Response:
    """The letter, secrets redacted, and ``history``: what was done before with letters of the same event.

    404 for a letter that was taken out says by whom, when and why.
    """
    letters = DeadLetters(work.redis)
    letter = await letters.show(letter_id)
    history = [audit_view(entry) for entry in await letters.history(letter)]
    return json_answer({**letter_view(letter), "history": history})


@ROUTER.post("/{letter_id}/redrive", status_code=202, summary="Put the original message on the stream again")
async def redrive(letter_id: str, work: Work, actor: Actor = "api", why: Why = "") -> Response:
    """202 with the new id on the stream, and with the ids of other letters of the same event, which go with it.

    ``X-Actor`` and ``?reason=`` say in the audit who did it and why.
    """
    redriven = await DeadLetters(work.redis).redrive(letter_id, actor=actor, why=why)
    return json_answer({"streamId": redriven.stream_id, "others": list(redriven.others)}, 202)


@ROUTER.delete("/{letter_id}", status_code=204, summary="Remove a dead letter for good")
async def drop(letter_id: str, work: Work, actor: Actor = "api", why: Why = "") -> Response:
    """``X-Actor`` and ``?reason=`` say in the audit who did it and why."""
    await DeadLetters(work.redis).drop(letter_id, actor=actor, why=why)
    return Response(status_code=204)
