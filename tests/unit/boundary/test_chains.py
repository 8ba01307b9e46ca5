"""How a violation is reached: through packages, other modules, relative names and values from other modules."""

from tests.unit.boundary.tree import Tree

from boundary.findings import Finding


def _forbidden(found: list[Finding]) -> list[Finding]:
    assert {finding.code for finding in found} == {"forbidden-import"}
    return found


def test_parent_package_whose_init_leaves_the_closure_is_found(tree: Tree) -> None:
    tree.write(
        {
            "worker/deep/__init__.py": "import lib.boot\n",
            "worker/deep/leaf.py": "",
            "worker/main.py": "import worker.deep.leaf\n",
        }
    )
    (finding,) = _forbidden(tree.findings())
    assert finding.place == "src/worker/deep/__init__.py:1"
    assert [hop.place for hop in finding.chain] == [
        "images/worker.nix:8",
        "src/worker/__main__.py:1",
        "src/worker/main.py:1",
        "src/worker/deep/__init__.py:1",
    ]


def test_parent_outside_the_declared_packages_is_still_read(tree: Tree) -> None:
    (finding,) = _forbidden(tree.findings({"lib/__init__.py": "from lib.boot import engine\n"}))
    assert finding.place == "src/lib/__init__.py:1"


def test_chain_is_the_shortest_and_others_are_counted(tree: Tree) -> None:
    files = {
        "worker/main.py": "import worker.a\nimport worker.c\n",
        "worker/a.py": "import worker.b\n",
        "worker/b.py": "import worker.c\n",
        "worker/c.py": "def go():\n    from lib.boot.engine import run\n    return run\n",
    }
    (finding,) = _forbidden(tree.findings(files))
    assert [(hop.place, hop.text) for hop in finding.chain] == [
        ("images/worker.nix:8", "python -m worker"),
        ("src/worker/__main__.py:1", "import worker.main"),
        ("src/worker/main.py:2", "import worker.c"),
        ("src/worker/c.py:2", "from lib.boot.engine import run"),
    ]
    assert finding.other_chains == 1
    assert finding.context == "function go"


def test_running_code_is_preferred_to_a_typing_block_in_a_chain(tree: Tree) -> None:
    files = {
        "worker/main.py": "import typing\nif typing.TYPE_CHECKING:\n    import worker.c\nimport worker.a\n",
        "worker/a.py": "import worker.c\n",
        "worker/c.py": "import lib.boot\n",
    }
    (finding,) = _forbidden(tree.findings(files))
    assert [hop.target for hop in finding.chain] == [
        "worker.__main__",
        "worker.main",
        "worker.a",
        "worker.c",
        "lib.boot",
    ]


def test_module_no_entry_point_leads_to_is_judged_all_the_same(tree: Tree) -> None:
    (finding,) = _forbidden(tree.findings({"worker/stray.py": "import lib.boot\n"}))
    assert finding.chain_note == "no entry point leads here; the module is in the image because worker is declared"
    assert [hop.place for hop in finding.chain] == ["src/worker/stray.py:1"]


def test_chain_through_a_cycle_ends(tree: Tree) -> None:
    files = {
        "worker/main.py": "import worker.a\n",
        "worker/a.py": "import worker.b\n",
        "worker/b.py": "import worker.a\nimport lib.boot\n",
    }
    (finding,) = _forbidden(tree.findings(files))
    assert len(finding.chain) == 5


def test_relative_imports_are_resolved_from_their_package(tree: Tree) -> None:
    files = {
        "lib/core/here.py": "from .. import boot\n",
        "lib/core/sub/__init__.py": "from ...boot import engine\n",
        "lib/core/sub/leaf.py": "from ...boot.engine import *\n",
        "lib/core/named.py": "import importlib\nimportlib.import_module('..boot', __package__)\n",
        "lib/core/levels.py": "def go():\n    __import__('boot.engine', globals(), None, ['run'], 2)\n",
    }
    found = _forbidden(tree.findings(files))
    assert {finding.path for finding in found} == {f"src/{file}" for file in files}


def test_relative_import_that_leaves_the_tree_is_unknown(tree: Tree) -> None:
    (finding,) = tree.findings({"worker/x.py": "def go():\n    from ... import boot\n"})
    assert finding.code == "unknown-module"


def test_constant_of_another_module_is_followed(tree: Tree) -> None:
    files = {
        "worker/names.py": "class Names:\n    ENGINE = 'lib.boot' + '.engine'\n",
        "worker/loading.py": "from worker.names import Names\nimport importlib as i\ni.import_module(Names.ENGINE)\n",
    }
    assert ("src/worker/loading.py", 3) in {(f.path, f.line) for f in _forbidden(tree.findings(files))}


def test_loader_exported_by_another_module_is_followed(tree: Tree) -> None:
    files = {
        "worker/load/__init__.py": "from worker.load.it import *\n",
        "worker/load/it.py": "from importlib import import_module as bring\n",
        "worker/main.py": "from worker import load\n\n\ndef go():\n    return load.bring('lib.boot')\n",
        "worker/other.py": "from worker.load import bring\n\n\ndef go(name):\n    return bring(name)\n",
    }
    found = {(finding.place, finding.code.value) for finding in tree.findings(files)}
    assert found == {("src/worker/main.py:5", "forbidden-import"), ("src/worker/other.py:5", "undecidable-import")}


def test_name_a_package_does_not_have_is_a_missing_module(tree: Tree) -> None:
    (finding,) = tree.findings({"worker/x.py": "def go():\n    from worker import nowhere\n"})
    assert (finding.code, finding.subject) == ("unknown-module", "worker.nowhere")


def test_name_a_package_may_make_up_is_accepted(tree: Tree) -> None:
    files = {
        "worker/p/__init__.py": "def __getattr__(name):\n    return name\n",
        "worker/x.py": "from worker.p import thing\n",
    }
    assert tree.findings(files) == []


def test_file_of_a_package_nobody_declares_is_outside(tree: Tree) -> None:
    (finding,) = tree.findings({"lib/stray.py": "", "worker/x.py": "from lib import stray\n"})
    assert (finding.code, finding.subject) == ("undeclared-import", "lib.stray")


def test_result_does_not_depend_on_files_outside_the_image(tree: Tree) -> None:
    tree.write({"worker/x.py": "import lib\nfrom lib import boot\nimport lib.boot.engine as e\nX = 'lib.boot:run'\n"})
    everything = tree.findings()
    for file in ("engine.py", "__init__.py", "data.txt"):
        (tree.directory / "src/lib/boot" / file).unlink()
    (tree.directory / "src/lib/boot").rmdir()
    assert tree.findings() == everything
    assert len(everything) > 1


def test_each_line_is_reported_once_for_one_target(tree: Tree) -> None:
    found = tree.findings({"worker/x.py": "from lib.boot.engine import run, VALUE\nfrom lib.boot import engine\n"})
    assert [(finding.line, finding.subject) for finding in found] == [(1, "lib.boot.engine"), (2, "lib.boot")]


def test_all_violations_are_in_one_report_sorted_by_place(tree: Tree) -> None:
    files = {"worker/b.py": "import gamma\n", "worker/a.py": "import sys\nimport beta\nimport lib.boot\n"}
    assert [finding.place for finding in tree.findings(files)] == [
        "src/worker/a.py:2",
        "src/worker/a.py:3",
        "src/worker/b.py:1",
    ]
