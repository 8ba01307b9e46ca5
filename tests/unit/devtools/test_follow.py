"""`./dev run`: publishes, sends each event when the run waits for it, and says what it waits for when time is up."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from devtools import follow
from devtools.follow import Example, FollowError, MistakeError

from workflow_runtime.store.events import NewEvent

UNUSED: Any = None
"""A connection that is not reached: events are published by a fake, or the example ends before it connects."""

DEFINITION = {"id": "ticket", "version": 3}
SCRIPT: dict[str, Any] = {
    "schemas": {"payload.Ticket.v1": {"type": "object"}},
    "eventTypes": {"TICKET_CREATED": "payload.Ticket.v1"},
    "events": [
        {"eventName": "TICKET_CREATED", "payload": {"ticketId": "1"}},
        {"eventName": "TICKET_CLOSED", "correlationKey": "1", "payload": {}},
    ],
}


class Server:
    """workflow-server for one run, which waits for TICKET_CLOSED and then succeeds."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.sent: list[NewEvent] = []
        self.final = "SUCCEEDED"
        self.problem: tuple[int, object] | None = None
        self.on_wait: Callable[[], None] = lambda: None

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request."""
        body = json.loads(request.content) if request.content else None
        self.calls.append((request.method, request.url.path, body))
        if self.problem:
            status, content = self.problem
            return httpx2.Response(status, json=content) if isinstance(content, dict) else httpx2.Response(status)
        return httpx2.Response(200, json=self._answer(request.method, request.url.path))

    def _answer(self, method: str, path: str) -> dict[str, Any]:
        if path == "/api/runs":
            return {"runs": [{"runId": "r1", "triggerEventId": "event-1"}] if self.sent else []}
        if method == "POST" and path.endswith("/runs"):
            return {"runId": "r1"}
        if path == "/api/runs/r1":
            return self._detail()
        return {}

    def _detail(self) -> dict[str, Any]:
        waits = len(self.sent) == 1
        if waits:
            self.on_wait()
        step = {"seq": 2, "at": "t2", "status": "SUCCEEDED", "stepPath": "root.steps[0]", "stepType": "state.set"}
        wait = {"seq": 1, "at": "t1", "key": "w", "type": "event", "eventName": "TICKET_CLOSED"}
        return {
            "run": {"status": "WAITING" if waits else self.final, "error": None},
            "steps": [step],
            "waits": [{**wait, "status": "WAITING" if waits else "RESOLVED"}],
            "actions": [],
            "waitingFor": [{"kind": "event", "text": "the event TICKET_CLOSED"}] if waits else [],
        }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server, and a stream on which events get ids in order."""
    server = Server()

    async def publish(redis: object, event: NewEvent) -> str:
        server.sent.append(event)
        return f"event-{len(server.sent)}"

    monkeypatch.setattr(follow, "publish", publish)
    monkeypatch.setenv("TEMPORAL_UI_PORT", "8233")
    monkeypatch.setenv("WORKFLOW_SERVER_HTTP_PORT", "8080")
    return server


@pytest.fixture
async def play(server: Server, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """`await play(definition, script)`: whether the run succeeded."""
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(server), base_url="http://server")

    async def run(definition: object = DEFINITION, script: object = SCRIPT) -> bool:
        (tmp_path / "ticket.json").write_text(json.dumps(definition))
        (tmp_path / "ticket.run.json").write_text(json.dumps(script))
        return await Example(tmp_path / "ticket.json", http, UNUSED).play()

    yield run
    await http.aclose()


async def test_trigger_goes_first_and_each_event_when_it_is_waited_for(server: Server, play: Any) -> None:
    assert await play() is True

    assert [(event.event_name, event.correlation_key) for event in server.sent] == [
        ("TICKET_CREATED", None),
        ("TICKET_CLOSED", "1"),
    ]


async def test_schemas_and_event_types_come_before_the_definition(server: Server, play: Any) -> None:
    await play()

    assert [(method, path) for method, path, _ in server.calls[:3]] == [
        ("PUT", "/api/schemas/payload.Ticket.v1"),
        ("PUT", "/api/event-types/TICKET_CREATED"),
        ("POST", "/api/workflows/ticket/publish"),
    ]


async def test_workflow_without_events_is_started_through_the_api(server: Server, play: Any) -> None:
    server.sent.append(NewEvent(tenant="default", event_name="X", payload={}))
    server.sent.append(NewEvent(tenant="default", event_name="Y", payload={}))

    assert await play(script={"start": {"items": [1]}}) is True
    assert ("POST", "/api/workflows/ticket/runs", {"payload": {"items": [1]}}) in server.calls


async def test_timeline_is_in_order_and_addresses_follow(
    server: Server, play: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    await play()

    said = capsys.readouterr().out
    assert said.index("t1  RESOLVED") < said.index("t2  SUCCEEDED   root.steps[0]  state.set")
    assert "http://127.0.0.1:8233/namespaces/default/workflows/workflow-runtime-v2:run:r1" in said
    assert "http://127.0.0.1:8080/runs/r1" in said


async def test_failed_run_is_not_a_success(server: Server, play: Any) -> None:
    server.final = "FAILED"

    assert await play() is False


async def test_time_that_is_up_says_what_the_run_waits_for(
    server: Server, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on_wait = lambda: monkeypatch.setattr(follow, "DEADLINE_SECONDS", -1.0)

    with pytest.raises(FollowError, match=r"not done in .* s; waiting for the event TICKET_CLOSED"):
        await play(script={**SCRIPT, "events": SCRIPT["events"][:1]})


async def test_refused_definition_lists_its_findings(server: Server, play: Any) -> None:
    finding = {"code": "UNKNOWN_ACTION", "stepPath": "root.steps[0]", "message": "did you mean ai.infer?"}
    server.problem = (422, {"detail": "the definition has findings", "findings": [finding]})

    with pytest.raises(FollowError) as failure:
        await play()

    assert "answers 422: the definition has findings" in str(failure.value)
    assert "  UNKNOWN_ACTION root.steps[0]: did you mean ai.infer?" in str(failure.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", r"ticket\.json is not JSON"), ("[]", r"ticket\.json must hold a JSON object")],
)
def test_file_that_is_no_definition_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "ticket.json").write_text(text)

    with pytest.raises(FollowError, match=message):
        Example(tmp_path / "ticket.json", UNUSED, UNUSED)


def test_missing_script_points_at_the_description(tmp_path: Path) -> None:
    (tmp_path / "ticket.json").write_text(json.dumps(DEFINITION))

    with pytest.raises(FollowError, match=r"ticket\.run\.json is missing; examples/README\.md describes"):
        Example(tmp_path / "ticket.json", UNUSED, UNUSED)


@pytest.mark.parametrize(
    ("definition", "script", "told"),
    [
        ({}, {}, "ticket.json needs an id"),
        ({"id": 5}, {}, "ticket.json needs an id"),
        (DEFINITION, {"events": {}}, "events must be a list"),
        (DEFINITION, {"events": [{}]}, "an object with an eventName"),
        (DEFINITION, {"events": ["x"]}, "an object with an eventName"),
        (DEFINITION, {"schemas": []}, "schemas must be an object"),
    ],
)
async def test_files_that_cannot_be_played_are_told_in_one_line_and_end_with_two(
    play: Any, definition: object, script: object, told: str
) -> None:
    with pytest.raises(MistakeError) as caught:
        await play(definition, script)
    assert told in str(caught.value)
    assert (caught.value.exit_code, "\n" in str(caught.value)) == (2, False)


async def test_an_id_may_hold_any_letter(server: Server, play: Any) -> None:
    assert await play({"id": "€ 5/6", "version": 1}, {"start": {}}) is True
    assert "/api/workflows/€ 5/6/publish" in [path for _, path, _ in server.calls]


@pytest.mark.parametrize(("status", "code"), [(422, 2), (503, 1)])
async def test_what_the_server_refuses_is_a_mistake_and_what_it_cannot_do_is_none(
    server: Server, play: Any, status: int, code: int
) -> None:
    server.problem = (status, {"detail": "no"})
    with pytest.raises(FollowError) as caught:
        await play()
    assert caught.value.exit_code == code
