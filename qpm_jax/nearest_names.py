"""What somebody may have meant by a name that is not known."""

import difflib
import re
from collections.abc import Collection


def nearest(name: object, known: Collection[str], most: int = 3) -> list[str]:
    """Returns the known names that are near, the nearest first; [] where none is.

    Upper and lower case make no difference. Names with the same first word come before
    those that share another ("cars" and "stanford_cars"), then come those that are
    spelt alike.

    Args:
        name: what came.
        known: the names there are.
        most: how many to return at most.
    """
    lower = {each.lower(): each for each in known}
    asked = str(name).lower()
    alike = difflib.get_close_matches(asked, lower, n=most, cutoff=0.5)
    order = {each: rank for rank, each in enumerate(alike)}
    ranked = sorted(
        (_kinship(asked, each), order.get(each, most), place, each)
        for place, each in enumerate(lower)
    )
    near = [each for kin, rank, _, each in ranked if kin < 2 or rank < most]
    return [lower[each] for each in near[:most]]


def did_you_mean(name: object, known: Collection[str]) -> str:
    """Returns " Did you mean …?" with the nearest names, or "" where none is near."""
    near = nearest(name, known)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _kinship(one: str, other: str) -> int:
    """0 where the first words are the same, 1 where any are, otherwise 2."""
    ours, theirs = (re.findall("[a-z]{3,}", each) for each in (one, other))
    if ours and theirs and ours[0] == theirs[0]:
        return 0
    return 1 if set(ours) & set(theirs) else 2
