"""What code that runs inside a Temporal workflow reaches besides the workflow API. Build process.

Every function and body of a workflow module counts. From there calls are followed into other first-party modules, but
not functions that are only handed on: an activity is named in workflow code and runs elsewhere.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping

from boundary.analysis import ModuleFacts
from boundary.ast_behaviour import CallEdge, Use
from boundary.closure import Closure
from boundary.codes import Code
from boundary.findings import Finding, Hop
from boundary.references import Spot, Witness
from boundary.run_witness import Observations

_REMEDY = {
    "a clock": "take the time from temporalio.workflow.now(), or as an argument",
    "chance": "take it from temporalio.workflow.random() or workflow.uuid4(), or as an argument",
}


def determinism_findings(
    closure: Closure, facts: Mapping[str, ModuleFacts], observations: Observations
) -> Iterator[Finding]:
    """One finding for each line that workflow code may run and replay may not; the import run sees the bodies."""
    workflow = {name for name in facts if closure.package_of(name, closure.manifest.workflow_modules)}
    bodies = dict(_seen_by_run(closure, workflow, observations))
    ways = _reached(workflow, facts)
    told: set[tuple[str, int, str]] = set()
    for name, said in facts.items():
        for use in said.uses:
            key = (use.spot.path, use.spot.line, use.what)
            if (name in workflow or use.function in ways) and key not in told:
                told.add(key)
                witness = Witness.BOTH if key in bodies else Witness.AST
                yield _finding(closure, use, ways.get(use.function, ()), witness)
    for key, use in bodies.items():
        if key not in told:
            yield _finding(closure, use, (), Witness.RUN)


def _seen_by_run(
    closure: Closure, workflow: set[str], observations: Observations
) -> Iterator[tuple[tuple[str, int, str], Use]]:
    modules = {str(closure.modules[name].path): closure.modules[name] for name in workflow if name in closure.modules}
    for effect in observations.effects:
        module = modules.get(effect.path)
        if module is not None and effect.replayed:
            what = effect.what.removeprefix("reaches ")
            spot = Spot(module.name, module.display, effect.line, effect.line, module.source_line(effect.line))
            yield (spot.path, spot.line, what), Use(spot, module.name, effect.detail, what)


def _reached(workflow: set[str], facts: Mapping[str, ModuleFacts]) -> dict[str, tuple[CallEdge, ...]]:
    """Functions outside the workflow modules that their code calls, each with a shortest chain of calls."""
    calls: dict[str, list[CallEdge]] = defaultdict(list)
    home = {}
    for name, said in facts.items():
        for edge in said.calls:
            calls[edge.caller].append(edge)
            home[edge.caller] = name
    ways: dict[str, tuple[CallEdge, ...]] = {}
    queue: deque[tuple[str, tuple[CallEdge, ...]]] = deque(
        (caller, ()) for caller in sorted(calls) if home[caller] in workflow
    )
    while queue:
        caller, way = queue.popleft()
        for edge in calls.get(caller, ()):
            if edge.callee not in ways and _module_of(edge.callee, facts) not in workflow:
                ways[edge.callee] = (*way, edge)
                queue.append((edge.callee, ways[edge.callee]))
    return ways


def _module_of(function: str, facts: Mapping[str, ModuleFacts]) -> str | None:
    while function and function not in facts:
        function = function.rpartition(".")[0]
    return function or None


def _finding(closure: Closure, use: Use, way: tuple[CallEdge, ...], witness: Witness) -> Finding:
    chain = [Hop(edge.spot.path, edge.spot.line, edge.spot.text, edge.callee) for edge in way]
    if chain:
        chain.append(Hop(use.spot.path, use.spot.line, use.spot.text, use.name))
    return Finding(
        image=closure.manifest.image,
        code=Code.NONDETERMINISM,
        path=use.spot.path,
        line=use.spot.line,
        subject=use.name,
        message=f"{use.function} runs in workflow code and reaches {use.what} ({use.name})",
        text=use.spot.text,
        form=use.name,
        certainty="runtime",
        witness=witness,
        context=use.spot.context,
        chain=tuple(chain),
        declaration=closure.manifest.declaration.at("workflowCode"),
        remedy=(_REMEDY.get(use.what, "do it in an activity and hand the result to the workflow"),),
    )
