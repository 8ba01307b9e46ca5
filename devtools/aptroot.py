"""A private apt: its own sources, lists and cache for one Debian suite, so that the machine's apt stays untouched.

The mirror, proxy and credentials are the machine's own; only the suite differs. Signatures are checked against the
Debian archive keyring. Host process only.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from devtools.errors import DevError
from devtools.process import run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_FIELD = re.compile(r"^(Package|Version|Architecture|SHA256): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Candidate:
    """One downloadable package version; ``sha256`` is the hex digest from the signed package list."""

    name: str
    version: str
    architecture: str
    sha256: str


class AptRoot:
    """Package look-ups and downloads for ``suite`` and one Debian architecture, below ``directory``."""

    def __init__(self, directory: Path, suite: str, architecture: str) -> None:
        self._directory = directory
        self._suite = suite
        self._architecture = architecture

    def refresh(self) -> None:
        """Write the sources and fetch the signed package lists."""
        if not KEYRING.exists():
            raise DevError(f"{KEYRING} is missing: install the package debian-archive-keyring")
        for part in (
            "etc/apt/apt.conf.d",
            "etc/apt/preferences.d",
            "var/lib/apt/lists/partial",
            "var/lib/dpkg",
            "var/cache/apt/archives/partial",
        ):
            (self._directory / part).mkdir(parents=True, exist_ok=True)
        (self._directory / "var/lib/dpkg/status").touch()
        (self._directory / "etc/apt/sources.list").write_text(self._sources())
        self._apt("apt-get", "update", what=f"reading the package lists of Debian {self._suite}")

    def candidates(self, names: list[str]) -> list[Candidate]:
        """The versions of ``names`` that the archive offers now, in that order."""
        what = f"looking up {len(names)} Debian packages"
        found = {package.name: package for package in self._show(["--no-all-versions", *names], what)}
        for name in names:
            if name not in found:
                raise DevError(f"Debian {self._suite} has no package {name!r}: correct nix/toolchains/debian/bases.nix")
        return [found[name] for name in names]

    def offered(self, names: list[str]) -> set[Candidate]:
        """Every version of ``names`` that the archive still offers."""
        return set(self._show(names, f"looking up {len(names)} Debian packages"))

    def download(self, names_and_versions: list[tuple[str, str]], target: Path) -> None:
        """Put the .deb files into ``target``; apt verifies them against the signed lists."""
        target.mkdir(parents=True, exist_ok=True)
        wanted = [f"{name}={version}" for name, version in names_and_versions]
        self._apt(
            "apt-get",
            "-o",
            "APT::Sandbox::User=root",
            "download",
            *wanted,
            what="downloading Debian packages",
            cwd=target,
        )

    def _sources(self) -> str:
        signed = f"[signed-by={KEYRING}]"
        lines = []
        for mirror in machine_mirrors():
            if "security" in mirror:
                lines.append(f"deb {signed} {mirror} {self._suite}-security main")
            else:
                lines += [
                    f"deb {signed} {mirror} {self._suite} main",
                    f"deb {signed} {mirror} {self._suite}-updates main",
                ]
        return "\n".join(lines) + "\n"

    def _show(self, argv: list[str], what: str) -> list[Candidate]:
        stanzas = self._apt("apt-cache", "show", *argv, what=what).split("\n\n")
        return [
            Candidate(fields["Package"], fields["Version"], fields["Architecture"], fields["SHA256"])
            for fields in (dict(_FIELD.findall(stanza)) for stanza in stanzas)
            if "SHA256" in fields
        ]

    def _apt(self, program: str, *argv: str, what: str, cwd: Path | None = None) -> str:
        options = [
            f"Dir={self._directory}",
            f"Dir::State::status={self._directory}/var/lib/dpkg/status",
            f"Dir::Etc::trusted={KEYRING}",
            f"APT::Architecture={self._architecture}",
            f"APT::Architectures::={self._architecture}",
            "Acquire::Languages=none",
        ]
        flags = [flag for option in options for flag in ("-o", option)]
        return run([program, "-q", *flags, *argv], what=what, cwd=cwd)


def machine_mirrors() -> list[str]:
    """The Debian mirrors this machine's own apt is configured with."""
    if shutil.which("apt-get") is None:
        raise DevError("apt-get is not installed: ./dev fetch and ./dev lock need a Debian or Ubuntu machine")
    text = run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"],
        what="asking apt for its mirrors",
    )
    security = run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian-Security"],
        what="asking apt for its security mirror",
    )
    mirrors = sorted({line.rstrip("/") for line in (text + security).split()})
    if not mirrors:
        raise DevError("apt knows no Debian mirror: run `apt-get update` and check its sources")
    return mirrors
