"""The report: everything a reader needs, in each format, and the exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.boundary.tree import Tree

from boundary.cli import main
from boundary.codes import RULES, Code

VIOLATIONS = {
    "worker/main.py": "import worker.deep\nimport lib.core.engine\n",
    "worker/deep.py": "def go():\n    import lib.boot.engine  # why not\n\n\nimport gamma\n",
}

TEXT = """\
worker: error: forbidden [forbidden-import] src/worker/deep.py:2
  worker.deep imports lib.boot.engine, which worker may never contain
  chain       the only one
      images/worker.nix:8       python -m worker  → worker.__main__
      src/worker/__main__.py:1  import worker.main
      src/worker/main.py:1      import worker.deep
      src/worker/deep.py:2      import lib.boot.engine  # why not
  owner       package lib.boot, declared by server
  form        import in function go; runtime, seen by AST
  declaration images/worker.nix:6
  remedy      cut src/worker/deep.py:2:  import lib.boot.engine  # why not
  see         docs/boundary/forbidden-import.md

worker: error: undeclared [undeclared-import] src/worker/deep.py:5
  worker.deep imports gamma, which worker does not declare
  chain       the only one
      images/worker.nix:8       python -m worker  → worker.__main__
      src/worker/__main__.py:1  import worker.main
      src/worker/main.py:1      import worker.deep
      src/worker/deep.py:5      import gamma
  owner       distribution gamma, Poetry group server
  form        import in module body; runtime, seen by AST and run
  declaration pyproject.toml:9
  remedy      add to [tool.poetry.group.worker.dependencies] in pyproject.toml:9:  gamma = ">=3.0,<4"
              or cut src/worker/deep.py:5:  import gamma
  see         docs/boundary/undeclared-import.md

worker: warning: unused [unused-declaration] pyproject.toml
  worker has alpha, which nothing in it imports
  owner       distribution alpha, Poetry group worker
  declaration pyproject.toml:9
  remedy      remove alpha there, or move it to the group of the image that needs it
  see         docs/boundary/unused-declaration.md

boundary: worker: REFUSED (7 modules, 6 references; 2 violations, 1 warning)
"""


def _report(tree: Tree, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    code = main(["--manifest", str(tree.manifest()), *options])
    return code, capsys.readouterr().out


def test_text_report_tells_everything(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    tree.write(VIOLATIONS)
    assert _report(tree, capsys) == (1, TEXT)


def test_image_without_violations_is_one_line(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    tree.write({"worker/main.py": "import alpha, lib.core\n"})
    assert _report(tree, capsys) == (0, "boundary: worker: ok (6 modules, 4 references)\n")


def test_warnings_do_not_fail_the_build(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = _report(tree, capsys)
    assert code == 0
    assert "warning: unused [unused-declaration]" in text


def test_json_report_holds_the_same(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    tree.write(VIOLATIONS)
    code, text = _report(tree, capsys, "--format", "json")
    document = json.loads(text)
    (image,) = document["images"]
    assert (code, document["version"], image["image"], image["verdict"]) == (1, 1, "worker", "refused")
    first = image["findings"][0]
    assert first["chain"][-1] == {
        "path": "src/worker/deep.py",
        "line": 2,
        "text": "import lib.boot.engine  # why not",
        "target": "lib.boot.engine",
    }
    assert {
        key: first[key] for key in ("code", "severity", "verdict", "path", "line", "witness", "otherChains", "page")
    } == {
        "code": "forbidden-import",
        "severity": "error",
        "verdict": "forbidden",
        "path": "src/worker/deep.py",
        "line": 2,
        "witness": "AST",
        "otherChains": 0,
        "page": "docs/boundary/forbidden-import.md",
    }


def test_sarif_report_locates_every_result_and_steps_along_the_chain(
    tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    tree.write(VIOLATIONS)
    code, text = _report(tree, capsys, "--format", "sarif")
    log: dict[str, Any] = json.loads(text)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert (code, log["version"], rules) == (1, "2.1.0", [str(code) for code in Code])
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning"]
    first = run["results"][0]
    place = first["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("src/worker/deep.py", 2)
    assert len(first["codeFlows"][0]["threadFlows"][0]["locations"]) == 4


def test_several_images_are_one_report(tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree.write(VIOLATIONS)
    server = tmp_path / "server.json"
    packages = ["lib.core", "lib.boot", "worker"]
    gamma = {"name": "gamma", "version": "3.0", "groups": ["server"], "direct": True}
    changes = {"image": "server", "firstParty": packages, "forbidden": [], "distributions": [gamma]}
    server.write_text(json.dumps({**tree.document, **changes}))
    code = main(["--manifest", str(server), "--manifest", str(tree.manifest())])
    text = capsys.readouterr().out
    assert code == 1
    assert "boundary: server: ok" in text
    assert "boundary: worker: REFUSED" in text


def test_cache_changes_nothing_but_the_time(tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree.write(VIOLATIONS)
    cache = ("--cache", str(tmp_path / "cache"))
    fresh = _report(tree, capsys)
    assert [_report(tree, capsys, *cache), _report(tree, capsys, *cache)] == [fresh, fresh]
    tree.write({"worker/deep.py": "import alpha\n"})
    assert _report(tree, capsys, *cache) == _report(tree, capsys)


def test_damaged_cache_is_ignored(tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = tmp_path / "cache"
    fresh = _report(tree, capsys, "--cache", str(cache))
    for file in cache.iterdir():
        file.write_text("{")
    assert _report(tree, capsys, "--cache", str(cache)) == fresh


def test_every_code_has_a_rule_and_a_page() -> None:
    docs = Path(__file__).parents[3]
    assert set(RULES) == set(Code)
    pages = {str(code): docs / rule.page(code) for code, rule in RULES.items()}
    assert [code for code, page in pages.items() if not page.is_file()] == []
    assert {page.stem for page in (docs / "docs/boundary").glob("*.md")} == {*pages, "README"}


def test_every_page_shows_what_it_says() -> None:
    for code, rule in RULES.items():
        text = (Path(__file__).parents[3] / rule.page(code)).read_text(encoding="utf-8")
        assert text.startswith(f"# {code}\n"), code
        assert f"[{code}]" in text, code
