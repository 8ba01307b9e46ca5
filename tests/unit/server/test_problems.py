"""Problem documents: every kind of error has its status, code and sentence, and ours shows no inside."""

from typing import Any

import pytest
from fastapi import FastAPI
from redis.exceptions import ConnectionError as RedisConnectionError
from starlette.testclient import TestClient
from temporalio.service import RPCError, RPCStatusCode

from workflow_runtime.core.errors import Category, TimeoutFailure, TransientFailure
from workflow_runtime.store.errors import ArchivedError, InvalidNameError, NotFoundError, StoreError
from workflow_server.problems import PROBLEM_JSON, ProblemError, install_problem_handlers, invalid_value


class _Corrupt(StoreError):
    category = Category.CORRUPTION


def answer_to(error: Exception) -> Any:
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/thing")
    async def fail() -> None:
        raise error

    return TestClient(app, raise_server_exceptions=False).get("/thing")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ProblemError(409, "RUN_ENDED", "over"), 409, "RUN_ENDED"),
        (NotFoundError("run", "r", "acme", "list them"), 404, "NOT_FOUND"),
        (InvalidNameError("tenant", "{", "no braces"), 422, "INVALID_NAME"),
        (ArchivedError("w"), 409, "ARCHIVED"),
        (TransientFailure("later", code="BUSY"), 503, "BUSY"),
        (TimeoutFailure("too slow"), 504, "TIMEOUT"),
        (RPCError("gone", RPCStatusCode.UNAVAILABLE, b""), 503, "TEMPORAL_UNAVAILABLE"),
        (RedisConnectionError("refused"), 503, "REDIS_UNAVAILABLE"),
        (_Corrupt("not what was stored", code="DEFINITION_HASH_MISMATCH"), 500, "DEFINITION_HASH_MISMATCH"),
        (RuntimeError("a detail of the inside"), 500, "INTERNAL_ERROR"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_error_becomes_a_problem_document(error: Exception, status: int, code: str) -> None:
    answer = answer_to(error)
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM_JSON)
    assert (body["status"], body["code"], body["instance"]) == (status, code, "/thing")
    assert body["type"] == f"urn:workflow-runtime:problem:{code.lower().replace('_', '-')}"
    assert body["findings"] == []


def test_a_crash_tells_the_caller_nothing_of_the_inside() -> None:
    assert "inside" not in answer_to(RuntimeError("a detail of the inside")).text


def test_complaints_of_a_schema_are_findings() -> None:
    body = answer_to(invalid_value("PAYLOAD_INVALID", "does not fit", ["a is missing", "b is no number"])).json()
    assert [finding["message"] for finding in body["findings"]] == ["a is missing", "b is no number"]
    assert {finding["code"] for finding in body["findings"]} == {"PAYLOAD_INVALID"}


def test_an_unknown_path_is_a_problem_document_too() -> None:
    app = FastAPI()
    install_problem_handlers(app)
    answer = TestClient(app).get("/nothing")
    assert (answer.status_code, answer.headers["content-type"], answer.json()["code"]) == (
        404,
        PROBLEM_JSON,
        "NOT_FOUND",
    )
