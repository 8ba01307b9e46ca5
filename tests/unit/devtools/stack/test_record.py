"""What `up` remembers, so that `down` and `run` find it."""

from pathlib import Path

import pytest
from devtools.errors import DevError
from devtools.stack import record
from devtools.stack.record import Stack


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory that does not exist yet."""
    directory = tmp_path / "state"
    monkeypatch.setattr(record, "STATE", directory)
    monkeypatch.setattr(record, "_FILE", directory / "stack.json")
    return directory


def test_stack_is_found_again_until_it_is_forgotten() -> None:
    stack = Stack("embedded", "/nix/store/conf", {"REDIS_CLIENT_PORT": 6379}, pid=12, started="345")
    assert record.load() is None

    record.save(stack)
    assert record.load() == stack

    record.forget()
    assert record.load() is None
    record.forget()


def test_ports_are_variables_for_other_programs() -> None:
    assert Stack("compose", "x", {"REDIS_CLIENT_PORT": 6379}).environment() == {"REDIS_CLIENT_PORT": "6379"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mode": "embedded"}', '{"mode": "x", "unknown": 1}'])
def test_record_that_cannot_be_read_names_the_file(text: str, state: Path) -> None:
    state.mkdir()
    (state / "stack.json").write_text(text)

    with pytest.raises(DevError, match=r"stack\.json .*remove it"):
        record.load()
