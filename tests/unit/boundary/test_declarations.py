"""Declarations that do not fit the source: stale comments and packages, unused ones, entry points, layers."""

import pytest
from tests.unit.boundary.tree import Tree

from boundary.findings import Finding


def _by_code(tree: Tree, code: str, **changes: object) -> list[Finding]:
    return [finding for finding in tree.check({}, **changes).findings if finding.code == code]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("x = 1  # boundary: imports lib.core\n", "no line of this statement needs a declaration"),
        ("import json  # boundary: imports json\n", "no line of this statement needs a declaration"),
        ("x = 1  # boundary: imports nothing\n", "no line of this statement needs a declaration"),
        ("def go(x):\n    exec(x)\n    # boundary: imports lib.core\n", "no line of this statement needs"),
        ("def go(x):\n    exec(x)  # boundary: imports lib.core.gone\n", "lib.core.gone does not exist"),
        ("def go(x):\n    exec(x)  # boundary: import lib.core\n", "it must read"),
        ("def go(x):\n    exec(x)  # boundary: imports lib-core\n", "it must read"),
        ("def go(x):\n    exec(x)  # boundary: imports nothing, json\n", "'nothing' excludes other modules"),
    ],
)
def test_comment_that_does_not_fit_is_stale(source: str, problem: str, tree: Tree) -> None:
    tree.write({"worker/x.py": source})
    (finding,) = _by_code(tree, "stale-declaration")
    assert problem in finding.message


def test_comment_may_name_several_modules(tree: Tree) -> None:
    source = "def go(x):\n    exec(x)  # boundary: imports lib.core.engine, alpha , json\n"
    assert tree.findings({"worker/x.py": source}) == []


def test_comment_may_say_that_a_line_loads_nothing(tree: Tree) -> None:
    assert tree.findings({"worker/x.py": "def go(x):\n    return eval(x)  # boundary: imports nothing\n"}) == []


def test_string_that_is_no_reference_is_excused_unless_it_names_the_forbidden_package(tree: Tree) -> None:
    source = "A = 'gamma.price'  # boundary: imports nothing\nB = 'lib.boot:run'  # boundary: imports nothing\n"
    found = tree.findings({"worker/x.py": source})
    assert {(finding.code, finding.line) for finding in found} == {("forbidden-import", 2), ("stale-declaration", 2)}


def test_load_by_a_choice_of_names_cannot_be_excused(tree: Tree) -> None:
    source = "def go(x):\n    __import__('gamma' if x else 'alpha')  # boundary: imports nothing\n"
    assert "undeclared-import" in {finding.code for finding in tree.findings({"worker/x.py": source})}


def test_text_that_only_looks_like_a_comment_is_none(tree: Tree) -> None:
    assert tree.findings({"worker/x.py": 'X = """\n# boundary: imports lib.core\n"""\n'}) == []


def test_comment_that_names_another_images_package_is_a_violation(tree: Tree) -> None:
    (finding,) = tree.findings({"worker/x.py": "def go(x):\n    exec(x)  # boundary: imports gamma\n"})
    assert finding.code == "undeclared-import"
    assert finding.form == "builtins.exec, declared by comment"


def test_declared_package_without_files_is_stale(tree: Tree) -> None:
    (finding,) = _by_code(tree, "stale-declaration", firstParty=["lib.core", "worker", "lib.gone"])
    assert (finding.place, finding.subject) == ("images/worker.nix:6", "lib.gone")


def test_distribution_nobody_imports_is_a_warning(tree: Tree) -> None:
    (finding,) = _by_code(tree, "unused-declaration", firstParty=["worker"])
    assert (finding.severity, finding.subject, finding.declaration) == ("warning", "alpha", "pyproject.toml:9")


@pytest.mark.parametrize("source", ["import alpha\n", "def go():\n    import alpha.sub\n", "X = 'alpha.sub:run'\n"])
def test_distribution_somebody_imports_is_used(source: str, tree: Tree) -> None:
    tree.write({"worker/x.py": source})
    assert "alpha" not in {finding.subject for finding in _by_code(tree, "unused-declaration")}


def test_distribution_whose_command_is_started_is_used(tree: Tree) -> None:
    tree.write({"alpha-1.2.3.dist-info/entry_points.txt": "[console_scripts]\nserve = alpha:main\n"}, "site")
    entries = [{"kind": "command", "value": ["/usr/bin/serve", "worker.main:app"]}]
    assert "alpha" not in {f.subject for f in _by_code(tree, "unused-declaration", entryPoints=entries)}


def test_package_no_entry_point_leads_to_is_a_warning(tree: Tree) -> None:
    tree.write({"worker/x.py": "import alpha\n"})
    (finding,) = _by_code(tree, "unused-declaration")
    assert (finding.subject, finding.place) == ("lib.core", "images/worker.nix:6")


def test_compiled_module_is_undecidable(tree: Tree) -> None:
    tree.write({"worker/fast.so": "", "worker/__pycache__/main.cpython-313.pyc": ""})
    (finding,) = tree.findings()
    assert (finding.code, finding.path) == ("undecidable-import", "src/worker/fast.so")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (["python", "-m", "lib.boot"], "forbidden-import"),
        (["/usr/bin/python3.13", "-I", "-m", "lib.boot.engine"], "forbidden-import"),
        (["python", "-c", "import lib.boot"], "forbidden-import"),
        ("lib.boot.engine:run", "forbidden-import"),
        (["uvicorn", "--port", "80", "lib.boot:app"], "forbidden-import"),
        (["python", "-m", "server"], "undeclared-import"),
        (["python", "-m", "gamma"], "undeclared-import"),
        (["python", "-m", "worker.gone"], "unknown-module"),
        (["python", "-m", "lib.core"], "unknown-module"),
        (["python", "/srv/other.py"], "undecidable-import"),
    ],
)
def test_entry_point_outside_the_closure_is_refused(value: object, code: str, tree: Tree) -> None:
    entries = [{"kind": "health check", "value": value, "file": "images/worker.nix", "line": 12}]
    found = [f for f in tree.findings(entryPoints=entries) if f.code != "unused-declaration"]
    assert [(finding.code, finding.place) for finding in found] == [(code, "images/worker.nix:12")]


@pytest.mark.parametrize(
    "value",
    [
        ["python", "-m", "worker"],
        ["python3", "-X", "dev", "-m", "worker.main"],
        ["python", "-c", "import lib.core"],
        "worker.main:run",
        ["redis-server", "--port", "6379"],
        ["python", "src/worker/main.py"],
        ["python", "-m", "alpha"],
    ],
)
def test_entry_point_inside_the_closure_is_silent(value: object, tree: Tree) -> None:
    assert tree.findings(entryPoints=[{"kind": "command", "value": value}]) == []


LAYERS = [["worker"], ["lib.boot"], ["lib.core"]]


def test_lower_layer_may_not_import_a_higher_one(tree: Tree) -> None:
    (finding,) = tree.findings({"lib/core/x.py": "def go():\n    import worker.main\n"}, layers=LAYERS)
    assert (finding.code, finding.place, finding.subject) == ("layer-import", "src/lib/core/x.py:2", "worker.main")


def test_neighbours_in_a_layer_may_not_import_each_other(tree: Tree) -> None:
    found = tree.findings({"lib/core/x.py": "import worker.main\n"}, layers=[["worker", "lib.core"]])
    assert [finding.code for finding in found] == ["layer-import"]


def test_higher_layer_may_import_a_lower_one(tree: Tree) -> None:
    files = {"worker/x.py": "import lib.core.engine\nimport worker.main\n", "lib/core/x.py": "import lib.core.engine\n"}
    assert tree.findings(files, layers=LAYERS) == []
