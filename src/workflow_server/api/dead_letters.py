"""Routes of dead letters: messages that could not be delivered. They belong to no tenant alone. Process code only."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from workflow_runtime.store.events import DeadLetter, DeadLetters
from workflow_server.requests import Limit, Work
from workflow_server.wire import StrictJsonRoute, json_answer

ROUTER = APIRouter(prefix="/api/dead-letters", tags=["dead letters"], route_class=StrictJsonRoute)

Actor = Annotated[str, Header(alias="X-Actor", max_length=200)]


@ROUTER.get("", summary="Dead letters, newest first")
async def list_letters(
    work: Work, limit: Limit = 50, before: Annotated[str | None, Query(max_length=64)] = None
) -> Response:
    """``{deadLetters, count, nextBefore}``; pass ``nextBefore`` as ``before`` for the next page."""
    letters = DeadLetters(work.redis)
    found = await letters.list(limit=limit, before=before)
    answer = {
        "deadLetters": [_view(letter) for letter in found],
        "count": await letters.count(),
        "nextBefore": found[-1].id if len(found) == limit else None,
    }
    return json_answer(answer)


@ROUTER.get("/audit", summary="Who redrove or dropped what, newest first")
async def audit(work: Work, limit: Limit = 50) -> Response:
    """``{audit: [{letterId, action, actor, at, eventId}]}``."""
    entries = await DeadLetters(work.redis).audit(limit=limit)
    rows = [
        {"letterId": row.letter_id, "action": row.action, "actor": row.actor, "at": row.at, "eventId": row.event_id}
        for row in entries
    ]
    return json_answer({"audit": rows})


@ROUTER.get("/{letter_id}", summary="One dead letter with its original fields")
async def show_letter(letter_id: str, work: Work) -> Response:
    """The fields as they came; bytes that are no text show as ``\\xNN``."""
    return json_answer(_view(await DeadLetters(work.redis).show(letter_id)))


@ROUTER.post("/{letter_id}/redrive", status_code=202, summary="Put the original message on the stream again")
async def redrive(letter_id: str, work: Work, actor: Actor = "api") -> Response:
    """202 with the new id on the stream. ``X-Actor`` names the person in the audit."""
    return json_answer({"streamId": await DeadLetters(work.redis).redrive(letter_id, actor=actor)}, 202)


@ROUTER.delete("/{letter_id}", status_code=204, summary="Remove a dead letter for good")
async def drop(letter_id: str, work: Work, actor: Actor = "api") -> Response:
    """``X-Actor`` names the person in the audit."""
    await DeadLetters(work.redis).drop(letter_id, actor=actor)
    return Response(status_code=204)


def _view(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "reason": letter.reason,
        "at": letter.at,
        "attempts": letter.attempts,
        "source": letter.source,
        "fields": letter.fields(),
    }
