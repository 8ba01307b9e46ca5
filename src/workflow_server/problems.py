"""Every error the API answers, as RFC 9457 problem details. Process code only.

A body is ``{type, title, status, detail, instance, code, findings}``: ``code`` is stable and meant for programs,
``findings`` are the single complaints: those of a definition as RUNTIME.md section 10 has them, those of a request have
its place in the request as ``stepPath``; the list is empty when the detail says it all.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from temporalio.service import RPCError

from workflow_runtime.core.errors import Category, Failure, RuntimeFailureError
from workflow_server.page.render import html

PROBLEM_JSON: Final = "application/problem+json"

_STATUS_OF_CATEGORY: Final[Mapping[Category, int]] = {
    Category.VALIDATION: 422,
    Category.EXPRESSION: 422,
    Category.ACTION: 409,
    Category.CHILD_WORKFLOW: 409,
    Category.CANCELLATION: 409,
    Category.QUOTA: 429,
    Category.TRANSIENT: 503,
    Category.TIMEOUT: 504,
    Category.CORRUPTION: 500,
}

_WAYS_OUT: Final[Mapping[int, str]] = {
    404: "there is nothing at this address; GET /api/openapi.json lists every route of the API",
    405: "this address does not take this method; GET /api/openapi.json lists those it takes",
}


class ProblemError(HTTPException):
    """An error answer: HTTP status, stable code, and a sentence that says what to do."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        findings: Iterable[Any] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status_code=status, detail=detail, headers=headers)
        self.code = code
        self.findings = list(findings)


def not_found(kind: str, name: str, hint: str) -> ProblemError:
    """404 for a thing this tenant does not have."""
    return ProblemError(404, "NOT_FOUND", f"there is no {kind} {name!r} for this tenant; {hint}")


def invalid_value(code: str, detail: str, problems: Iterable[str]) -> ProblemError:
    """422 for a value that does not fit a schema, one finding per complaint."""
    return ProblemError(422, code, detail, findings=_complaints(code, problems))


def _complaints(code: str, problems: Iterable[str]) -> list[dict[str, str]]:
    return [{"severity": "error", "code": code, "stepPath": "", "message": problem} for problem in problems]


def as_problem(error: Exception) -> ProblemError | None:
    """What ``error`` is to a caller; None when it is a fault of ours."""
    match error:
        case ProblemError():
            return error
        case HTTPException():
            return _routing_problem(error)
        case RequestValidationError():
            return _invalid_request(error)
        case RuntimeFailureError():
            return problem_of_failure(error.to_failure())
        case RPCError():
            return _unavailable("TEMPORAL_UNAVAILABLE", f"Temporal did not take the call: {error.message}")
        case RedisError():
            return _unavailable("REDIS_UNAVAILABLE", f"Redis did not take the call: {error}")
    return None


def problem_of_failure(failure: Failure) -> ProblemError:
    """What a typed failure of ours is to a caller."""
    status = 404 if failure.code == "NOT_FOUND" else _STATUS_OF_CATEGORY[failure.category]
    code = failure.code or failure.category.name
    match failure.details:
        case {"problems": list(problems)}:
            return ProblemError(status, code, failure.message, findings=_complaints(code, problems))
    return ProblemError(status, code, failure.message)


def problem_response(request: Request, error: ProblemError) -> Response:
    """The problem document for ``error``; a person who looks at a page gets a page."""
    status = HTTPStatus(error.status_code)
    if not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", ""):
        page = html("bare_problem.html", status.value, title=status.phrase, detail=error.detail)
        page.headers.update(error.headers or {})
        return page
    body = {
        "type": f"urn:workflow-runtime:problem:{error.code.lower().replace('_', '-')}",
        "title": status.phrase,
        "status": status.value,
        "detail": error.detail,
        "instance": request.url.path,
        "code": error.code,
        "findings": error.findings,
    }
    content = to_json(body, by_alias=True, exclude_none=True)
    return Response(content, status_code=status.value, media_type=PROBLEM_JSON, headers=error.headers)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every exception that leaves a route as a problem document."""

    async def answer(request: Request, error: Exception) -> Response:
        problem = as_problem(error)
        if problem is None or problem.status_code == 500:
            # The server prints the traceback of what nobody expected; here is which request it was.
            log = structlog.get_logger(__name__)
            log.error("request_failed", method=request.method, path=request.url.path, error=repr(error))
        return problem_response(request, problem or _internal())

    for kind in (HTTPException, RequestValidationError, RuntimeFailureError, RPCError, RedisError, Exception):
        app.add_exception_handler(kind, answer)


def _routing_problem(error: HTTPException) -> ProblemError:
    """What the router refuses, with the way out, which it does not say."""
    status = HTTPStatus(error.status_code)
    detail = _WAYS_OUT.get(status, error.detail)
    return ProblemError(status.value, status.name, detail, headers=error.headers)


def _internal() -> ProblemError:
    return ProblemError(500, "INTERNAL_ERROR", "the server failed on this request; its log says why")


def _unavailable(code: str, detail: str) -> ProblemError:
    return ProblemError(503, code, f"{detail}; try again", headers={"Retry-After": "1"})


def _invalid_request(error: RequestValidationError) -> ProblemError:
    findings = [
        {
            "severity": "error",
            "code": "INVALID_REQUEST",
            "stepPath": ".".join(str(part) for part in item["loc"]),
            "message": item["msg"],
        }
        for item in error.errors()
    ]
    summary = "; ".join(f"{finding['stepPath']}: {finding['message']}" for finding in findings)
    return ProblemError(422, "INVALID_REQUEST", summary, findings=findings)
