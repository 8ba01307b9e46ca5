"""What code inside a Temporal workflow may not reach, where it stands and through which calls."""

import pytest
from tests.unit.boundary.tree import Tree

from boundary.findings import Finding

REACHES = {
    "a clock": [
        "import time\ndef go():\n    return time.time()\n",
        "from time import monotonic as now\ndef go():\n    return now()\n",
        "import time\ndef go(clock=time.time): ...\n",
        "import time\nCLOCK = time.perf_counter\n",
        "import time\nasync def go():\n    time.sleep(1)\n",
        "import time\ndef go():\n    return time.gmtime()\n",
        "from datetime import datetime\ndef go():\n    return datetime.now()\n",
        "import datetime as dt\ndef go():\n    return dt.datetime.now(dt.UTC), 1\n",
        "from datetime import date\ndef go():\n    return date.today()\n",
        "import time\ndef go():\n    return getattr(time, 'ti' + 'me')()\n",
    ],
    "chance": [
        "import random\ndef go():\n    return random.random()\n",
        "from random import shuffle\ndef go(x):\n    shuffle(x)\n",
        "import random\ndef go():\n    return random.Random()\n",
        "import uuid\ndef go():\n    return uuid.uuid4()\n",
        "import os\ndef go():\n    return os.urandom(8)\n",
        "import secrets\ndef go():\n    return secrets.token_hex()\n",
    ],
    "the environment": [
        "import os\ndef go():\n    return os.environ['X']\n",
        "import os\ndef go():\n    return os.getenv('X')\n",
        "import sys\ndef go():\n    return sys.argv\n",
        "import platform\ndef go():\n    return platform.node()\n",
        "def go(when):\n    return when.astimezone()\n",
    ],
    "I/O": [
        "def go():\n    return open('x')\n",
        "def go():\n    print('x')\n",
        "from pathlib import Path\ndef go():\n    return Path('x').read_text()\n",
        "import os\ndef go():\n    return os.listdir('.')\n",
        "import os.path\ndef go():\n    return os.path.exists('.')\n",
        "import logging\nlog = logging.getLogger(__name__)\n",
        "import sqlite3\ndef go():\n    return sqlite3.connect('x')\n",
    ],
    "the network": [
        "import socket\ndef go():\n    return socket.socket()\n",
        "from urllib.request import urlopen\ndef go():\n    return urlopen('x')\n",
        "import asyncio\nasync def go():\n    await asyncio.open_connection('x', 1)\n",
    ],
    "a thread or process": [
        "import threading\ndef go():\n    return threading.Thread()\n",
        "import subprocess\ndef go():\n    subprocess.run(['x'])\n",
        "import asyncio\nasync def go():\n    await asyncio.to_thread(len, 'x')\n",
        "async def go(loop):\n    await loop.run_in_executor(None, len, 'x')\n",
        "from concurrent.futures import ThreadPoolExecutor\ndef go():\n    return ThreadPoolExecutor()\n",
    ],
    "an order that is not fixed": ["import asyncio\nasync def go(x):\n    await asyncio.wait(x)\n"],
}

HARMLESS = {
    "waiting": "import asyncio\nasync def go(x):\n    await asyncio.sleep(1)\n    await asyncio.gather(*x)\n",
    "a given time": "import time\ndef go(x):\n    return time.gmtime(x), time.strptime(x, '%Y')\n",
    "arithmetic with times": "import datetime\ndef go(x):\n    return datetime.datetime.fromisoformat(x) - x\n",
    "a zone that is named": "from datetime import UTC\ndef go(x):\n    return x.astimezone(UTC)\n",
    "seeded chance": "import random\ndef go(seed):\n    return random.Random(seed).random()\n",
    "paths as text": "import os.path, pathlib\ndef go(x):\n    return os.path.join(x, 'y'), pathlib.PurePath(x).name\n",
    "a name that only looks like it": "def go(time, random):\n    return time.time() + random.random()\n",
    "types in annotations": "import logging, socket\ndef go(log: logging.Logger, s: socket.socket) -> None: ...\n",
    "levels and exceptions": "import logging, queue\nLEVEL = logging.INFO\nE = queue.Empty\n",
}


def _nondeterminism(tree: Tree, **changes: object) -> list[Finding]:
    found = tree.findings({}, workflowModules=["worker.flow"], **changes)
    assert {finding.code.value for finding in found} <= {"nondeterminism"}
    return found


@pytest.mark.parametrize(
    ("what", "source"), [(what, source) for what, sources in REACHES.items() for source in sources]
)
def test_workflow_code_that_reaches_outside_is_refused(what: str, source: str, tree: Tree) -> None:
    tree.write({"worker/flow.py": source})
    (finding,) = _nondeterminism(tree, cleanImports=[])
    assert f"reaches {what}" in finding.message


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_workflow_code_is_silent(name: str, tree: Tree) -> None:
    tree.write({"worker/flow.py": HARMLESS[name]})
    assert _nondeterminism(tree) == []


@pytest.mark.parametrize("source", [source for sources in REACHES.values() for source in sources])
def test_the_same_in_other_modules_is_nobodys_business(source: str, tree: Tree) -> None:
    assert tree.findings({"worker/flow.py": "", "worker/x.py": source}, workflowModules=["worker.flow"]) == []


def test_calls_are_followed_out_of_the_workflow_modules(tree: Tree) -> None:
    tree.write(
        {
            "worker/flow.py": "from worker.steps import plan\n\n\nasync def run():\n    return plan()\n",
            "worker/steps.py": "from lib.core import engine\n\n\ndef plan():\n    return engine.Engine().start()\n",
            "lib/core/engine.py": "import time\n\n\nclass Engine:\n    def start(self):\n        return time.time()\n",
        }
    )
    (finding,) = _nondeterminism(tree)
    assert finding.place == "src/lib/core/engine.py:6"
    assert [(hop.place, hop.target) for hop in finding.chain] == [
        ("src/worker/flow.py:5", "worker.steps.plan"),
        ("src/worker/steps.py:5", "lib.core.engine.Engine.start"),
        ("src/lib/core/engine.py:6", "time.time"),
    ]


def test_constructor_and_own_methods_are_followed(tree: Tree) -> None:
    tree.write(
        {
            "worker/flow.py": "from worker.steps import Plan\n\n\nasync def run():\n    return Plan()\n",
            "worker/steps.py": "import uuid\n\n\nclass Plan:\n    def __init__(self):\n        self.id = self.make()\n"
            "\n    def make(self):\n        return uuid.uuid4()\n",
        }
    )
    (finding,) = _nondeterminism(tree)
    assert finding.place == "src/worker/steps.py:9"


def test_functions_that_are_only_handed_on_run_elsewhere(tree: Tree) -> None:
    tree.write(
        {
            "worker/flow.py": "from worker import activities\n\n\nasync def run(execute):\n"
            "    await execute(activities.now)\n    await execute(activities.Sender.send)\n",
            "worker/activities.py": "import time, socket\n\n\ndef now():\n    return time.time()\n\n\n"
            "class Sender:\n    def send(self):\n        return socket.socket()\n",
        }
    )
    assert _nondeterminism(tree) == []


def test_every_module_below_a_workflow_package_counts(tree: Tree) -> None:
    tree.write({"lib/core/deep/__init__.py": "", "lib/core/deep/x.py": "import time\ndef go():\n    time.time()\n"})
    assert [finding.path for finding in tree.findings(workflowModules=["lib.core"])] == ["src/lib/core/deep/x.py"]


def test_clock_read_while_a_workflow_module_loads_is_seen_by_the_run(tree: Tree) -> None:
    hidden = "import operator\nimport time\nNOW = operator.attrgetter('ti' + 'me')(time)()\n"
    found = tree.findings({"worker/flow.py": hidden}, workflowModules=["worker.flow"])
    assert [(finding.code, finding.place, finding.witness) for finding in found] == [
        ("nondeterminism", "src/worker/flow.py:3", "run")
    ]


def test_line_seen_by_both_witnesses_is_one_finding(tree: Tree) -> None:
    found = tree.findings({"worker/flow.py": "import time\nNOW = time.time()\n"}, workflowModules=["worker.flow"])
    assert [(finding.place, finding.witness) for finding in found] == [("src/worker/flow.py:2", "AST and run")]


def test_remedy_names_the_workflow_api(tree: Tree) -> None:
    tree.write({"worker/flow.py": "import time\n\n\ndef go():\n    return time.time()\n"})
    (finding,) = _nondeterminism(tree)
    assert "temporalio.workflow.now()" in finding.remedy[0]
