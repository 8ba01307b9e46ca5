"""Whether what goes into an action and comes out of it fits its spec. Pure; importable anywhere, workflow code too.

Where the check happens: inside the activity on our own queues, which see the secrets, and in the workflow for actions
that others serve. Both fail in the same words.
"""

from typing import Any, Literal

from workflow_runtime.core.actions.schema import AND_MORE, AND_PERHAPS_MORE, validate_json
from workflow_runtime.core.definition.values import is_secret
from workflow_runtime.core.errors import ValidationFailure


def misfit(side: Literal["input", "output"], action_id: str, version: int, problems: list[str]) -> ValidationFailure:
    """The failure of an action whose ``side`` does not fit: ACTION_INPUT_INVALID or ACTION_OUTPUT_INVALID."""
    return ValidationFailure(
        f"{side} of action {action_id!r} version {version} does not fit its schema: {'; '.join(problems)}",
        code=f"ACTION_{side.upper()}_INVALID",
        details={"problems": problems},
    )


def unresolved_problems(schema: Any, value: Any) -> list[str]:
    """What is wrong with an input whose secrets are still names, as ``validate_json`` says it.

    A secret counts as a text, and what the schema says of that text is not judged: its worker alone can read it.
    """
    places: set[str] = set()
    plain = _with_names(value, "", places)
    told = validate_json(schema, plain)
    problems = [problem for problem in told if problem.partition(": ")[0] not in places]
    return problems if set(problems) - {AND_MORE, AND_PERHAPS_MORE} else []


def _with_names(value: Any, place: str, places: set[str]) -> Any:
    if is_secret(value):
        places.add(place or "/")
        return value["$secret"]
    if isinstance(value, dict):
        return {key: _with_names(item, f"{place}/{key}", places) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_names(item, f"{place}/{index}", places) for index, item in enumerate(value)]
    return value
