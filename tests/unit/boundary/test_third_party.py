"""Distributions: declared, present as a dependency of another, belonging to another image, or nobody's."""

import pytest
from tests.unit.boundary.tree import Tree


def _codes(tree: Tree, source: str, **changes: object) -> list[tuple[str, str]]:
    return [(finding.code.value, finding.subject) for finding in tree.findings({"worker/x.py": source}, **changes)]


@pytest.mark.parametrize(
    "source", ["import alpha\n", "from alpha import sub\n", "import alpha.sub as s\n", "X = 'alpha.sub:run'\n"]
)
def test_declared_distribution_may_be_imported(tree: Tree, source: str) -> None:
    assert _codes(tree, source) == []


@pytest.mark.parametrize("source", ["import beta\n", "from beta import x\n", "def go():\n    __import__('beta')\n"])
def test_distribution_that_is_only_a_dependency_is_refused(tree: Tree, source: str) -> None:
    tree.write({"beta/__init__.py": "x = 1\n"}, "site")
    (finding,) = tree.findings({"worker/x.py": source})
    assert (finding.code, finding.subject, finding.owner) == (
        "transitive-import",
        "beta",
        "distribution beta, Poetry group worker",
    )
    assert (
        finding.remedy[0] == 'add to [tool.poetry.group.worker.dependencies] in pyproject.toml:9:  beta = ">=0.4,<0.5"'
    )


@pytest.mark.parametrize(
    "source", ["import gamma\n", "try:\n    import gamma\nexcept ImportError:\n    pass\n", "X = 'gamma.app:run'\n"]
)
def test_distribution_of_another_image_is_refused_though_it_lies_on_the_disk(tree: Tree, source: str) -> None:
    (finding,) = tree.findings({"worker/x.py": source})
    assert (finding.code, finding.owner) == ("undeclared-import", "distribution gamma, Poetry group server")
    assert (
        finding.remedy[0] == 'add to [tool.poetry.group.worker.dependencies] in pyproject.toml:9:  gamma = ">=3.0,<4"'
    )


def test_type_only_import_of_another_image_is_reported_as_such(tree: Tree) -> None:
    (finding,) = tree.findings(
        {"worker/x.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import gamma\n"}
    )
    assert (finding.code, finding.certainty) == ("undeclared-import", "type-only")


def test_package_run_by_several_images_needs_the_distribution_in_main(tree: Tree) -> None:
    (finding,) = tree.findings({"lib/core/x.py": "import gamma\n"})
    assert finding.remedy[0] == 'add to [project] dependencies in pyproject.toml:3:  "gamma (>=3.0,<4)",'


def test_module_nobody_provides_is_unknown(tree: Tree) -> None:
    assert _codes(tree, "import delta.epsilon\n") == [("unknown-module", "delta.epsilon")]


def test_standard_library_is_free(tree: Tree) -> None:
    assert _codes(tree, "import asyncio, xml.dom, json\nfrom concurrent import futures\nX = 'email.send'\n") == []


def test_standard_module_this_python_lacks_is_unknown(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdlib_module_names", frozenset({*__import__("sys").stdlib_module_names, "tkinter_gone"}))
    assert _codes(tree, "def go():\n    import tkinter_gone\n") == [("unknown-module", "tkinter_gone")]


def test_namespace_packages_belong_to_the_distribution_that_holds_the_part(tree: Tree) -> None:
    tree.write({"g-1.dist-info/RECORD": "goo/proto/__init__.py,,\n", "goo/proto/__init__.py": ""}, "site")
    tree.document["distributions"].append({"name": "g", "version": "1", "groups": ["worker"], "direct": True})
    assert _codes(tree, "import goo.proto\nfrom goo import proto\n") == []
    assert _codes(tree, "import goo.other\n") == [("unknown-module", "goo.other")]


def test_import_names_come_from_the_wheel_and_not_from_the_name(tree: Tree) -> None:
    tree.write(
        {"Py_Thing-1.dist-info/RECORD": "thing/__init__.py,,\n_thing.abi3.so,,\n", "thing/__init__.py": ""}, "site"
    )
    tree.document["distributions"].append({"name": "py-thing", "version": "1", "groups": ["main"], "direct": True})
    assert _codes(tree, "import thing\nif False:\n    import _thing\n") == []


def test_wheel_may_try_its_own_optional_import(tree: Tree) -> None:
    tree.write({"alpha/__init__.py": "try:\n    import gamma\nexcept ImportError:\n    gamma = None\n"}, "site")
    assert _codes(tree, "import alpha\nassert alpha.gamma is None\n") == []


def test_find_spec_by_a_wheel_says_that_what_is_outside_is_not_there(tree: Tree) -> None:
    source = "import importlib.util\nHAS = importlib.util.find_spec('gamma') is not None\n"
    tree.write({"alpha/__init__.py": source}, "site")
    assert _codes(tree, "import alpha\nassert not alpha.HAS\n") == []


@pytest.mark.parametrize(
    "source",
    [
        "import lib.boot\n",
        "try:\n    import lib.boot\nexcept ImportError:\n    pass\n",
        "def f():\n    __import__('lib.boot')\n",
    ],
)
def test_wheel_may_not_reach_first_party_code_outside_the_closure(tree: Tree, source: str) -> None:
    tree.write({"alpha/sub.py": source}, "site")
    (finding,) = tree.findings({"worker/x.py": "import alpha\n"})
    assert (finding.code, finding.path) == ("forbidden-import", "site-packages/alpha/sub.py")
    assert finding.chain_note == "the file belongs to the distribution alpha"
    assert "a wheel cannot be edited" in finding.remedy[0]


def test_wheel_that_computes_the_name_is_seen_by_the_run(tree: Tree) -> None:
    source = "try:\n    __import__(''.join(['l', 'ib', '.bo', 'ot']))\nexcept ImportError:\n    pass\n"
    tree.write({"alpha/__init__.py": source}, "site")
    (finding,) = tree.findings({"worker/x.py": "import alpha\n"})
    assert (finding.code, finding.path, finding.line, finding.witness) == (
        "forbidden-import",
        "site-packages/alpha/__init__.py",
        2,
        "run",
    )


def test_wheel_that_lacks_a_dependency_is_an_import_failure(tree: Tree) -> None:
    tree.write({"alpha/__init__.py": "import gamma\n"}, "site")
    (finding,) = tree.findings({"worker/x.py": "import alpha\n", "worker/y.py": "import alpha\n"})
    assert (finding.code, finding.place) == ("import-failure", "src/worker/x.py:1")
    assert "No module named 'gamma'" in finding.message
    assert "1 more module" in finding.message
    assert "declare the distribution that provides it" in finding.remedy[0]


def test_dotted_string_that_is_no_module_of_the_wheel_means_nothing(tree: Tree) -> None:
    assert _codes(tree, "EVENT = 'beta.opened'\nHOST = 'gamma.com'\nFILE = 'gamma.json'\n") == []


def test_name_of_a_logger_is_no_reference(tree: Tree) -> None:
    assert _codes(tree, "import logging\nlogging.getLogger('gamma.wire')\n") == []


def test_docstrings_and_messages_are_no_references(tree: Tree) -> None:
    source = (
        '"""gamma.client"""\ndef go():\n    """lib.boot.engine"""\n    raise ValueError("gamma.client is missing")\n'
    )
    assert _codes(tree, source) == []


def test_piece_of_a_longer_string_is_no_reference(tree: Tree) -> None:
    assert _codes(tree, "A = 'gamma.' + 'com'\nB = 'lib.boot' + 'ing/now'\nC = f\"{'lib.boot'}-{1}\"\n") == []


def test_function_of_ours_that_is_called_like_a_loader_is_none(tree: Tree) -> None:
    source = "def import_string(text):\n    return text\n\n\ndef go(x):\n    return import_string(x)\n"
    assert _codes(tree, source) == []


def test_string_is_told_of_beside_a_plain_import_of_the_same(tree: Tree) -> None:
    found = tree.findings({"worker/x.py": "import gamma\nX = 'gamma.app:run'\n"})
    assert [finding.line for finding in found] == [1, 2]
