"""The nixpkgs toolchain, evaluated with stand-ins for nixpkgs and poetry2nix.

docs/NIXPKGS.md says what is left open: what only the real ones can show.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from devtools import nixcli
from devtools.paths import ROOT
from tests.nix.checkout import Checkout
from tests.nix.evaluate import EvaluationError, evaluate, nix

pytestmark = pytest.mark.nix

IMAGES = ["temporal-worker-image", "workflow-server-image", "workflow-worker-image"]
UNREACHABLE = 'nixpkgs-toolchain = throw "nixpkgs was asked for"; poetry2nix = throw "poetry2nix was asked for";'


@pytest.fixture(scope="module")
def offered() -> dict[str, Any]:
    """Everything the toolchain offers, as data."""
    outputs: dict[str, Any] = evaluate("import ./tests/nix/nixpkgs/real.nix { }")
    return outputs


@pytest.fixture(params=IMAGES)
def image(request: pytest.FixtureRequest, offered: dict[str, Any]) -> dict[str, Any]:
    """Each image in turn: ``{nixpkgs, default}``."""
    both: dict[str, Any] = offered["images"][request.param]
    return both


def _careless(how: str) -> Any:
    return evaluate(f"(import ./tests/nix/nixpkgs/careless.nix).{how}")


def test_every_python_image_and_a_shell_are_offered(offered: dict[str, Any]) -> None:
    assert offered["names"] == ["devShell", *IMAGES]


def test_image_owns_and_contains_what_the_default_one_does(image: dict[str, Any]) -> None:
    assert image["nixpkgs"]["manifest"] == image["default"]["manifest"]
    assert "redis" in image["nixpkgs"]["manifest"]["closure"]["wheels"]


def test_image_starts_as_the_default_one_does(image: dict[str, Any]) -> None:
    config, default = image["nixpkgs"]["config"], image["default"]["config"]
    certificates = "SSL_CERT_FILE=/nixpkgs/nss-cacert/etc/ssl/certs/ca-bundle.crt"

    assert config["Entrypoint"] == default["entrypoint"]
    assert config["User"] == "65532:65532"
    assert set(config["Env"]) == {f"{name}={value}" for name, value in default["env"].items()} | {certificates}
    assert list(config["ExposedPorts"]) == [f"{port}/tcp" for port in default["ports"]]
    assert image["nixpkgs"]["launcher"] == [
        {"name": "app/bin/python3", "path": "/nixpkgs/python3-3.13.11-env/bin/python3"}
    ]


def test_image_waits_for_the_same_checks_with_its_own_files(image: dict[str, Any]) -> None:
    def without_files(checks: dict[str, Any]) -> dict[str, Any]:
        return {name: {**check, "interpreter": None, "sitePackages": None} for name, check in checks.items()}

    checks, default = image["nixpkgs"]["checks"], image["default"]["checks"]
    name = image["nixpkgs"]["name"]
    sites = checks[f"boundary-{name}"]["sitePackages"]

    assert without_files(checks) == without_files(default)
    assert sorted(checks) == [f"boundary-{name}", f"ownership-{name}"]
    assert checks[f"boundary-{name}"]["interpreter"] == ["/nixpkgs/python3-3.13.11/bin/python3.13"]
    assert checks[f"ownership-{name}"]["interpreter"] == ["/nixpkgs/python3-3.13.11-env/bin/python3"]
    assert len(sites) == len(default[f"boundary-{name}"]["sitePackages"])
    assert all(site.startswith("/poetry2nix/") and site.endswith("/lib/python3.13/site-packages") for site in sites)


def test_digest_tells_images_apart_and_names_the_tag(offered: dict[str, Any]) -> None:
    digests = {image["nixpkgs"]["digest"] for image in offered["images"].values()}

    assert len(digests) == len(IMAGES)
    for image in offered["images"].values():
        assert image["nixpkgs"]["tag"] == image["nixpkgs"]["digest"].removeprefix("sha256:")[:32]


def test_names_are_known_without_the_inputs() -> None:
    for system in ("aarch64-linux", "x86_64-linux"):
        names = f"builtins.attrNames (import ./nix {{ self = {{ }}; {UNREACHABLE} }}).legacyPackages.{system}.nixpkgs"
        assert evaluate(names) == ["devShell", *IMAGES]


@pytest.mark.parametrize("output", ["packages", "devShells", "checks", "formatter"])
def test_default_outputs_do_not_ask_for_the_inputs(output: str) -> None:
    paths = evaluate(
        f"""
        let
          paths = value: if value ? drvPath then value.drvPath else builtins.mapAttrs (_: paths) value;
        in
        paths (import ./nix {{ self = {{ }}; {UNREACHABLE} }}).{output}.{nixcli.system()}
        """
    )

    assert paths


def test_images_ask_for_the_inputs_only_when_they_are_evaluated() -> None:
    with pytest.raises(EvaluationError, match="nixpkgs was asked for"):
        evaluate(
            f'(import ./nix {{ self = {{ }}; {UNREACHABLE} nixVersion = "2.18.0"; }})'
            f".legacyPackages.{nixcli.system()}.nixpkgs.workflow-worker-image.outPath"
        )


def test_older_nix_is_told_what_it_needs() -> None:
    with pytest.raises(EvaluationError) as failure:
        evaluate('import ./tests/nix/nixpkgs/real.nix { nixVersion = "2.8.0"; }')

    said = str(failure.value)
    assert "the nixpkgs toolchain needs Nix 2.18 or later, because nixpkgs does; this is Nix 2.8.0" in said
    assert "nix build .#workflow-worker-image" in said


def test_dependency_that_only_an_extra_brings_is_an_error(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    checkout.edit(
        "poetry.lock",
        '[[package]]\nname = "jsonata-python"\n',
        '[[package]]\nname = "jsonata-python"\n'
        'dependencies = {only-in-nixpkgs = {version = "*", optional = true, markers = "extra == \\"fast\\""}}\n'
        'extras = {fast = ["only-in-nixpkgs"]}\n',
    )

    with pytest.raises(EvaluationError) as failure:
        evaluate(f"import {checkout.root}/tests/nix/nixpkgs/real.nix {{ }}")

    assert "does not install what poetry.lock gives temporal-worker: it adds only-in-nixpkgs 0.1." in str(failure.value)


def test_main_dependency_that_poetry2nix_cannot_see_is_an_error(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    checkout.edit("pyproject.toml", '    "structlog (', '    # "structlog (')

    with pytest.raises(EvaluationError, match=r"gives temporal-worker: it lacks structlog 26\.1\.0\. It ignores"):
        evaluate(f"import {checkout.root}/tests/nix/nixpkgs/real.nix {{ }}")


class TestStandIn:
    """The stand-in goes wrong where poetry2nix does, so the tests above prove that we avoid it."""

    def test_careful_use_installs_the_wheels(self) -> None:
        packages = _careless("careful")

        assert any(path.startswith("/poetry2nix/packaging-") for path in packages)
        assert any(path.startswith("/poetry2nix/pydantic-core-") for path in packages)

    def test_whole_lock_has_wheel_names_it_aborts_on(self) -> None:
        with pytest.raises(EvaluationError, match=r"assertion 'm != null' failed: .*(riscv64|graalpy)"):
            _careless("whole-lock")

    def test_pyproject_as_it_is_gives_an_empty_environment(self) -> None:
        assert _careless("pyproject-as-it-is") == ["/nixpkgs/python3-3.13.11"]

    def test_its_own_fetcher_is_asked_for_wheels(self) -> None:
        with pytest.raises(EvaluationError, match="poetry2nix's own fetcher was asked for"):
            _careless("own-fetcher")

    def test_wheels_of_build_tools_would_need_themselves(self) -> None:
        with pytest.raises(EvaluationError, match="infinite recursion"):
            _careless("own-tools")

    def test_default_check_group_leaks_development_packages(self) -> None:
        assert any("/pytest-" in path for path in _careless("check-groups"))


def test_lock_file_is_what_nix_would_write(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    before = (checkout.root / "flake.lock").read_bytes()

    nix("flake", "lock", f"path:{checkout.root}")

    assert (checkout.root / "flake.lock").read_bytes() == before
    assert before.decode() == json.dumps(json.loads(before), indent=2, sort_keys=True) + "\n"


def test_locked_inputs_are_the_named_revisions() -> None:
    nodes = json.loads(nix("flake", "metadata", "--json", str(ROOT)))["locks"]["nodes"]

    assert nodes["root"]["inputs"] == {"nixpkgs-toolchain": "nixpkgs-toolchain", "poetry2nix": "poetry2nix"}
    assert nodes["nixpkgs-toolchain"]["original"]["ref"] == "nixos-25.11"
    assert nodes["nixpkgs-toolchain"]["locked"]["rev"] == "b6018f87da91d19d0ab4cf979885689b469cdd41"
    assert nodes["poetry2nix"]["locked"]["rev"] == "ce2369db77f45688172384bbeb962bc6c2ea6f94"
    assert nodes["poetry2nix"]["flake"] is False


def test_shell_takes_its_bash_from_no_input() -> None:
    done = subprocess.run(
        ["nix", "develop", str(ROOT), "--command", "python3", "-c", "import temporalio"],
        env={**os.environ, **nixcli.environment()},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "NixOS/nixpkgs" not in done.stderr
