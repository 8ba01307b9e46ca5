"""What Nix gives a builder: a document, and environment variables that name its outputs."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

type Build = Callable[..., dict[str, Path]]


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Set up a build: `given(document, outputs=("out", "layer"))` returns the output paths, which do not exist yet."""

    def setup(document: Mapping[str, Any], outputs: tuple[str, ...] = ("out",), version: object = 1) -> dict[str, Path]:
        directory = tmp_path / "build"
        directory.mkdir(exist_ok=True)
        path = directory / "document.json"
        path.write_text(json.dumps({"version": version, **document}))
        monkeypatch.setenv("documentPath", str(path))
        paths = {name: directory / f"output-{name}" for name in outputs}
        for name, output in paths.items():
            monkeypatch.setenv(name, str(output))
        return paths

    return setup
