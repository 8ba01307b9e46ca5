"""Compares what an image declares to own with what its own code says. Runs inside a Nix build.

Document: ``{version, image, queues, consumerGroups, interpreter: [argv]}``. The interpreter is the image's, so the code
asked is exactly the code that will run.
"""

import json
import subprocess
import sys

from document import fail, output, read_document

_QUESTION = """
import json, sys
from workflow_runtime.service.ownership import GROUP_OWNERS, queues_of
image = sys.argv[1]
groups = [group for group, owner in GROUP_OWNERS.items() if owner == image]
print(json.dumps({"queues": sorted(queues_of(image)), "consumerGroups": sorted(groups)}))
"""


def main() -> None:
    """Ask the code, compare, name every difference."""
    document = read_document()
    image = document["image"]
    done = subprocess.run(
        [*document["interpreter"], "-I", "-c", _QUESTION, image], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        fail(f"{image}: its code could not be asked what it owns; the reason stands above")
    said = json.loads(done.stdout)
    problems = [
        problem
        for kind in ("queues", "consumerGroups")
        for problem in differences(image, kind, set(document[kind]), set(said[kind]))
    ]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        raise SystemExit(1)
    output().write_text(f"{image}: the declaration and the code agree\n")


def differences(image: str, kind: str, declared: set[str], said: set[str]) -> list[str]:
    """One sentence for each name that only one side has."""
    name = {"queues": "queue", "consumerGroups": "consumer group"}[kind]
    code = "workflow_runtime.service.ownership"
    return [
        *(
            f"images/{image}.nix owns the {name} {item!r}, {code} gives it to nobody or another: change one of the two"
            for item in sorted(declared - said)
        ),
        *(
            f"{code} gives {image} the {name} {item!r}, which images/{image}.nix does not own: "
            f"add {json.dumps(item)} to owns.{kind}"
            for item in sorted(said - declared)
        ),
    ]


if __name__ == "__main__":
    main()
