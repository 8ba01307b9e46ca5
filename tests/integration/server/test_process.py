"""workflow-server as an operator starts it: start-up, the token, trouble around it, draining."""

import signal
import socket
from pathlib import Path

import httpx2
import pytest
from tests.fixtures.ports import free_port
from tests.fixtures.processes import PATIENCE_SECONDS, ServiceProcess, service_process


@pytest.fixture
def environment(temporal_server: str, redis_url: str) -> dict[str, str]:
    return {"TEMPORAL_ADDRESS": temporal_server, "REDIS_URL": redis_url, "SHUTDOWN_GRACE_SECONDS": "5"}


def test_it_serves_api_page_and_queue_and_drains_on_sigterm(environment: dict[str, str], tmp_path: Path) -> None:
    with service_process("workflow_server", free_port(), tmp_path, **environment) as server:
        server.until_ready()
        assert server.events("polling_queues")[0]["queues"] == ["workflow-app-actions"]
        assert server.events("api_without_token")
        assert httpx2.get(f"{server.url}/api/runs", timeout=PATIENCE_SECONDS).json() == {"runs": [], "nextCursor": None}
        assert "<title>Runs" in httpx2.get(f"{server.url}/runs", timeout=PATIENCE_SECONDS).text
        assert poller_verdict(server) == "OWNED"
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert [line["event"] for line in server.lines()][-1] == "drain_finished"


def poller_verdict(server: ServiceProcess) -> str:
    queues = httpx2.get(f"{server.url}/api/ownership", timeout=PATIENCE_SECONDS).json()["queues"]
    return next(str(row["verdict"]) for row in queues if row["queue"] == "workflow-app-actions")


def test_a_token_in_a_file_closes_the_server(environment: dict[str, str], tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("the token\n")
    variables = environment | {"API_TOKEN_FILE": str(token)}
    with service_process("workflow_server", free_port(), tmp_path, **variables) as server:
        server.until_ready()
        assert not server.events("api_without_token")
        assert httpx2.get(f"{server.url}/api/runs", timeout=PATIENCE_SECONDS).status_code == 401
        bearer = {"Authorization": "Bearer the token"}
        assert httpx2.get(f"{server.url}/api/runs", headers=bearer, timeout=PATIENCE_SECONDS).status_code == 200
        person = ("operator", "the token")
        assert httpx2.get(f"{server.url}/runs", auth=person, timeout=PATIENCE_SECONDS).status_code == 200


def test_without_temporal_it_lives_says_so_and_gives_up_at_the_deadline(redis_url: str, tmp_path: Path) -> None:
    variables = {"TEMPORAL_ADDRESS": "127.0.0.1:1", "REDIS_URL": redis_url, "CONNECT_DEADLINE_SECONDS": "3"}
    with service_process("workflow_server", free_port(), tmp_path, **variables) as server:
        server.until(lambda: bool(server.events("dependency_unreachable")))
        assert server.get("/livez")[0] == 200
        assert server.get("/readyz")[0] == 503
        assert httpx2.get(f"{server.url}/api/runs", timeout=PATIENCE_SECONDS).json()["code"] == "STARTING"
        assert server.wait() == 1
        assert server.errors.read_text().startswith("workflow-server: Temporal at 127.0.0.1:1 is unreachable")


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"AI_MODEL": "m"}, "set both AI_BASE_URL and AI_MODEL, or neither"),
        ({"SMTP_HOST": "mail"}, "set both SMTP_HOST and EMAIL_FROM, or neither"),
        ({"EMAIL_FROM": "no address", "SMTP_HOST": "mail"}, "EMAIL_FROM"),
        ({"API_TOKEN_FILE": "/nowhere/token"}, "API_TOKEN_FILE"),
        ({"MAX_BODY_BYTES": "1"}, "MAX_BODY_BYTES"),
    ],
)
def test_wrong_settings_end_it_with_one_line(variables: dict[str, str], complaint: str, tmp_path: Path) -> None:
    with service_process("workflow_server", free_port(), tmp_path, **variables) as server:
        assert server.wait() == 2
        [line] = server.errors.read_text().splitlines()
        assert complaint in line


def test_an_image_that_does_not_own_the_queue_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    manifest = tmp_path / "image.json"
    manifest.write_text('{"name": "workflow-server", "digest": "sha256:00", "queues": ["alga-jobs"]}')
    variables = environment | {"WORKFLOW_RUNTIME_IMAGE_JSON": str(manifest)}
    with service_process("workflow_server", free_port(), tmp_path, **variables) as server:
        assert server.wait() == 2
        assert "workflow-app-actions" in server.errors.read_text()


def test_a_port_that_is_taken_is_said_in_a_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with service_process("workflow_server", port, tmp_path) as server:
            assert server.wait() == 1
            [line] = server.errors.read_text().splitlines()
            assert f"cannot listen on 127.0.0.1:{port}" in line
