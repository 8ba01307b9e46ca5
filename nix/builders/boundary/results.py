"""The result of one image's check, and how an unchanged image gets its last one back. Build process."""

from dataclasses import dataclass, fields
from typing import Any

from boundary.cache import Cache, key_of
from boundary.closure import Closure
from boundary.codes import Code, Severity
from boundary.findings import Finding, Hop
from boundary.manifest import Manifest
from boundary.sources import Module


@dataclass(frozen=True, slots=True)
class ImageResult:
    """What the check found in one image, sorted, and how much it looked at."""

    image: str
    findings: tuple[Finding, ...]
    modules: int
    references: int

    @property
    def refused(self) -> bool:
        """Whether there is a violation among the findings."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


class LastResult:
    """The last result of an image, as long as nothing that decides it has changed."""

    def __init__(self, manifest: Manifest, modules: dict[str, Module], closure: Closure, cache: Cache) -> None:
        self._cache = cache
        self._subject = f"image-{manifest.image}"
        self._key = key_of(_decides(manifest, modules, closure)) if cache.is_kept else ""

    def get(self) -> ImageResult | None:
        """The result, if it still holds."""
        kept = self._cache.get(self._subject, self._key)
        return None if kept is None else _from_document(kept)

    def put(self, result: ImageResult) -> None:
        """Keep a result for the next time."""
        self._cache.put(self._subject, self._key, _to_document(result))


def _decides(manifest: Manifest, modules: dict[str, Module], closure: Closure) -> list[str]:
    """Everything a result depends on: the manifest, every source text, the files' names, the wheels."""
    files = sorted(str(path.relative_to(manifest.source_root)) for path in manifest.source_root.rglob("*.*"))
    names = [file for file in files if "__pycache__" not in file]
    texts = [text for module in modules.values() for text in (module.name, module.text)]
    wheels = [f"{path}:{path.stat().st_mtime_ns}" for _, path in closure.names.records()]
    return [manifest.document, *names, *texts, *wheels]


def _to_document(result: ImageResult) -> dict[str, Any]:
    return {
        "image": result.image,
        "modules": result.modules,
        "references": result.references,
        "findings": [
            {field.name: getattr(finding, field.name) for field in fields(Finding)}
            | {"chain": [[hop.path, hop.line, hop.text, hop.target] for hop in finding.chain]}
            for finding in result.findings
        ],
    }


def _from_document(document: dict[str, Any]) -> ImageResult:
    findings = (
        Finding(
            **{
                **kept,
                "code": Code(kept["code"]),
                "chain": tuple(Hop(*hop) for hop in kept["chain"]),
                "remedy": tuple(kept["remedy"]),
            }
        )
        for kept in document["findings"]
    )
    return ImageResult(document["image"], tuple(findings), document["modules"], document["references"])
