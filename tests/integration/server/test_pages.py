"""The operator page: every page answers, escapes what authors wrote, and lets a browser load nothing from elsewhere."""

import base64
import uuid
from html.parser import HTMLParser
from typing import Any, cast

import httpx2
import pytest
from tests.integration.server.conftest import TENANT, Ended, until
from tests.integration.server.definitions import definition

from workflow_runtime.core.contract import EVENT_STREAM
from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.store.events import Claim, DeadLetters, Target, TargetStatus
from workflow_server.backend import Backend

EVIL = "<script>alert(1)</script>"
IN_TENANT = {"tenant": TENANT}
_VOID = frozenset({"meta", "link", "img", "input", "br"})


class Checker(HTMLParser):
    """Fails on tags that do not close in order; keeps every address and every tag."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("href", "src", "action") and value]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(answer: httpx2.Response) -> Checker:
    checker = Checker()
    checker.feed(answer.text)
    checker.close()
    assert checker.open == []
    return checker


async def page(http: httpx2.AsyncClient, path: str, status: int = 200) -> httpx2.Response:
    answer = await http.get(path, params=IN_TENANT)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    return answer


async def publish(http: httpx2.AsyncClient, **changes: Any) -> None:
    answer = await http.post("/api/workflows/greeting/publish", json={"definition": definition(**changes)})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("path", ["/runs", "/workflows", "/events", "/dead-letters", "/tasks", "/ownership"])
async def test_a_tenant_without_anything_sees_whole_pages(http: httpx2.AsyncClient, path: str) -> None:
    checker = checked(await page(http, path))
    assert "script" not in checker.tags
    assert all(address.startswith("/") for address in checker.addresses)


async def test_a_browser_may_load_nothing_but_our_style_and_icon(http: httpx2.AsyncClient) -> None:
    policy = (await page(http, "/runs")).headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert (await http.get("/assets/page.css")).headers["content-type"] == "text/css; charset=utf-8"
    assert (await http.get("/assets/icon.svg")).headers["content-type"] == "image/svg+xml"
    assert (await http.get("/assets/..%2Fapp.py")).status_code == 404


async def test_a_run_shows_its_timeline(http: httpx2.AsyncClient, workers: None, ended: Ended) -> None:
    await publish(http)
    run_id = (await http.post("/api/workflows/greeting/runs")).json()["runId"]
    await ended(run_id)
    text = (await page(http, f"/runs/{run_id}")).text
    assert "Succeeded" in text
    assert "root.steps[0]" in text
    assert "http-equiv" not in text
    assert run_id[:13] in (await page(http, "/runs")).text


async def test_an_open_run_says_what_it_waits_for_and_refreshes(http: httpx2.AsyncClient, workers: None) -> None:
    await publish(http, steps=[{"id": "w", "type": "human.task", "config": {"taskType": "t", "title": EVIL}}])
    run_id = (await http.post("/api/workflows/greeting/runs")).json()["runId"]
    await until(http, run_id, lambda found: bool(found["waits"]))
    answer = await page(http, f"/runs/{run_id}")
    assert "Waits for a response to the task" in answer.text
    assert 'http-equiv="refresh"' in answer.text
    assert "script" not in checked(answer).tags
    assert "script" not in checked(await page(http, "/tasks")).tags


async def test_a_very_long_run_shows_its_latest_entries(http: httpx2.AsyncClient, backend: Backend) -> None:
    await publish(http)
    await http.post("/api/workflows/greeting/pause")
    run_id = (await http.post("/api/workflows/greeting/runs")).json()["runId"]
    moment = "2025-03-03T10:00:00.000Z"
    records = [
        ProjectionRecord(seq=n, kind="step", key=f"s{n}#1", fields={"stepId": f"step-{n}."}, at=moment)
        for n in range(1, 602)
    ]
    await backend.runs.apply_projections(TENANT, run_id, records)
    text = (await page(http, f"/runs/{run_id}")).text
    assert "101 earlier entries are not shown" in text
    assert "step-601." in text
    assert "step-101." not in text


async def test_what_authors_and_events_bring_is_escaped(http: httpx2.AsyncClient) -> None:
    await publish(http, name=EVIL, description=EVIL)
    posted = (await http.post("/api/events", json={"eventName": EVIL, "payload": {"ticketId": EVIL}})).json()
    for path in ("/workflows", "/workflows/greeting", "/events", f"/events/{posted['eventId']}"):
        answer = await page(http, path)
        assert "script" not in checked(answer).tags
        assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize(
    "path", ["/runs/nope", "/workflows/nope", f"/events/{uuid.UUID(int=7)}", "/dead-letters/1-1", "/tasks/nope"]
)
async def test_what_does_not_exist_is_a_page_with_404(http: httpx2.AsyncClient, path: str) -> None:
    assert "There is no such" in (await page(http, path, 404)).text


async def failed_event(http: httpx2.AsyncClient, backend: Backend, status: TargetStatus = TargetStatus.FAILED) -> str:
    """An event whose one target has failed for good, or ended in another ``status``."""
    event_id = str((await http.post("/api/events", json={"eventName": EVIL, "payload": {}})).json()["eventId"])
    claim = await backend.events.claim(TENANT, event_id, "t")
    assert isinstance(claim, Claim)
    reason = f"gave up: {EVIL}"
    target = Target(id="trigger:w", kind="trigger", run_id="r", workflow_id="w", status=status, reason=reason)
    assert await backend.events.finish(claim, [target], reason="")
    return event_id


async def test_a_failed_event_is_retried_from_its_page(http: httpx2.AsyncClient, backend: Backend) -> None:
    event_id = await failed_event(http, backend)
    shown = await page(http, f"/events/{event_id}")
    [form] = [address for address in checked(shown).addresses if address.startswith(f"/events/{event_id}/retry")]
    assert "Retry 1 target" in shown.text
    assert not [address for address in checked(shown).addresses if address.startswith("/runs/")], "it never began"
    begun = await page(http, f"/events/{await failed_event(http, backend, TargetStatus.DELIVERED)}")
    assert f"/runs/r?tenant={TENANT}" in checked(begun).addresses
    headers = {"Origin": "http://server", "Authorization": "Basic " + base64.b64encode(b"ada:token").decode()}
    body = {"reason": f" {EVIL}\nis back "}
    answer = await http.post(form, data=body, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/events/{event_id}?tenant={TENANT}")
    [retried] = (await backend.events.get(TENANT, event_id)).retries
    assert (retried.actor, retried.why) == ("ada (page)", f"{EVIL} is back")
    again = await http.post(form, data=body)
    assert again.status_code == 303, "a second click finds nothing to do"
    shown = await page(http, f"/events/{event_id}")
    assert "Retry 1 target" not in shown.text
    assert "ada (page)" in shown.text
    assert "script" not in checked(shown).tags
    assert len((await backend.events.get(TENANT, event_id)).retries) == 1


async def test_a_retry_from_another_sites_page_is_refused(http: httpx2.AsyncClient, backend: Backend) -> None:
    event_id = await failed_event(http, backend)
    for origin in ("http://elsewhere", "null"):
        answer = await http.post(f"/events/{event_id}/retry", params=IN_TENANT, headers={"Origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "CROSS_ORIGIN")
    assert (await http.post(f"/events/{uuid.uuid4()}/retry", params=IN_TENANT)).status_code == 404
    assert (await backend.events.get(TENANT, event_id)).retries == ()


async def test_dead_letters_are_shown_without_secrets_and_redriven_from_their_page(
    http: httpx2.AsyncClient, backend: Backend
) -> None:
    letters = DeadLetters(backend.redis)
    pairs = [(b"event_id", EVIL.encode()), (b"payload_json", b'{"token": "hunter2", "n": 7}'), (b"blob", b"\xff")]
    letter_id = await letters.add(pairs, reason=f"no event: {EVIL}", attempts=3, source="s")
    listed, shown = await page(http, "/dead-letters"), await page(http, f"/dead-letters/{letter_id}")
    assert letter_id in listed.text
    for answer in (listed, shown):
        assert "script" not in checked(answer).tags
        assert "&lt;script&gt;" in answer.text
        assert "hunter2" not in answer.text
    assert "&#34;n&#34;: 7" in shown.text
    [form] = [address for address in checked(shown).addresses if "redrive" in address]
    refused = await http.post(form, headers={"Origin": "http://elsewhere"})
    assert (refused.status_code, await letters.count()) == (403, 1)
    answer = await http.post(form, data={"reason": EVIL}, headers={"Origin": "http://server"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/dead-letters?tenant={TENANT}")
    raw = cast(Any, backend.redis).execute_command("XRANGE", EVENT_STREAM, "-", "+", NEVER_DECODE=[])
    assert [fields for _, fields in await raw] == [dict(pairs)]
    listed = await page(http, "/dead-letters")
    assert "script" not in checked(listed).tags
    assert "Redriven" in listed.text
    for gone in (await page(http, f"/dead-letters/{letter_id}", 404), await http.post(form)):
        assert "it was redriven by page at" in gone.text


async def test_the_page_of_events_shows_one_outcome(http: httpx2.AsyncClient, backend: Backend) -> None:
    failed = await failed_event(http, backend)
    waiting = (await http.post("/api/events", json={"eventName": "e", "payload": {}})).json()["eventId"]
    for outcome, inside, outside in (("FAILED", failed, waiting), ("ROUTING", waiting, failed)):
        answer = await http.get("/events", params={**IN_TENANT, "outcome": outcome})
        addresses = " ".join(checked(answer).addresses)
        assert inside in addresses
        assert outside not in addresses
    assert "gave up: &lt;script&gt;" in (await page(http, "/events")).text


async def test_a_person_gets_a_page_for_an_error_and_a_program_a_problem(http: httpx2.AsyncClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml"}
    for path in ("/nothing", "/runs?status=DONE", "/runs?tenant=a{b}"):
        answer = await http.get(path, headers=browser)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        checked(answer)
        assert (await http.get(path)).headers["content-type"] == "application/problem+json"
        assert (await http.get("/api/nothing", headers=browser)).headers["content-type"] == "application/problem+json"


async def test_home_leads_to_the_runs(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/")
    assert (answer.status_code, httpx2.URL(answer.headers["location"]).path) == (307, "/runs")


async def open_task(http: httpx2.AsyncClient, **config: Any) -> tuple[str, dict[str, Any]]:
    """A run that waits for a task, and the task."""
    ask = {"id": "ask", "type": "human.task", "config": {"taskType": "t", "title": EVIL} | config}
    await publish(http, steps=[ask])
    run_id = str((await http.post("/api/workflows/greeting/runs")).json()["runId"])
    await until(http, run_id, lambda found: bool(found["waits"]))
    [task] = (await http.get("/api/tasks")).json()["tasks"]
    return run_id, task


def form_of(shown: httpx2.Response) -> str:
    [form] = [address for address in checked(shown).addresses if "/complete?" in address]
    return form


async def test_a_task_is_answered_from_its_page(http: httpx2.AsyncClient, workers: None, ended: Ended) -> None:
    config = {"contextData": {"note": EVIL, "password": "p-1"}, "assign": {"vars.by": {"$expr": "vars.event.by"}}}
    run_id, task = await open_task(http, **config)
    shown = await page(http, f"/tasks/{task['taskId']}")
    form = form_of(shown)
    assert "script" not in checked(shown).tags
    assert "p-1" not in shown.text
    assert "p-1" not in str(task)
    headers = {"Origin": "http://server", "Authorization": "Basic " + base64.b64encode(b"ada:token").decode()}
    body = {"payload": '\r\n{"by": "ada",\r\n "token": "t-1"}', "eventName": " DECIDED "}
    answer = await http.post(form, data=body, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/tasks/{task['taskId']}?tenant={TENANT}")
    assert (await ended(run_id))["run"]["status"] == "SUCCEEDED"
    closed = (await http.get(f"/api/tasks/{task['taskId']}")).json()
    assert (closed["status"], closed["respondedBy"], closed["eventName"]) == ("COMPLETED", "ada (page)", "DECIDED")
    shown = await page(http, f"/tasks/{task['taskId']}")
    assert "ada (page)" in shown.text
    assert "t-1" not in shown.text + str(closed)
    assert "textarea" not in checked(shown).tags
    assert task["taskId"] in (await http.get("/tasks", params=IN_TENANT | {"status": "COMPLETED"})).text


@pytest.mark.parametrize(
    ("payload", "status", "told"),
    [
        ("{}", 422, "gave no value"),
        ("", 422, "gave no value"),
        ("{oops", 400, "is not strict JSON"),
        ('{"by": 1, "by": 2}', 400, "stands twice"),
        ('{"by": 1e400}', 400, "larger than a double"),
        ("[" * 150 + "]" * 150, 422, "nested"),
    ],
)
async def test_a_response_that_is_refused_is_told_in_words_and_stays_in_the_form(
    http: httpx2.AsyncClient, workers: None, payload: str, status: int, told: str
) -> None:
    _, task = await open_task(http, assign={"vars.by": {"$expr": "vars.event.by"}})
    form = form_of(await page(http, f"/tasks/{task['taskId']}"))
    answer = await http.post(form, data={"payload": payload, "eventName": EVIL})
    assert answer.status_code == status
    assert told in answer.text
    tags = checked(answer).tags
    assert ("textarea" in tags, "script" in tags) == (True, False)
    assert payload.replace('"', "&#34;") in answer.text
    assert (await http.get(form)).headers["location"] == f"/tasks/{task['taskId']}?tenant={TENANT}"
    assert (await http.get(f"/api/tasks/{task['taskId']}")).json()["status"] == "OPEN"


async def test_a_task_that_was_closed_meanwhile_takes_no_answer_from_its_page(
    http: httpx2.AsyncClient, workers: None
) -> None:
    _, task = await open_task(http)
    form = form_of(await page(http, f"/tasks/{task['taskId']}"))
    await http.post(f"/api/tasks/{task['taskId']}/complete", json={"payload": 1})
    answer = await http.post(form, data={"payload": "2"})
    assert answer.status_code == 409
    assert "takes no further response" in answer.text
    assert "textarea" not in checked(answer).tags


async def test_a_page_of_another_site_answers_no_task(http: httpx2.AsyncClient, workers: None) -> None:
    _, task = await open_task(http)
    form = form_of(await page(http, f"/tasks/{task['taskId']}"))
    for origin in ("https://elsewhere.example", "null"):
        answer = await http.post(form, data={"payload": "{}"}, headers={"Origin": origin})
        assert answer.status_code == 403
    assert (await http.get(f"/api/tasks/{task['taskId']}")).json()["status"] == "OPEN"
