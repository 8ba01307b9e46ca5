"""The report for a person: one block for each finding, one line for each image. Build process."""

from collections.abc import Iterator, Sequence

from boundary.codes import RULES, Severity
from boundary.findings import Finding, Hop
from boundary.graph import MOST_CHAINS
from boundary.results import ImageResult


def render_text(results: Sequence[ImageResult]) -> str:
    """The whole report, ending in one summary line an image."""
    blocks = ["\n".join(_block(finding)) for result in results for finding in result.findings]
    summary = "\n".join(_summary(result) for result in results)
    return "\n\n".join([*blocks, summary]) + "\n"


def _block(finding: Finding) -> Iterator[str]:
    yield f"{finding.image}: {finding.severity}: {finding.verdict} [{finding.code}] {finding.place}"
    yield f"  {finding.message}"
    yield from _chain(finding)
    for title, value in _facts(finding):
        yield f"  {title:<12}{value}"
    for index, remedy in enumerate(finding.remedy):
        yield f"  {'remedy' if index == 0 else '':<12}{remedy}"
    yield f"  {'see':<12}{RULES[finding.code].page(finding.code)}"


def _chain(finding: Finding) -> Iterator[str]:
    if not finding.chain:
        if finding.text:
            yield f"      {finding.text}"
        return
    if finding.chain_note:
        yield f"  {'chain':<12}({finding.chain_note})"
    else:
        yield f"  {'chain':<12}{_others(finding.other_chains)}"
    width = max(len(hop.place) for hop in finding.chain)
    for hop in finding.chain:
        yield f"      {hop.place:<{width}}  {_shown(hop, hop is finding.chain[-1])}".rstrip()


def _shown(hop: Hop, last: bool) -> str:
    return hop.text if last or hop.target in hop.text else f"{hop.text}  → {hop.target}"


def _others(count: int | None) -> str:
    if count is None:
        return "of calls from workflow code"
    if not count:
        return "the only one"
    if count >= MOST_CHAINS - 1:
        return f"shortest of {MOST_CHAINS} and more"
    return f"shortest; {count} other{'s' if count > 1 else ''}"


def _facts(finding: Finding) -> Iterator[tuple[str, str]]:
    if finding.owner:
        yield "owner", finding.owner
    if finding.form:
        seen = f", seen by {finding.witness}" if finding.witness else ""
        where = f" in {finding.context}" if finding.context else ""
        yield "form", f"{finding.form}{where}; {finding.certainty}{seen}"
    if finding.declaration:
        yield "declaration", finding.declaration


def _summary(result: ImageResult) -> str:
    counts = {severity: sum(f.severity is severity for f in result.findings) for severity in Severity}
    verdict = "REFUSED" if counts[Severity.ERROR] else "ok"
    said = ", ".join(
        f"{number} {'violation' if severity is Severity.ERROR else severity}{'s' if number > 1 else ''}"
        for severity, number in counts.items()
        if number
    )
    scope = f"{result.modules} modules, {result.references} references"
    return f"boundary: {result.image}: {verdict} ({scope}{'; ' + said if said else ''})"
