"""`nix flake check` holds: also the checks that see only a part of the tree, and no machine, as this suite does."""

import pytest
from devtools import fetch
from tests.nix.evaluate import nix

pytestmark = pytest.mark.nix


def test_nix_flake_check_holds() -> None:
    fetch.require_sources()
    nix("flake", "check", "--print-build-logs")
