"""What the developer commands print: progress on stderr, results on stdout. Host process only."""

import sys


def step(message: str) -> None:
    """One line of progress."""
    print(f"\033[2m··\033[0m {message}" if sys.stderr.isatty() else f".. {message}", file=sys.stderr, flush=True)


def warn(message: str) -> None:
    """One line that must not be missed."""
    print(f"\033[33m!! {message}\033[0m" if sys.stderr.isatty() else f"!! {message}", file=sys.stderr, flush=True)


def table(header: list[str], rows: list[list[str]]) -> str:
    """Left-aligned columns, two spaces apart."""
    cells = [header, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )
