"""What importing a module may not do, and how a module that cannot be imported is told apart from a violation."""

import os
import signal
import socket
from pathlib import Path

import pytest
from tests.unit.boundary.tree import Tree

EFFECTS = {
    "opens a connection (socket.connect)": "import socket\nsocket.socket().connect(('127.0.0.1', 9))\n",
    "opens a connection (socket.getaddrinfo)": "import socket\nsocket.getaddrinfo('example.invalid', 80)\n",
    "opens a connection (sqlite3.connect)": "import sqlite3\nsqlite3.connect(':memory:')\n",
    "starts a process (subprocess.Popen)": "import subprocess\nsubprocess.run(['true'])\n",
    "starts a process (os.system)": "import os\nos.system('true')\n",
    "starts a thread (_thread.start_joinable_thread)": "import threading\nthreading.Thread(target=print).start()\n",
    "writes a file (open)": "open('/nowhere/at/all', 'w')\n",
    "writes a file (os.mkdir)": "import os\nos.mkdir('/nowhere/at/all')\n",
    "reads the environment (HOME)": "import os\nX = os.environ.get('HOME')\n",
    "reads the environment (REDIS_URL)": "import os\nX = os.getenv('REDIS_URL', '')\n",
    "reads the environment (X)": "import os\nX = 'X' in os.environ\n",
    "reads the environment (all of it)": "import os\nX = dict(os.environ)\n",
    "changes the environment (os.putenv)": "import os\nos.environ['X'] = 'x'\n",
    "changes the working directory (os.chdir)": "import os\nos.chdir('/')\n",
    "registers globally (atexit.register)": "import atexit\natexit.register(print)\n",
    "registers globally (signal.signal)": "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_DFL)\n",
    "registers globally (logging.basicConfig)": "import logging\nlogging.basicConfig()\n",
    "registers globally (logging.Logger.setLevel)": "import logging\nlogging.getLogger().setLevel('INFO')\n",
    "registers globally (warnings.simplefilter)": "import warnings\nwarnings.simplefilter('ignore')\n",
    "prints (builtins.print)": "print('hello')\n",
}
"""What the finding says -> a module that does it while it is imported."""

CLEAN = {
    "a logger of its own": "import logging\nlog = logging.getLogger(__name__)\n",
    "reading its own data": "import importlib.resources\nX = importlib.resources.files('worker').is_dir()\n",
    "dataclasses and enumerations": "import dataclasses, enum\n@dataclasses.dataclass\nclass A:\n    x: int = 1\n",
    "effects in a function": "import os, socket\ndef go():\n    return os.environ['X'], socket.socket()\n",
    "a guarded main": "import os\nif __name__ == '__main__':\n    print(os.environ['X'])\n",
    "a path that is only put together": "from pathlib import Path\nHERE = Path(__file__).parent / 'x'\n",
}


@pytest.mark.parametrize("said", EFFECTS)
def test_import_with_an_effect_is_refused_and_names_the_line(said: str, tree: Tree) -> None:
    found = tree.findings({"worker/x.py": EFFECTS[said]})
    assert {finding.code for finding in found} == {"import-side-effect"}
    assert f"importing worker.x {said}" in {finding.message for finding in found}
    assert {finding.path for finding in found} == {"src/worker/x.py"}
    assert all(finding.text in EFFECTS[said] for finding in found)


@pytest.mark.parametrize("name", CLEAN)
def test_import_without_an_effect_is_silent(name: str, tree: Tree) -> None:
    assert tree.findings({"worker/x.py": CLEAN[name]}) == []


def test_effect_reached_through_a_function_of_another_module_is_the_callers(tree: Tree) -> None:
    files = {
        "worker/helper.py": "import os\n\n\ndef read():\n    return os.environ['HOME']\n",
        "worker/x.py": "import worker.helper\nX = worker.helper.read()\n",
    }
    (finding,) = tree.findings(files)
    assert (finding.code, finding.place) == ("import-side-effect", "src/worker/helper.py:5")


def test_effect_of_a_wheel_while_it_loads_is_not_ours(tree: Tree) -> None:
    tree.write({"alpha/__init__.py": "import os\nX = os.environ.get('HOME')\n"}, "site")
    assert tree.findings({"worker/x.py": "import alpha\n"}) == []


def test_wheel_called_while_our_module_loads_is_ours(tree: Tree) -> None:
    tree.write({"alpha/__init__.py": "import os\ndef client():\n    return os.environ.get('KEY')\n"}, "site")
    (finding,) = tree.findings({"worker/x.py": "import alpha\nCLIENT = alpha.client()\n"})
    assert finding.place == "src/worker/x.py:2"


def test_registry_of_a_wheel_is_global(tree: Tree) -> None:
    registry = "class CollectorRegistry:\n    def register(self, it): ...\nREGISTRY = CollectorRegistry()\n"
    tree.write({"prometheus_client/__init__.py": "", "prometheus_client/registry.py": registry}, "site")
    tree.write({"p-1.dist-info/RECORD": "prometheus_client/__init__.py,,\nprometheus_client/registry.py,,\n"}, "site")
    tree.document["distributions"].append({"name": "p", "version": "1", "groups": ["main"], "direct": True})
    source = "from prometheus_client.registry import REGISTRY\nREGISTRY.register(1)\n"
    (finding,) = tree.findings({"worker/x.py": source})
    assert finding.message == "importing worker.x registers globally (CollectorRegistry.register)"


def test_only_packages_that_must_import_clean_are_judged(tree: Tree) -> None:
    source = "import os\nX = os.environ.get('HOME')\n"
    found = tree.findings({"worker/x.py": source, "lib/core/x.py": source}, cleanImports=["lib"])
    assert [finding.path for finding in found] == ["src/lib/core/x.py"]


def test_run_touches_neither_network_nor_files(tree: Tree, tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        port = server.getsockname()[1]
        marks = [tmp_path / "written", tmp_path / "started"]
        tree.write(
            {
                "worker/net.py": f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 5)\n",
                "worker/file.py": f"open({str(marks[0])!r}, 'w').close()\n",
                "worker/start.py": f"import subprocess\nsubprocess.run(['touch', {str(marks[1])!r}])\n",
            }
        )
        assert {finding.path for finding in tree.findings()} == {f"src/worker/{n}.py" for n in ("net", "file", "start")}
        with pytest.raises(TimeoutError):
            server.accept()
    assert not any(mark.exists() for mark in marks)
    assert not list(tmp_path.rglob("__pycache__"))


def test_run_does_not_see_the_environment_of_the_builder(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOUNDARY_TEST_VARIABLE", "x")
    source = "import os\nassert 'BOUNDARY_TEST_VARIABLE' not in os.environ\n"
    assert [finding.code for finding in tree.findings({"worker/x.py": source})] == ["import-side-effect"]


def test_module_that_raises_is_an_import_failure(tree: Tree) -> None:
    (finding,) = tree.findings({"worker/x.py": "import json\n1 / 0\n"})
    assert (finding.code, finding.place, finding.text) == ("import-failure", "src/worker/x.py:2", "1 / 0")
    assert "ZeroDivisionError: division by zero" in finding.message


def test_module_that_ends_the_process_is_an_import_failure(tree: Tree) -> None:
    (finding,) = tree.findings({"worker/x.py": "import sys\nsys.exit(3)\n"})
    assert (finding.code, finding.place) == ("import-failure", "src/worker/x.py:2")


def test_module_that_does_not_parse_is_an_import_failure(tree: Tree) -> None:
    (finding,) = tree.findings({"worker/x.py": "x = 1\ndef go(:\n"})
    assert (finding.code, finding.place) == ("import-failure", "src/worker/x.py:2")


def test_module_that_parses_and_does_not_compile_is_an_import_failure(tree: Tree) -> None:
    (finding,) = tree.findings({"worker/x.py": "return 1\n"})
    assert finding.code == "import-failure"
    assert "SyntaxError" in finding.message


def test_failure_that_follows_from_a_violation_is_not_told_twice(tree: Tree) -> None:
    files = {
        "worker/a.py": "import lib.boot\n",
        "worker/b.py": "from worker.a import thing\n",
        "worker/main.py": "import worker.b\n",
    }
    assert [finding.code for finding in tree.findings(files)] == ["forbidden-import"]


def test_failing_modules_with_one_cause_are_one_finding(tree: Tree) -> None:
    files = {
        "worker/a.py": "raise RuntimeError('no')\n",
        "worker/b.py": "import worker.a\n",
        "worker/c.py": "import worker.a\n",
    }
    (finding,) = tree.findings(files)
    assert finding.place == "src/worker/a.py:1"
    assert finding.message.endswith("and 2 more modules fail like it")


def test_interpreter_that_dies_is_reported(tree: Tree) -> None:
    kill = f"import os\nos.kill(os.getpid(), {int(signal.SIGKILL)})\n"
    (finding,) = tree.findings({"worker/x.py": kill})
    assert finding.code == "import-failure"
    assert f"code -{int(signal.SIGKILL)}" in finding.message


def test_interpreter_that_is_not_there_is_reported(tree: Tree) -> None:
    (finding,) = tree.findings(interpreter=["/nowhere/python3"])
    assert finding.code == "import-failure"
    assert "/nowhere/python3" in finding.message


def test_own_interpreter_can_be_started_again() -> None:
    from boundary.run_witness import own_interpreter

    assert os.path.isabs(own_interpreter()[0])


HIDDEN = """
import operator
owner = operator.attrgetter("__self__")(print)
operator.attrgetter("__imp" + "ort__")(owner)(chr(108) + "ib.{package}.engine")
"""


def test_import_only_the_run_sees_is_refused(tree: Tree) -> None:
    (finding,) = tree.findings({"worker/x.py": HIDDEN.format(package="boot")})
    assert (finding.code, finding.place, finding.witness) == ("forbidden-import", "src/worker/x.py:4", "run")


def test_import_only_the_run_sees_inside_the_closure_is_noted_as_a_disagreement(tree: Tree) -> None:
    (finding,) = tree.findings({"worker/x.py": HIDDEN.format(package="core")})
    assert (finding.code, finding.severity, finding.subject) == ("witness-disagreement", "note", "lib.core.engine")


def test_comment_that_names_less_than_the_line_loads_is_stale(tree: Tree) -> None:
    source = "import importlib\nimportlib.import_module(chr(108) + 'ib.core.engine')  # boundary: imports lib.core\n"
    found = tree.findings({"worker/x.py": source})
    assert [(finding.code, finding.subject) for finding in found] == [("stale-declaration", "lib.core.engine")]
