"""Where walks begin: decimations, of a sharpness that is sought by what they cost.

Blunt ones look at models that are too dear, sharp ones at so few that propagation goes
astray; the best sharpness falls with the instances, from about 10 at 60 images of MNIST
to 1 at 1000, and little is lost within a factor of 1.5.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qpm_jax.regression.native.marginals.decimation import decimate
from qpm_jax.regression.native.model import NativeModel
from qpm_jax.regression.native.search import Search
from qpm_jax.regression.native.wandering import descended, first_dive

_FIRST = 3.0
_FACTOR = 2.0
# The spread of the logarithm around the best one.
_SPREAD = 0.25


@dataclass(frozen=True)
class Tried:
    """What a decimation of some sharpness cost; inf for one that failed."""

    sharpness: float
    cost: float


def begin(
    search: Search,
    tried: Sequence[Tried],
    random: np.random.Generator,
) -> tuple[NativeModel | None, list[Tried]]:
    """A decimation and the descent from its end; a dive where all of them failed.

    Args:
        search: what to search.
        tried: decimations so far.
        random: of the sharpness, a dive's order, and choices among equals.

    Returns:
        The model, None where the decimation failed; and what has been tried now.
    """
    sharpness = next_sharpness(tried, random)
    found = decimate(search, sharpness, random)
    cost = math.inf if found is None else found.cost
    now = [*tried, Tried(sharpness, cost)]
    if found is not None:
        return descended(search, found), now
    if is_settled(now) and _best(now).cost == math.inf:
        return first_dive(search, random), now
    return None, now


def is_settled(tried: Sequence[Tried]) -> bool:
    """Whether the best one lies between a blunter and a sharper one."""
    if not tried:
        return False
    each = [one.sharpness for one in tried]
    return min(each) < _best(tried).sharpness < max(each)


def next_sharpness(tried: Sequence[Tried], random: np.random.Generator) -> float:
    """Sharper or blunter than all tried until the best is between; then about it.

    Args:
        tried: so far.
        random: of the choice about the best.
    """
    if not tried:
        return _FIRST
    best = _best(tried).sharpness
    if is_settled(tried):
        return best * math.exp(_SPREAD * random.standard_normal())
    blunt = min(one.sharpness for one in tried)
    return blunt / _FACTOR if best <= blunt else best * _FACTOR


def _best(tried: Sequence[Tried]) -> Tried:
    return min(tried, key=lambda one: one.cost)
