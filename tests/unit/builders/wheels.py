"""Small wheels for tests of the builders."""

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

EXECUTABLE = 0o755


def make_wheel(
    path: Path, files: Mapping[str, str | bytes], *, modes: Mapping[str, int] | None = None, dist: str = "demo-1.0"
) -> Path:
    """A wheel at ``path`` with the given files and the dist-info of ``dist``; ``modes`` are permissions by name."""
    described = {f"{dist}.dist-info/WHEEL": "Wheel-Version: 1.0\n", f"{dist}.dist-info/RECORD": ""}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**files, **described}.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | (modes or {}).get(name, 0o644)) << 16
            archive.writestr(info, content)
    return path
