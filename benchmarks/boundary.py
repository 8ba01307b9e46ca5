"""What the boundary check catches and how long it takes: ``python -m benchmarks.boundary``. Process.

Prints, for every form in tests/unit/boundary/forms.txt, which witness sees it on its own, then the time of the check
for each of this repository's images: alone, all together, and all together with a cache.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.unit.boundary.forms import FORMS, UNDECIDABLE, written
from tests.unit.boundary.own_tree import REPOSITORY, declarations, manifest
from tests.unit.boundary.tree import Tree

from boundary.cache import Cache
from boundary.check import check_images
from boundary.manifest import load_manifest
from boundary.run_witness import own_interpreter

_ROUNDS = 5


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as directory:
        _print_forms(Path(directory, "forms"))
        _print_times(Path(directory, "times"))


def _print_forms(directory: Path) -> None:
    tree = Tree(directory)
    tree.write({f"worker/form_{index}.py": written(form, "lib.boot.engine") for index, form in enumerate(FORMS)})
    seen = {finding.path: str(finding.witness) for finding in tree.findings()}
    witnesses = [seen.get(f"src/worker/form_{index}.py", "MISSED") for index in range(len(FORMS))]
    print(f"{'form':<46} {'AST':^5} {'run':^5}  certainty")
    for form, witness in zip(FORMS, witnesses, strict=True):
        marks = ["x" if name in witness else "" for name in ("AST", "run")]
        print(f"{form.name:<46} {marks[0]:^5} {marks[1]:^5}  {form.certainty}")
    counts = Counter(witnesses)
    print(f"\n{len(FORMS)} forms: " + ", ".join(f"{number} by {name}" for name, number in sorted(counts.items())))
    print(f"{len(UNDECIDABLE)} undecidable lines, refused by AST\n")


def _print_times(directory: Path) -> None:
    directory.mkdir()
    paths = []
    for image in declarations():
        path = directory / f"{image}.json"
        path.write_text(json.dumps(manifest(image, REPOSITORY / "src")), encoding="utf-8")
        paths.append(path)
        result = check_images([load_manifest(str(path))], Cache(None))[0]
        print(f"{image:<46} {_median([path]):6.2f} s   {result.modules} modules, {result.references} references")
    print(f"{'all images in one process':<46} {_median(paths):6.2f} s")
    cache = ["--cache", str(directory / "cache")]
    _seconds(paths, cache)
    print(f"{'all images, nothing changed, with --cache':<46} {_median(paths, cache):6.2f} s")


def _median(manifests: Iterable[Path], options: Iterable[str] = ()) -> float:
    paths = list(manifests)
    return sorted(_seconds(paths, options) for _ in range(_ROUNDS))[_ROUNDS // 2]


def _seconds(manifests: Iterable[Path], options: Iterable[str] = ()) -> float:
    program = REPOSITORY / "nix/builders/boundary"
    named = [word for path in manifests for word in ("--manifest", str(path))]
    began = time.perf_counter()
    done = subprocess.run([*own_interpreter(), "-I", str(program), *named, *options], stdout=subprocess.DEVNULL)
    if done.returncode == 2:
        sys.exit("the check could not be started")
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
