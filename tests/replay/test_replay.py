"""Recorded histories replay on today's code: a change that breaks runs under way fails here.

When a change is meant to alter what new runs do, guard it in the workflow so that old histories still replay, and add a
scenario; record a scenario anew only before the first release that could have run it:
``pytest tests/replay --record-histories``.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError
from tests.fixtures.authored import Authored, Handle
from tests.replay.conftest import Recorder
from tests.replay.scenarios import PLAYED, SCENARIOS

from workflow_runtime.core.definition import STEP_TYPES
from workflow_runtime.service.sandbox import workflow_runner
from workflow_worker.authored_run import AuthoredRun
from workflow_worker.sandbox import PASSED_MODULES
from workflow_worker.scheduled_start import ScheduledStartWorkflow

HISTORIES = Path(__file__).parent / "histories"


def _files(name: str) -> list[Path]:
    return sorted(HISTORIES.glob(f"{name}-*.json"))


async def _replay(text: str) -> None:
    replayer = Replayer(
        workflows=[AuthoredRun, ScheduledStartWorkflow],
        workflow_runner=workflow_runner(PASSED_MODULES),
        data_converter=pydantic_data_converter,
    )
    await replayer.replay_workflow(WorkflowHistory.from_json("recorded", text))


@pytest.mark.parametrize("name", SCENARIOS)
async def test_recorded_histories_replay(name: str, recorder: Recorder, record_histories: bool) -> None:
    if record_histories:
        async with recorder() as authored:
            await _record(name, authored)
    files = _files(name)
    assert files, f"record {name} with: pytest tests/replay --record-histories -k {name}"
    for file in files:
        await _replay(file.read_text())


async def _record(name: str, authored: Authored) -> None:
    handle = await SCENARIOS[name](authored)
    for old in _files(name):
        old.unlink()
    for number, history in enumerate(await _histories(authored, handle), start=1):
        text = json.dumps(_without_places(history.to_json_dict()), indent=1)
        (HISTORIES / f"{name}-{number}.json").write_text(f"{text}\n")


async def _histories(authored: Authored, handle: Handle) -> list[WorkflowHistory]:
    """Every history the run has had, oldest first."""
    runs = [run async for run in authored.client.list_workflows(f"WorkflowId = '{handle.id}'")]
    runs.sort(key=lambda run: run.start_time)
    return [await authored.client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history() for run in runs]


def _without_places(value: Any) -> Any:
    """Stack traces name directories of the machine that recorded."""
    if isinstance(value, dict):
        return {key: _without_places(item) for key, item in value.items() if key != "stackTrace"}
    return [_without_places(item) for item in value] if isinstance(value, list) else value


def test_every_recording_belongs_to_a_scenario() -> None:
    assert {file.stem.rpartition("-")[0] for file in HISTORIES.glob("*.json")} == set(SCENARIOS)


def test_a_recorded_run_goes_on_over_several_histories() -> None:
    assert len(_files("continued")) > 1


def test_every_step_type_stands_in_a_recording() -> None:
    recorded = {kind for file in HISTORIES.glob("*.json") for kind in _step_types(_definition(file))}
    assert recorded == set(STEP_TYPES)


def test_every_example_stands_in_a_recording() -> None:
    recorded = [_definition(file)["id"] for file in HISTORIES.glob("example-*.json")]
    assert sorted(recorded) == [path.stem for path in PLAYED]


def _definition(file: Path) -> Any:
    """The definition the run loaded: the result of its first local activity."""
    for event in json.loads(file.read_text())["events"]:
        payloads = event.get("markerRecordedEventAttributes", {}).get("details", {}).get("result", {})
        for payload in payloads.get("payloads", []):
            loaded = json.loads(base64.b64decode(payload.get("data", "")) or b"null")
            if isinstance(loaded, dict) and "definition" in loaded:
                return loaded["definition"]
    return None


def _step_types(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["type"]} if "id" in value and isinstance(value.get("type"), str) else set()
        return own.union(*(_step_types(item) for item in value.values()))
    return set().union(*(_step_types(item) for item in value)) if isinstance(value, list) else set()


async def test_a_history_that_the_code_would_not_write_is_refused() -> None:
    (file,) = _files("actions_and_waits")
    altered = file.read_text().replace('"executeWorkflowAction"', '"executeSomethingElse"')
    assert altered != file.read_text()
    with pytest.raises(NondeterminismError):
        await _replay(altered)
