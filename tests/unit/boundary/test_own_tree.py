"""This repository's own images: nothing to complain about, and every mutation of a worker is caught."""

import json
import random
import shutil
from pathlib import Path

import pytest
from tests.unit.boundary.forms import FORMS, Form, written
from tests.unit.boundary.own_tree import BOOTSTRAP, REPOSITORY, declarations, manifest

from boundary.cache import Cache
from boundary.check import check_images
from boundary.findings import Finding
from boundary.manifest import load_manifest

SOURCE = REPOSITORY / "src"
WORKERS = [image for image, fields in declarations().items() if BOOTSTRAP not in fields["packages"]]


def _check(directory: Path, source: Path, image: str) -> list[Finding]:
    path = directory / f"{image}.json"
    path.write_text(json.dumps(manifest(image, source)), encoding="utf-8")
    return list(check_images([load_manifest(str(path))], Cache(None))[0].findings)


@pytest.mark.parametrize("image", declarations())
def test_own_image_has_no_violation(image: str, tmp_path: Path) -> None:
    found = _check(tmp_path, SOURCE, image)
    assert [f"{finding.place} {finding.message}" for finding in found if finding.severity == "error"] == []


def test_declarations_are_read_from_the_image_files() -> None:
    assert declarations()["workflow-worker"]["packages"][0].startswith("workflow_runtime.")
    assert len(WORKERS) == 2


@pytest.mark.parametrize("image", WORKERS)
def test_bootstrap_import_in_any_module_and_any_form_is_caught_with_its_chain(image: str, tmp_path: Path) -> None:
    tree = tmp_path / "src"
    shutil.copytree(SOURCE, tree, ignore=shutil.ignore_patterns("__pycache__"))
    chance = random.Random(f"boundary {image}")
    planted = {}
    for package in declarations()[image]["packages"]:
        for file in sorted((tree / package.replace(".", "/")).rglob("*.py")):
            form = chance.choice(FORMS)
            planted[f"src/{file.relative_to(tree)}"] = _plant(file, form)
    found = [finding for finding in _check(tmp_path, tree, image) if finding.code == "forbidden-import"]
    missed = set(planted) - {finding.path for finding in found}
    assert {path: planted[path] for path in missed} == {}
    for finding in found:
        assert finding.subject.startswith(BOOTSTRAP)
        assert finding.chain[-1].place == finding.place
        assert finding.chain_note or finding.chain[0].path == f"images/{image}.nix"


def _plant(file: Path, form: Form) -> str:
    """Put the form at the module's end, where names of the form shadow nothing that the module still needs."""
    source = written(form, f"{BOOTSTRAP}.engine")
    indented = "".join(f"    {line}" for line in source.splitlines(keepends=True))
    block = source if "import *" in source or "global " in source else f"if True:\n{indented}"
    file.write_text(file.read_text(encoding="utf-8") + "\n\n" + block, encoding="utf-8")
    return form.name
