"""What a person reads when the checkout or the machine is not as it must be."""

from pathlib import Path

import pytest
from devtools import nixcli
from tests.nix.checkout import Checkout
from tests.nix.evaluate import EvaluationError, nix

pytestmark = pytest.mark.nix


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout to spoil."""
    return Checkout(tmp_path / "checkout")


def test_missing_wheel_is_named_with_the_command_that_brings_it(checkout: Checkout) -> None:
    lock = (checkout.root / "poetry.lock").read_text()
    line = next(line for line in lock.splitlines() if "redis-" in line and ".whl" in line)
    file, digest = line.split('"')[1], line.split("sha256:")[1].split('"')[0]
    checkout.edit("poetry.lock", digest, "0" * 64)

    with pytest.raises(EvaluationError) as failure:
        checkout.build("temporal-worker")

    assert f"{file}.drv' failed" in str(failure.value)
    assert "this-source-is-not-in-the-Nix-store:-run-./dev-fetch" in str(failure.value)


def test_missing_base_is_named_with_the_command_that_brings_it(checkout: Checkout) -> None:
    lock = (checkout.root / "nix/toolchains/debian/lock.json").read_text()
    for line in lock.splitlines():
        if "treeHash" in line:
            checkout.edit("nix/toolchains/debian/lock.json", line.split('"')[3], f"sha256-{'A' * 43}=")

    with pytest.raises(EvaluationError) as failure:
        checkout.build("redis")

    assert "debian-" in str(failure.value)
    assert "this-source-is-not-in-the-Nix-store:-run-./dev-fetch" in str(failure.value)


def test_unknown_poetry_group_names_the_image_and_the_groups(checkout: Checkout) -> None:
    checkout.edit("images/workflow-worker.nix", 'group = "workflow-worker"', 'group = "wroker"')

    with pytest.raises(EvaluationError) as failure:
        checkout.derivation("workflow-worker")

    assert 'images/workflow-worker.nix takes the Poetry group "wroker", which pyproject.toml does not have' in str(
        failure.value
    )
    assert "workflow-server, workflow-worker" in str(failure.value)


def test_second_owner_of_a_queue_stops_every_image(checkout: Checkout) -> None:
    checkout.edit("images/temporal-worker.nix", '"alga-jobs"', '"alga-jobs" "workflow-runtime-v2"')

    with pytest.raises(EvaluationError) as failure:
        checkout.derivation("redis")

    assert "the queue workflow-runtime-v2 is owned by temporal-worker and workflow-worker" in str(failure.value)
    assert "images/temporal-worker.nix, images/workflow-worker.nix" in str(failure.value)


def test_declared_package_that_is_not_there_is_named(checkout: Checkout) -> None:
    checkout.edit("images/workflow-worker.nix", '"workflow_worker"', '"workflow_wroker"')

    with pytest.raises(EvaluationError, match="an image declares workflow_wroker, which src/ does not have"):
        checkout.derivation("workflow-worker")


def test_lock_file_of_another_version_names_the_command(checkout: Checkout) -> None:
    checkout.edit("poetry.lock", 'lock-version = "2.1"', 'lock-version = "3.0"')

    with pytest.raises(EvaluationError, match=r"poetry\.lock has lock-version 3\.0; .* Run \./dev lock"):
        checkout.derivation("redis")


def test_every_system_evaluates_although_only_one_can_build_here() -> None:
    systems = ("aarch64-linux", "x86_64-linux")
    assert nixcli.system() in systems

    for system in systems:
        path = nix("eval", "--raw", f".#packages.{system}.workflow-worker-image.drvPath")
        assert path.endswith("-workflow-worker-image.tar.drv")


def test_system_without_a_lock_names_those_there_are(checkout: Checkout) -> None:
    checkout.edit("nix/default.nix", '"aarch64-linux"', '"riscv64-linux"')

    with pytest.raises(EvaluationError, match=r"has no system riscv64-linux; it has aarch64-linux, x86_64-linux"):
        nix("eval", f"path:{checkout.root}#packages.riscv64-linux.redis-image.drvPath")
