"""Name the nearest known word to a misspelt one. Pure; importable anywhere."""

from collections.abc import Iterable


def edit_distance(left: str, right: str, limit: int) -> int:
    """Insertions, deletions, replacements and swaps of neighbours that turn ``left`` into ``right``.

    Gives ``limit + 1`` as soon as the answer is known to be larger than ``limit``.

    >>> edit_distance("transform.assing", "transform.assign", 3)
    1
    """
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before_last: list[int] = []
    last = list(range(len(right) + 1))
    for row, char in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            cost = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (char != other))
            if row > 1 and column > 1 and char == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before_last[column - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before_last, last = last, current
    return min(last[-1], limit + 1)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to ``word``, or None when none is near enough: a third of its letters, three at most."""
    limit = max(1, min(3, len(word) // 3))
    folded = word.casefold()
    ranked = sorted((edit_distance(folded, other.casefold(), limit), other) for other in set(known))
    return ranked[0][1] if ranked and ranked[0][0] <= limit else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A suggestion to show after an error, or None."""
    found = nearest(word, known)
    return None if found is None else f'Did you mean "{found}"?'
