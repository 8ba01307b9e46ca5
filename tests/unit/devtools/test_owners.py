"""`./dev owners`: the table of queues, and an exit code that scripts can use."""

from typing import Any

import pytest
from devtools import owners
from devtools.errors import DevError
from devtools.stack import record
from devtools.stack.record import Stack


def _queue(verdict: str, *pollers: dict[str, Any]) -> dict[str, Any]:
    return {
        "queue": "alga-jobs",
        "owner": "temporal-worker",
        "pollers": list(pollers),
        "verdict": verdict,
        "detail": "as declared",
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the server of a running stack answers: `status` and `body`, or `error`."""
    answer: dict[str, Any] = {"status": 200, "body": {"queues": []}, "error": None}

    def get_json(port: int, path: str) -> tuple[int, Any]:
        assert (port, path) == (8080, "/api/ownership")
        if answer["error"]:
            raise answer["error"]
        return answer["status"], answer["body"]

    stack = Stack("embedded", "conf", {"WORKFLOW_SERVER_HTTP_PORT": 8080})
    monkeypatch.setattr(record, "load", lambda: stack)
    monkeypatch.setattr(owners, "get_json", get_json)
    return answer


def test_queue_polled_by_its_owner_alone_is_fine(server: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    server["body"] = {"queues": [_queue("OWNED", {"image": "temporal-worker", "identity": "x"})]}

    assert owners.owners() == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row == ["alga-jobs", "temporal-worker", "temporal-worker", "OWNED", "as", "declared"]


def test_any_other_queue_makes_the_command_fail(server: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    stranger = {"image": None, "identity": "somebody@host"}
    server["body"] = {"queues": [_queue("OWNED"), _queue("STRANGER", stranger)]}

    assert owners.owners() == 1
    assert "somebody@host" in capsys.readouterr().out


def test_stack_that_does_not_run_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "load", lambda: None)

    with pytest.raises(DevError, match=r"nothing of this checkout runs: start it with \./dev up"):
        owners.owners()


def test_server_that_does_not_answer_is_said_to(server: dict[str, Any]) -> None:
    server["error"] = ConnectionRefusedError("refused")

    with pytest.raises(DevError, match=r"workflow-server does not answer on port 8080 \(refused\): run \./dev up"):
        owners.owners()


@pytest.mark.parametrize(("body", "said"), [({"detail": "Temporal is away"}, "Temporal is away"), (None, "None")])
def test_servers_own_problem_is_passed_on(body: object, said: str, server: dict[str, Any]) -> None:
    server["status"], server["body"] = 503, body

    with pytest.raises(DevError, match=f"workflow-server answers 503: {said}"):
        owners.owners()
