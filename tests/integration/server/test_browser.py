"""The operator page in a real browser, served by the real processes: what a person sees and where the links lead."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx2
import pytest
import redis
from redis.asyncio import Redis
from tests.fixtures.browser import Browser
from tests.fixtures.ports import free_port
from tests.fixtures.processes import PATIENCE_SECONDS, service_process
from tests.fixtures.servers import running_temporal
from tests.integration.server.definitions import definition

from workflow_runtime.store.connection import tenant_key

IMAGE: Final = "<img src=x onerror=document.title='hit'>"
SCRIPT: Final = "<script>document.title='hit'</script>"
TENANT: Final = "<script>document.title='hit'"
TASK: Final = {"id": "ask", "type": "human.task", "config": {"taskType": "approval", "title": "May we?"}}


@pytest.fixture(scope="module")
def site(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a workflow-server that has a workflow-worker beside it; every test is a tenant of its own.

    On a Temporal server of their own, because other tests look at who polls the queues of the session's.
    """
    logs = tmp_path_factory.mktemp("site")
    with running_temporal(logs) as temporal, redis.Redis.from_url(redis_server) as client:
        client.flushall()
        yield from processes({"TEMPORAL_ADDRESS": temporal, "REDIS_URL": redis_server}, logs)


def processes(variables: dict[str, str], logs: Path) -> Iterator[str]:
    with (
        service_process("workflow_server", free_port(), logs, **variables) as server,
        service_process("workflow_worker", free_port(), logs, **variables) as worker,
    ):
        server.until_ready()
        worker.until_ready()
        yield server.url


def api(site: str, tenant: str) -> httpx2.Client:
    return httpx2.Client(base_url=site, headers={"X-Tenant-Id": tenant}, timeout=PATIENCE_SECONDS)


def started(site: str, tenant: str, workflow_id: str = "greeting", **changes: Any) -> str:
    """The id of a run of a new definition."""
    path = f"/api/workflows/{quote(workflow_id, safe='')}"
    with api(site, tenant) as http:
        body = {"definition": definition(workflow_id, **changes)}
        published = http.post(f"{path}/publish", json=body)
        assert published.status_code == 201, published.text
        return str(http.post(f"{path}/runs", json={}).json()["runId"])


def page(site: str, path: str, tenant: str) -> str:
    return f"{site}{path}?{urlencode({'tenant': tenant})}"


def shows(browser: Browser, selector: str, text: str) -> None:
    """Return once the page shows the text, which an open run's page does by itself; fails after a minute."""
    deadline = time.monotonic() + 60
    # In one step: the page may be loaded anew between finding an element and reading it.
    shown = f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"
    while text not in (found := str(browser.evaluate(shown))):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def run_link(run_id: str) -> str:
    return f'main a[href^="/runs/{run_id}"]'


def test_a_person_goes_from_the_list_to_a_run_and_its_timeline(site: str, browser: Browser) -> None:
    run_id = started(site, "acme")
    browser.open(page(site, "/runs", "acme"))
    browser.click(run_link(run_id))
    shows(browser, "main", "Succeeded")
    assert "root.steps[0]" in browser.text(".timeline")
    assert browser.style(".timeline", "list-style-type") == "none"
    browser.click("nav a[href^='/workflows']")
    browser.click("main a[href^='/workflows/greeting']")
    assert browser.text("h1") == "Greeting"
    assert browser.console() == []


def test_an_open_task_leads_to_its_run_whose_page_follows_the_answer(site: str, browser: Browser) -> None:
    run_id = started(site, "globex", steps=[TASK])
    browser.open(page(site, f"/runs/{run_id}", "globex"))
    shows(browser, "main", "Waits for a response to the task 'May we?'")
    browser.click("nav a[href^='/tasks']")
    assert "May we?" in browser.text("table")
    browser.click(run_link(run_id))
    with api(site, "globex") as http:
        [task] = http.get("/api/tasks").json()["tasks"]
        http.post(f"/api/tasks/{task['taskId']}/complete", json={"payload": {}}).raise_for_status()
    shows(browser, "main", "Succeeded")
    browser.click("nav a[href^='/tasks']")
    assert "No open task" in browser.text("main")
    assert browser.console() == []


def test_names_that_are_markup_are_shown_as_text_and_run_nothing(site: str, browser: Browser) -> None:
    task = {**TASK, "config": {"taskType": IMAGE, "title": SCRIPT, "description": IMAGE}}
    run_id = started(site, TENANT, IMAGE, name=SCRIPT, description=IMAGE, steps=[task])
    with api(site, TENANT) as http:
        event = http.post("/api/events", json={"eventName": SCRIPT, "payload": {"ticketId": IMAGE}}).json()["eventId"]
    browser.open(page(site, f"/runs/{run_id}", TENANT))
    shows(browser, "main", SCRIPT)
    for path, told in (
        ("/runs", IMAGE),
        ("/workflows", SCRIPT),
        (f"/workflows/{quote(IMAGE)}", SCRIPT),
        ("/tasks", SCRIPT),
        ("/events", SCRIPT),
        (f"/events/{event}", IMAGE),
    ):
        browser.open(page(site, path, TENANT))
        shows(browser, "main", told)
        assert TENANT in browser.text("header")
        assert browser.evaluate("document.title") != "hit"
        assert browser.evaluate("document.querySelectorAll('script, main img').length") == 0
    assert browser.console() == []


async def test_a_failed_event_is_retried_by_a_click(site: str, redis_server: str, browser: Browser) -> None:
    """The version of the workflow is missing, as after an incomplete restore, and comes back."""
    trigger = {"type": "event", "eventName": "ticket.created"}
    version = tenant_key("hooli", "workflow", "greeting", "version", 1)
    with api(site, "hooli") as http:
        http.put("/api/schemas/payload.Ticket.v1", json={"type": "object"})
        http.put("/api/event-types/ticket.created", json={"payloadSchemaRef": "payload.Ticket.v1"})
        body = {"definition": definition(trigger=trigger, payloadSchemaRef="payload.Ticket.v1")}
        assert http.post("/api/workflows/greeting/publish", json=body).status_code == 201
        async with Redis.from_url(redis_server, decode_responses=True) as store:
            await store.rename(version, "aside")
            event = http.post("/api/events", json={"eventName": "ticket.created", "payload": {}}).json()["eventId"]
            browser.open(page(site, f"/events/{event}", "hooli"))
            shows(browser, "main", "Retry 1 target")
            await store.rename("aside", version)
    browser.click("form.retry button")
    shows(browser, ".head .pill", "Matched")
    shows(browser, "main", "No reason given · trigger:greeting")
    browser.open(page(site, "/events", "hooli"))
    browser.click(".chips a[href*=UNMATCHED]")
    assert "No unmatched event" in browser.text("main")
    assert browser.console() == []


def test_a_person_answers_a_task_after_the_run_has_refused_what_it_cannot_work_with(
    site: str, browser: Browser
) -> None:
    config = {
        "taskType": "approval",
        "title": "May we?",
        "contextData": {"ticket": IMAGE, "apiKey": "k-123"},
        "assign": {"vars.by": {"$expr": "vars.event.by"}},
    }
    run_id = started(site, "initech", steps=[TASK | {"config": config}])
    browser.open(page(site, f"/runs/{run_id}", "initech"))
    shows(browser, "main", "Waits for a response to the task 'May we?'")
    browser.click(".notice a[href^='/tasks/']")
    assert IMAGE in browser.text("main pre")
    assert "k-123" not in browser.text("main")
    browser.fill("#payload", '{"approved": ')
    browser.click("form.answer button")
    shows(browser, "[role=alert]", "The response is not strict JSON")
    assert browser.evaluate("document.querySelector('#payload').value") == '{"approved": '
    browser.fill("#payload", '{"approved": true}')
    browser.fill("#eventName", SCRIPT)
    browser.click("form.answer button")
    shows(browser, "[role=alert]", "gave no value")
    assert browser.evaluate("document.querySelector('#payload').value") == '{"approved": true}'
    assert browser.evaluate("document.querySelector('#eventName').value") == SCRIPT
    assert browser.text(".head .pill") == "Open"
    browser.fill("#payload", '{"by": "ada", "password": "p-456"}')
    browser.click("form.answer button")
    shows(browser, ".head .pill", "Completed")
    assert (SCRIPT in browser.text("main"), "p-456" in browser.text("main")) == (True, False)
    browser.click(run_link(run_id))
    shows(browser, "main", "Succeeded")
    # The browser itself reports each answer that is not a success; nothing else may be there.
    assert [line for line in browser.console() if "status of 4" not in line] == []
