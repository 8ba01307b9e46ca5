"""Manifests of this repository's own images, read from images/*.nix, pyproject.toml and poetry.lock without Nix."""

import re
import site
import sysconfig
import tomllib
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[3]
BOOTSTRAP = "workflow_runtime.bootstrap"


def _strings(text: str, attribute: str) -> list[str]:
    found = re.search(rf"^\s*{re.escape(attribute)} = (\[.*?\]|\"[^\"]*\");", text, re.MULTILINE | re.DOTALL)
    return re.findall(r'"([^"]*)"', found[1]) if found else []


@cache
def declarations() -> dict[str, dict[str, list[str]]]:
    """Image -> its packages, group, program and workflow code; only images that run Python of ours."""
    images = {}
    for file in sorted((REPOSITORY / "images").glob("*.nix")):
        text = file.read_text(encoding="utf-8")
        fields = {name: _strings(text, name) for name in ("packages", "group", "program.python", "workflowCode")}
        if fields["packages"]:
            images[file.stem] = fields
    return images


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _direct(project: dict[str, Any], group: str) -> set[str]:
    main = [re.split(r"[ (<>=]", requirement)[0] for requirement in project["project"]["dependencies"]]
    own = project["tool"]["poetry"]["group"][group]["dependencies"]
    return {_normalized(name) for name in (*main, *own)}


def manifest(image: str, source_root: Path) -> dict[str, Any]:
    """The document the check of one image reads, over the running interpreter's wheels."""
    declared = declarations()[image]
    (group,) = declared["group"]
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    lock = tomllib.loads((REPOSITORY / "poetry.lock").read_text(encoding="utf-8"))
    installed = {_normalized(found.name) for found in distributions()}
    inside = [p for p in lock["package"] if {"main", group} & set(p["groups"]) and p["name"] in installed]
    direct = _direct(project, group)
    packages = {name: fields["packages"] for name, fields in declarations().items()}
    return {
        "version": 1,
        "image": image,
        "group": group,
        "sourceRoot": str(source_root),
        "firstParty": declared["packages"],
        "knownFirstParty": {
            package: [name for name, held in packages.items() if package in held]
            for package in sorted({package for held in packages.values() for package in held})
        },
        "forbidden": [BOOTSTRAP] if BOOTSTRAP not in declared["packages"] else [],
        "distributions": [
            {"name": p["name"], "version": p["version"], "groups": p["groups"], "direct": p["name"] in direct}
            for p in inside
        ],
        "knownDistributions": {
            p["name"]: {"groups": p["groups"], "version": p["version"]} for p in lock["package"] if p not in inside
        },
        "sitePackages": [sysconfig.get_paths()["purelib"], *_user_site()],
        "entryPoints": [{"kind": "command", "value": ["python", "-m", *declared["program.python"]]}],
        "workflowModules": declared["workflowCode"],
    }


def _user_site() -> list[str]:
    directory = site.getusersitepackages()
    return [directory] if site.ENABLE_USER_SITE and Path(directory).is_dir() else []
