"""Builds that must fail, for real: an import outside the declared closure, in the forms it most often takes."""

from pathlib import Path

import pytest
from tests.nix.checkout import Checkout
from tests.nix.evaluate import EvaluationError

pytestmark = pytest.mark.nix

MODULE = "src/workflow_worker/settings.py"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout to spoil."""
    return Checkout(tmp_path / "checkout")


def refusal(checkout: Checkout, image: str = "workflow-worker") -> str:
    """What Nix says when the image does not build."""
    with pytest.raises(EvaluationError) as failure:
        checkout.build(image)
    return str(failure.value)


@pytest.mark.parametrize(
    "line",
    [
        "import workflow_runtime.bootstrap\n",
        "def _late() -> None:\n    from workflow_runtime.bootstrap import wiring\n    print(wiring)\n",
        "try:\n    import workflow_runtime.bootstrap\nexcept ImportError:\n    pass\n",
        "import importlib\n\n_NAME = 'workflow_runtime.' + 'bootstrap'\n\ndef _load() -> None:\n"
        "    importlib.import_module(_NAME)\n",
    ],
    ids=["statement", "in a function", "guarded", "dynamic"],
)
def test_a_worker_that_imports_bootstrap_does_not_build(checkout: Checkout, line: str) -> None:
    begin = len((checkout.root / MODULE).read_text().splitlines())
    checkout.append(MODULE, f"\n{line}")

    said = refusal(checkout)

    assert "forbidden-import" in said
    assert "workflow_runtime.bootstrap" in said
    lines = {int(part.split(":")[1].split()[0]) for part in said.split() if part.startswith(f"{MODULE}:")}
    assert any(number > begin for number in lines), said


def test_a_worker_that_imports_a_wheel_of_another_group_does_not_build(checkout: Checkout) -> None:
    checkout.append(MODULE, "\nimport openai\n")

    said = refusal(checkout)

    assert "undeclared-import" in said
    assert "openai" in said
    assert MODULE in said


def test_a_declaration_that_owns_what_the_code_does_not_serve_does_not_build(checkout: Checkout) -> None:
    checkout.edit("images/temporal-worker.nix", '"alga-jobs"', '"alga-jobs"\n    "new-jobs"')

    said = refusal(checkout, "temporal-worker")

    assert "images/temporal-worker.nix owns the queue 'new-jobs'" in said
