"""One component: a tree, the same tree as a layer, and what the layer says about itself."""

import json
import tarfile
from pathlib import Path

import pytest
from tests.unit.builders.conftest import Build
from tests.unit.builders.wheels import make_wheel

import component
from trees import SITE_PACKAGES


def _members(layer: Path) -> list[str]:
    with tarfile.open(layer / "layer.tar") as tar:
        return [entry.name for entry in tar if entry.isfile()]


def test_wheel_becomes_a_tree_and_a_layer_below_its_prefix(given: Build, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "demo.whl", {"demo/__init__.py": "", "demo/sources/a.c": ""})
    document = {"name": "demo-1.0", "kind": "wheel", "source": str(wheel), "prefix": "app", "dropped": ["demo/sources"]}
    paths = given(document, outputs=("out", "layer"))

    component.main()

    packages = paths["out"] / SITE_PACKAGES
    assert (packages / "demo/__pycache__/__init__.cpython-313.pyc").exists()
    assert not (packages / "demo/sources").exists()
    assert f"app/{SITE_PACKAGES}/demo/__init__.py" in _members(paths["layer"])
    description = json.loads((paths["layer"] / "layer.json").read_text())
    assert description == {
        "name": "demo-1.0",
        "kind": "wheel",
        "diffId": description["diffId"],
        "size": (paths["layer"] / "layer.tar").stat().st_size,
    }


def test_base_stands_at_the_root(given: Build, tmp_path: Path) -> None:
    (tmp_path / "base/usr/lib").mkdir(parents=True)
    (tmp_path / "base/usr/lib/mod.py").write_text("x = 1")
    (tmp_path / "base/lib").symlink_to("usr/lib")
    paths = given(
        {"name": "python-base", "kind": "base", "source": str(tmp_path / "base"), "prefix": "."}, ("out", "layer")
    )

    component.main()

    assert _members(paths["layer"]) == ["usr/lib/__pycache__/mod.cpython-313.pyc", "usr/lib/mod.py"]
    assert (paths["out"] / "lib").is_symlink()


def test_first_party_file_that_does_not_compile_ends_the_build(
    given: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "src/worker").mkdir(parents=True)
    (tmp_path / "src/worker/broken.py").write_text("def f(:\n")
    given({"name": "s", "kind": "source", "source": str(tmp_path / "src"), "prefix": "app"}, ("out", "layer"))

    with pytest.raises(SystemExit):
        component.main()

    assert capsys.readouterr().err == (f"error: first-party files do not compile: {SITE_PACKAGES}/worker/broken.py\n")


def test_bad_wheel_ends_the_build_with_one_line(
    given: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = make_wheel(tmp_path / "demo.whl", {"../x": ""})
    given({"name": "demo", "kind": "wheel", "source": str(wheel), "prefix": "app", "dropped": []}, ("out", "layer"))

    with pytest.raises(SystemExit):
        component.main()

    assert capsys.readouterr().err == "error: demo.whl holds ../x, which points outside the installation\n"
