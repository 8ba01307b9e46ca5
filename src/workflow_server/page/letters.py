"""Pages of dead letters: what could not be delivered, of all tenants, and putting it back. Process code only."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from workflow_runtime.store.events import DeadLetters, UnknownDeadLetterError
from workflow_server.letter_views import audit_view, letter_view
from workflow_server.page.render import link
from workflow_server.page.routes import Frame, InFrame, person_and_reason

ROUTER = APIRouter(include_in_schema=False)

_PAGE: Final = 50
_ACTIVE: Final = "dead-letters"


@ROUTER.get("/dead-letters")
async def letters_page(frame: InFrame, before: Annotated[str | None, Query(max_length=64)] = None) -> Response:
    """Letters, newest first, and what was done last."""
    letters = DeadLetters(frame.work.redis)
    page = await letters.page(limit=_PAGE, before=before)
    return frame.page(
        "dead_letters.html",
        _ACTIVE,
        letters=[letter_view(letter) for letter in page.letters],
        next=page.next_before,
        audit=[audit_view(entry) for entry in await letters.audit(limit=10)],
    )


@ROUTER.get("/dead-letters/{letter_id}")
async def letter_page(letter_id: str, frame: InFrame) -> Response:
    """One letter with its fields, secrets redacted, and what was done before about its event."""
    letters = DeadLetters(frame.work.redis)
    try:
        letter = await letters.show(letter_id)
    except UnknownDeadLetterError as error:
        return _missing(frame, error)
    history = [audit_view(entry) for entry in await letters.history(letter)]
    return frame.page("dead_letter.html", _ACTIVE, letter=letter_view(letter), history=history)


@ROUTER.post("/dead-letters/{letter_id}/redrive")
async def redrive(letter_id: str, frame: InFrame, request: Request) -> Response:
    """Put the message on the stream again; then back to the list, which tells."""
    actor, why = await person_and_reason(request)
    try:
        await DeadLetters(frame.work.redis).redrive(letter_id, actor=actor, why=why)
    except UnknownDeadLetterError as error:
        return _missing(frame, error)
    return RedirectResponse(link("/dead-letters", frame.tenant), status_code=303)


def _missing(frame: Frame, error: UnknownDeadLetterError) -> Response:
    title = "There is no such dead letter"
    return frame.page("problem.html", _ACTIVE, http_status=404, title=title, detail=error.message)
