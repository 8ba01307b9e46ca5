"""The operator page: every page answers, escapes what authors wrote, and lets a browser load nothing from elsewhere."""

import uuid
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest
from tests.integration.server.conftest import TENANT, Ended, until
from tests.integration.server.definitions import definition

from workflow_runtime.core.projection import ProjectionRecord
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


@pytest.mark.parametrize("path", ["/runs", "/workflows", "/events", "/tasks", "/ownership"])
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


@pytest.mark.parametrize("path", ["/runs/nope", "/workflows/nope", f"/events/{uuid.uuid4()}"])
async def test_what_does_not_exist_is_a_page_with_404(http: httpx2.AsyncClient, path: str) -> None:
    assert "There is no such" in (await page(http, path, 404)).text


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
