"""Markers and wheel tags as the `packaging` library judges them: pip's own rules, written independently of ours."""

import itertools
import tomllib
from typing import Any

import pytest
from devtools.paths import ROOT
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename
from tests.nix.evaluate import evaluate_with

pytestmark = pytest.mark.nix

TARGET: dict[str, Any] = {"arch": "x86_64", "glibc": [2, 41], "pythonTag": "313", "pythonFullVersion": "3.13.5"}
MODULES = "(import ./tests/nix/subjects.nix).modules"

_OPERATORS = ("<", "<=", "==", "!=", ">=", ">")

_COMPARISONS = [
    *(f"python_full_version {op} '3.13.{patch}'" for op in (*_OPERATORS, "~=") for patch in (4, 5, 6)),
    *(f"python_version {op} '{version}'" for op in ("<", ">=", "==") for version in ("3.9", "3.13", "3.14", "4")),
    *(f"python_full_version {op} '3.13.5{end}'" for op in _OPERATORS for end in ("rc1", "a2", ".dev3", ".post1")),
    *(f"python_full_version {op} '{version}.*'" for op in ("==", "!=") for version in ("3", "3.1", "3.13", "3.14")),
    "python_version ~= '3.11'",
    "python_version ~= '3.14'",
    "python_full_version ~= '3.13.0'",
    "'3.14' > python_version",
    "sys_platform == 'linux'",
    "sys_platform != 'win32'",
    "'linux' in sys_platform",
    "platform_machine in 'x86_64 AMD64'",
    "platform_machine not in 'x86_64 AMD64'",
    "implementation_name == 'pypy'",
    'os_name == "posix"',
    "platform_python_implementation != 'PyPy'",
    "platform_system == 'Darwin'",
]


def _markers() -> list[str]:
    """Comparisons alone, and each three of some of them joined in every way."""
    some = _COMPARISONS[::7]
    forms = ("{} and {} or {}", "{} or {} and {}", "({} or {}) and {}", "{} and ({} or {})", "({} and {}) or ({})")
    joined = [form.format(*three) for three in itertools.combinations(some, 3) for form in forms]
    return _COMPARISONS + joined


def _locked() -> list[dict[str, Any]]:
    lock = tomllib.loads((ROOT / "poetry.lock").read_text())
    packages: list[dict[str, Any]] = lock["package"]
    return packages


def _wheels() -> list[list[str]]:
    return [[file["file"] for file in package["files"] if file["file"].endswith(".whl")] for package in _locked()]


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """The marker variables as our code sets them for the target."""
    variables: dict[str, str] = evaluate_with(f"{MODULES}.pep508.environment", TARGET)
    return variables


def test_markers_hold_where_packaging_says_so(environment: dict[str, str]) -> None:
    markers = _markers()
    ours = evaluate_with(
        f"input: map ({MODULES}.pep508.evalMarker input.environment) input.markers",
        {"environment": environment, "markers": markers},
    )

    theirs = [Marker(marker).evaluate({**environment, "extra": ""}) for marker in markers]
    assert [text for text, mine, other in zip(markers, ours, theirs, strict=True) if mine != other] == []
    assert {True, False} == set(theirs)


def _ranks(pythons: list[str], glibc: tuple[int, int], arch: str) -> dict[Tag, int]:
    """pip's order of preference: the position of each tag it accepts, best first."""
    legacy = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
    platforms = []
    for minor in range(glibc[1], 4, -1):
        platforms.append(f"manylinux_2_{minor}_{arch}")
        if (2, minor) in legacy:
            platforms.append(f"{legacy[2, minor]}_{arch}")
    platforms.append(f"linux_{arch}")
    tags = [
        *cpython_tags((3, 13), pythons, platforms),
        *compatible_tags((3, 13), "cp313", platforms),
    ]
    return {tag: position for position, tag in reversed(list(enumerate(tags)))}


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_chosen_wheel_is_the_one_pip_prefers(arch: str) -> None:
    ranks = _ranks(["cp313"], (2, 41), arch)
    lists = [names for names in _wheels() if names]
    select = f'{MODULES}."wheel-tags".selectWheel input.target'
    ours = evaluate_with(
        f"input: map (files: {select} (map (file: {{ inherit file; }}) files)) input.lists",
        {"target": TARGET | {"arch": arch}, "lists": lists},
    )

    for names, mine in zip(lists, ours, strict=True):
        best = min((_rank(name, ranks) for name in names), default=None)
        assert best is not None
        chosen = _rank(mine["file"], ranks) if mine else len(ranks)
        assert chosen == best, f"{mine} of {names}"


def _rank(name: str, ranks: dict[Tag, int]) -> int:
    """Position of a wheel's best tag; the number of all tags when none fits."""
    return min(ranks.get(tag, len(ranks)) for tag in parse_wheel_filename(name)[3])


_PYTHONS = (
    *("cp313", "cp312", "cp314", "cp39", "cp37.cp313"),
    *("py3", "py313", "py312", "py314", "py2", "py2.py3", "pp311"),
)
_ABIS = ("none", "abi3", "cp313", "cp312", "cp313t", "pypy311_pp73")
_PLATFORMS = (
    *("any", "linux_x86_64", "manylinux1_x86_64", "manylinux2010_x86_64", "manylinux2014_x86_64"),
    *("manylinux_2_17_x86_64", "manylinux_2_41_x86_64", "manylinux_2_42_x86_64", "manylinux_3_1_x86_64"),
    *("manylinux_2_17_aarch64", "win_amd64", "musllinux_1_2_x86_64", "macosx_11_0_arm64"),
    "manylinux_2_17_x86_64.manylinux2014_x86_64",
)
_NAMES = [f"a-1-{'-'.join(tags)}.whl" for tags in itertools.product(_PYTHONS, _ABIS, _PLATFORMS)]


def test_every_pair_of_wheels_is_ordered_as_pip_orders_it() -> None:
    ranks = _ranks(["cp313"], (2, 41), "x86_64")
    ours = evaluate_with(
        f'input: map ({MODULES}."wheel-tags".rankWheel input.target) input.names', {"target": TARGET, "names": _NAMES}
    )

    theirs = [_rank(name, ranks) for name in _NAMES]
    accepted = [name for name, rank in zip(_NAMES, theirs, strict=True) if rank < len(ranks)]
    assert [name for name, rank in zip(_NAMES, ours, strict=True) if rank is not None] == accepted
    known = sorted(
        (-mine, other, name) for mine, other, name in zip(ours, theirs, _NAMES, strict=True) if mine is not None
    )
    order = [_class(other, ranks) for _, other, _ in known]
    assert order == sorted(order)


def _class(position: int, ranks: dict[Tag, int]) -> int:
    """The position, one for both names of the same glibc: manylinux_2_17 and manylinux2014 are equal to us."""
    aliases = {"manylinux2014": "manylinux_2_17", "manylinux2010": "manylinux_2_12", "manylinux1": "manylinux_2_5"}
    tag = next(tag for tag, at in ranks.items() if at == position)
    family, _, arch = tag.platform.partition("_")
    return ranks[Tag(tag.interpreter, tag.abi, f"{aliases[family]}_{arch}")] if family in aliases else position
