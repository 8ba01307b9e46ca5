"""Every exported function of nix/ says what it does, its type and an example, and has a golden file."""

import json
import re
from pathlib import Path

import pytest
from devtools.paths import ROOT
from tests.nix.evaluate import evaluate

NIX = ROOT / "nix"
GOLDEN = Path(__file__).parent / "golden"
FIELDS = ("Type: ", "Example: ")

NOT_MODULES = {
    "default.nix": "the index: it exports the flake's outputs",
    "import-names.nix": "data",
    "toolchains/debian/bases.nix": "data",
    "trims.nix": "data",
}
"""Files of nix/ without exported functions, and why."""

pytestmark = pytest.mark.nix


@pytest.fixture(scope="module")
def functions() -> list[str]:
    """`module.function` of everything exported, as Nix sees it."""
    names: list[str] = evaluate("(import ./tests/nix/subjects.nix).functions")
    return names


def _file_of(module: str) -> Path:
    """wheel-tags is a file, toolchains-debian a directory, toolchains-nixpkgs-image a file of one."""
    names = (f"{module}.nix", f"{module.replace('-', '/', 1)}/default.nix", f"{module.replace('-', '/', 2)}.nix")
    return next(NIX / name for name in names if (NIX / name).exists())


def _comment_above(text: str, name: str | None) -> str:
    """The comment block directly above a definition, or above the body of a file that is one function."""
    defined = rf"^  {re.escape(name)} =" if name else r"^\{ [a-z, ]+ \}:$|^names:$"
    lines = text.splitlines()
    at = max(index for index, line in enumerate(lines) if re.match(defined, line))
    comment = []
    while at > 0 and lines[at - 1].lstrip().startswith("#"):
        at -= 1
        comment.append(lines[at].strip().removeprefix("#").strip())
    return "\n".join(reversed(comment))


def test_every_file_is_a_module_the_tests_know(functions: list[str]) -> None:
    modules = {name.split(".")[0] for name in functions}
    known = {_file_of(module) for module in modules} | {NIX / name for name in NOT_MODULES}
    known |= {_file_of(module) for module in evaluate("builtins.attrNames (import ./tests/nix/subjects.nix).modules")}

    assert set(NIX.rglob("*.nix")) - known == set()


def test_every_exported_function_has_a_sentence_a_type_and_an_example(functions: list[str]) -> None:
    lacking = []
    for function in functions:
        module, _, name = function.partition(".")
        comment = _comment_above(_file_of(module).read_text(), name or None)
        lacking += [f"{function} lacks {field.strip()}" for field in FIELDS if f"\n{field}" not in f"\n{comment}"]
        if comment.startswith(FIELDS) or not comment:
            lacking.append(f"{function} lacks a sentence")

    assert lacking == []


def test_every_exported_function_has_a_golden_file(functions: list[str]) -> None:
    covered = {path.name.rsplit(".", 2)[0] for path in GOLDEN.glob("*.json")}

    assert set(functions) - covered == set()


def test_golden_files_are_written_one_way() -> None:
    for path in GOLDEN.glob("*.json"):
        text = path.read_text()
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n", path.name
