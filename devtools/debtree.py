"""Unpacking locked .deb files into one root filesystem tree. Host process only.

The rule here decides the tree hashes in lock.json.
"""

import os
import shutil
from pathlib import Path

from devtools.process import run

_DROPPED = (
    "usr/lib/gcc",
    "usr/lib/systemd",
    "usr/lib/udev",
    "usr/sbin",
    "usr/share/bash-completion",
    "usr/share/bug",
    "usr/share/gcc",
    "usr/share/gdb",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/menu",
    "usr/share/python3",
    "usr/share/zoneinfo/posix",
    "usr/share/zoneinfo/right",
    "etc/default",
    "etc/init.d",
    "etc/logrotate.d",
    "etc/python3.13",
    "etc/redis",
    "usr/lib/python3.13/pydoc_data",
    "usr/lib/python3.13/test",
    "usr/share/binfmts",
    "var",
)
_MERGED = ("bin", "lib", "lib64")


def unpack(debs: list[Path], tree: Path) -> None:
    """Fill the empty directory ``tree`` with the packages' files.

    Documentation, locales and service files go; copyright files stay. The merged-/usr links and the certificate
    bundle, which maintainer scripts would make, are made here, because no maintainer script runs.
    """
    for deb in sorted(debs):
        run(["dpkg-deb", "--extract", deb, tree], what=f"unpacking {deb.name}")
    _drop(tree)
    _merge_usr(tree)
    _bundle_certificates(tree)
    for directory, names, _files in os.walk(tree, topdown=False):
        for name in names:
            path = Path(directory, name)
            if not path.is_symlink() and not any(path.iterdir()):
                path.rmdir()


def _drop(tree: Path) -> None:
    for part in _DROPPED:
        shutil.rmtree(tree / part, ignore_errors=True)
    for gconv in tree.glob("usr/lib/*/gconv"):
        shutil.rmtree(gconv)  # character sets of iconv(3), which nothing here calls
    for path in tree.rglob("*"):
        # An absolute link means another file on every machine: outside a container it would reach the host's.
        if path.is_symlink() and path.readlink().is_absolute():
            path.unlink()
    documents = tree / "usr/share/doc"
    for path in sorted(documents.rglob("*"), reverse=True) if documents.exists() else []:
        if path.is_dir() and not path.is_symlink():
            continue
        if path.name != "copyright":
            path.unlink()


def _merge_usr(tree: Path) -> None:
    for name in _MERGED:
        if (tree / "usr" / name).is_dir() and not (tree / name).exists():
            (tree / name).symlink_to(f"usr/{name}")


def _bundle_certificates(tree: Path) -> None:
    source = tree / "usr/share/ca-certificates"
    if not source.exists():
        return
    bundle = tree / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_bytes(b"".join(path.read_bytes() for path in sorted(source.rglob("*.crt"))))
    shutil.rmtree(source)
