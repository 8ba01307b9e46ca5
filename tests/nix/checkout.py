"""A copy of this checkout that a test may edit, evaluated as a flake of its own. For tests."""

import re
import shutil
import subprocess
from pathlib import Path

from devtools import nixcli
from devtools.paths import ROOT
from tests.nix.evaluate import nix

IMAGE = f"packages.{nixcli.system()}.{{}}-image"


class Checkout:
    """The files git knows, copied to ``root``; Nix sees edits there without a commit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in listed.rstrip("\0").split("\0"):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, root / name)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the first ``old`` in a file by ``new``; it must be there."""
        path = self.root / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new, 1))

    def append(self, name: str, text: str) -> None:
        """Add text at the end of a file, which must exist."""
        with (self.root / name).open("r+") as file:
            file.seek(0, 2)
            file.write(text)

    def derivation(self, image: str) -> str:
        """The store path of an image's derivation; evaluates, builds nothing."""
        return nix("eval", "--raw", f"path:{self.root}#{IMAGE.format(image)}.drvPath")

    def requisites(self, image: str) -> set[str]:
        """Store paths of everything an image is built from: derivations and the files they name."""
        argv = ["nix-store", "--query", "--requisites", self.derivation(image)]
        return set(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split())

    def build(self, image: str) -> None:
        """Build an image; raises EvaluationError with what Nix said."""
        nix("build", "--no-link", f"path:{self.root}#{IMAGE.format(image)}")


def plain(store_path: str) -> str:
    """A store path without directory and hash."""
    return re.sub(r"^/nix/store/[0-9a-z]{32}-", "", store_path)
