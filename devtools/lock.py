"""`./dev lock`: resolve both locks anew and say what changed. Needs the network. Host process only."""

import difflib
import os
import subprocess
import sys
from pathlib import Path

from devtools import debian, fetch, nixcli
from devtools.console import step
from devtools.errors import DevError
from devtools.paths import ROOT, STATE
from devtools.process import run

_POETRY = STATE / "poetry"


def lock() -> None:
    """Re-resolve both locks and print their differences."""
    lockfile = ROOT / "poetry.lock"
    before = lockfile.read_text() if lockfile.exists() else ""
    _poetry_lock()
    after = lockfile.read_text()
    _report("poetry.lock", "".join(difflib.unified_diff(_summary(before), _summary(after), "before", "now", n=0)))
    _report("nix/toolchains/debian/lock.json", debian.lock_all())


def _report(name: str, diff: str) -> None:
    print(f"{name}: {'unchanged' if not diff else 'changed'}")
    if diff:
        print(diff)


def _summary(text: str) -> list[str]:
    """name and version lines only: the file hashes would drown what changed."""
    lines = text.splitlines()
    names = [line.split('"')[1] for line in lines if line.startswith("name = ")]
    versions = [line.split('"')[1] for line in lines if line.startswith("version = ")]
    return [f"{name} {version}\n" for name, version in zip(names, versions, strict=True)]


def _poetry_lock() -> None:
    python = _install_poetry()
    step("resolving pyproject.toml with Poetry")
    # Poetry asks an index's JSON endpoint by default; the mirror plugin makes it use the simple index pip uses, and
    # the lock file then names no host.
    environment = {
        **os.environ,
        "PYTHONPATH": str(_POETRY / "packages"),
        "POETRY_PYPI_MIRROR_URL": _pip_index(),
        "POETRY_VIRTUALENVS_CREATE": "false",
    }
    done = subprocess.run([python, "-m", "poetry", "lock", "--no-interaction"], cwd=ROOT, env=environment, check=False)
    if done.returncode != 0:
        raise DevError("Poetry could not resolve pyproject.toml; its message stands above")


def _install_poetry() -> Path:
    """Poetry below .dev/poetry, for our own base's interpreter: pyproject.toml wants a newer one than Debian 12's."""
    python = _interpreter()
    packages = _POETRY / "packages"
    if not packages.exists():
        step("installing Poetry into .dev/poetry")
        argv = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--target",
            str(packages),
            "--python-version",
            "3.13",
        ]
        run([*argv, "--only-binary", ":all:", "poetry>=2.1,<3", "poetry-plugin-pypi-mirror"], what="installing Poetry")
    return python


def _interpreter() -> Path:
    """A prefix that is no virtual environment: Poetry would start the interpreter behind one without its loader."""
    fetch.fetch()
    environment = nixcli.build(["environment"])["environment"]
    home = (environment / "pyvenv.cfg").read_text().partition("home = ")[2].splitlines()[0]
    python = _POETRY / "bin" / "python3"
    python.parent.mkdir(parents=True, exist_ok=True)
    library = _POETRY / "lib"
    library.mkdir(exist_ok=True)
    link = library / "python3.13"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(home).parent / "lib" / "python3.13")
    script = (environment / "bin" / "python3").read_text()
    python.write_text(script.replace(str(environment / "bin" / "python3"), str(python)))
    python.chmod(0o755)
    return python


def _pip_index() -> str:
    configured = os.environ.get("POETRY_PYPI_MIRROR_URL") or os.environ.get("PIP_INDEX_URL")
    if configured:
        return configured
    code = (
        "from pip._internal.commands import create_command; "
        "print(create_command('download').parser.parse_args([])[0].index_url)"
    )
    return run([sys.executable, "-c", code], what="asking pip for its index").strip()
