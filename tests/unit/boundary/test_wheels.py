"""Source nobody here wrote: the analyser reads the wheels of this interpreter without failing."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from boundary.analysis import Analysis
from boundary.sources import Module, decoded

_TRICKY = re.compile(rb"import_module|__import__|\bexec\(|\beval\(|getattr\(|sys\.modules|lambda|\bmatch ")
_FILES_EACH = 2


def _python_files(distribution: Distribution) -> list[Path]:
    """The files of a wheel that do most by name, first."""
    paths = [Path(str(file.locate())) for file in distribution.files or () if file.suffix == ".py"]
    present = [path for path in paths if path.is_file() and path.stat().st_size < 100_000]
    return sorted(present, key=lambda path: -len(_TRICKY.findall(path.read_bytes())))[:_FILES_EACH]


WHEELS = {found.name: files for found in distributions() if (files := _python_files(found))}


def test_there_are_wheels_to_read() -> None:
    assert len(WHEELS) >= 20


@pytest.mark.parametrize("name", sorted(WHEELS))
def test_analyser_reads_a_wheel_without_failing(name: str) -> None:
    for path in WHEELS[name]:
        module = Module(path.stem, path, path.name, path.name == "__init__.py", decoded(path.read_bytes()))
        facts = Analysis([module], frozenset({"workflow_runtime"}), frozenset({"workflow_runtime"})).facts(module.name)
        lines = [reference.spot.line for reference in facts.references] + [use.spot.line for use in facts.uses]
        assert all(line >= 1 for line in lines)


def test_code_too_deep_to_follow_is_read_without_failing(tmp_path: Path) -> None:
    sources = [
        "X = " + " + ".join(["'a'"] * 900),
        "X = " + "[" * 80 + "]" * 80,
        "def f(a):\n" + "".join(f"    a{i} = a{i - 1} if a else 'x'\n" for i in range(1, 300)),
        "x = x\ny = z\nz = y\n__import__(y)\n",
        "class A(A): pass\nX = '%d' % 'x'\nY = '{}'.format()\nZ = 'ab'[9]\n__import__(X + Y + Z)\n",
        "from worker.x import *\nfrom worker.x import a as b, b as a\n__import__(a)\n",
        "X = [lambda: X for X in X if (Y := X)]\n__import__(X[0]())\n",
        "f'{f\"{1!r:>{2}}\"}' % (1,)\nmatch X:\n    case {'a': [B(c=1), *_], **d} | str() as e: __import__(e)\n",
        "type A[T: __import__('json')] = list[T]\ndef f[*Ts, **P](x: (lambda: 1)()) -> [y for y in ()]: ...\n",
    ]
    for source in sources:
        module = Module("worker.x", tmp_path / "x.py", "x.py", False, source)
        Analysis([module], frozenset({"worker"}), frozenset({"worker"})).facts("worker.x")


@pytest.fixture
def recursion_limit() -> Iterator[int]:
    """Python's usual limit; other tests of the same process may have left another."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield 1000
    sys.setrecursionlimit(before)


@pytest.mark.parametrize("share", [0.9, 1.5, 2.0])
def test_expression_too_deep_to_read_is_refused(tmp_path: Path, recursion_limit: int, share: float) -> None:
    # From a depth that one pass still reaches the end of to one that none does.
    text = "import lib\nX = " + " + ".join(["'a'"] * round(recursion_limit * share))
    module = Module("worker.x", tmp_path / "x.py", "x.py", False, text)
    facts = Analysis([module], frozenset({"worker"}), frozenset({"worker"})).facts("worker.x")
    assert [found.form for found in facts.undecidable] == ["the whole module"]
