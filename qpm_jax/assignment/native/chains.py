"""Searches side by side: starts, perturb and repair, and when a search moves on.

The random part of the native solver. It is small and runs on the host, so that neither
random numbers nor comparisons have to be compiled; the repair is `search.descend_all`.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.assignment.native.refine import HostArrays, relaxed_value
from qpm_jax.assignment.native.search import SearchArrays, descend_all, greedy_all

# Mean share of Z that a chain may lose and still move on.
_ACCEPTANCE = 2e-4
# Penalties times this: the greedy then avoids every penalised pair while it can.
_NO_PENALTY = 1e3


@dataclass(frozen=True, eq=False)
class Chains:
    """Independent searches side by side.

    Attributes:
        selected: int32 [B, n], where each search stands, a one-swap optimum.
        value: float64 [B], Z without uniqueness.
        best: int32 [B, n], the best each has seen.
        best_value: float64 [B].
    """

    selected: Int[np.ndarray, "B n"]
    value: Float[np.ndarray, " B"]
    best: Int[np.ndarray, "B n"]
    best_value: Float[np.ndarray, " B"]


def start_chains(
    arrays: SearchArrays,
    host: HostArrays,
    random: np.random.Generator,
    num_features: int,
    chains: int,
) -> Chains:
    """Starts of several kinds, each taken to its one-swap optimum.

    The first is the plain greedy, the second a greedy that avoids every penalty (a
    clique below the redundancy threshold), the third nearly random, the others greedy
    with random weights on the gains.

    Args:
        arrays: the problem on the device.
        host: the problem on the host.
        random: randomness.
        num_features: n.
        chains: B, how many searches run side by side.
    """
    noise = random.uniform(0.3, 1.0, (chains, len(host.bias))).astype(np.float32)
    noise[:2] = 1.0
    # Gains this unequal are as good as a random order.
    noise[2:3] **= 30
    factors = np.ones(chains, np.float32)
    factors[1:2] = _NO_PENALTY
    selected = greedy_all(arrays, num_features, factors, noise)
    selected = np.asarray(descend_all(arrays, selected))
    value = _values(host, selected)
    return Chains(selected, value, selected, value)


def continue_chains(
    arrays: SearchArrays,
    host: HostArrays,
    chains: Chains,
    random: np.random.Generator,
    largest: int,
) -> Chains:
    """Perturbs and repairs every chain once.

    A chain moves on to a slightly worse optimum now and then, and otherwise goes on
    from the best it has seen.

    Args:
        arrays: the problem on the device.
        host: the problem on the host.
        chains: where they stand.
        random: randomness.
        largest: most features a perturbation replaces.
    """
    moved = perturb(host, chains.selected, random, largest)
    moved = np.asarray(descend_all(arrays, moved))
    value = _values(host, moved)
    better = value > chains.best_value
    best = np.where(better[:, None], moved, chains.best)
    best_value = np.maximum(value, chains.best_value)
    slack = random.exponential(_ACCEPTANCE, len(value)) * np.abs(best_value)
    accept = value >= best_value - slack
    return replace(
        chains,
        selected=np.where(accept[:, None], moved, best),
        value=np.where(accept, value, best_value),
        best=best,
        best_value=best_value,
    )


def perturb(
    host: HostArrays,
    selected: Int[np.ndarray, "B n"],
    random: np.random.Generator,
    largest: int,
) -> Int[np.ndarray, "B n"]:
    """Replaces up to `largest` random features of every row by random others.

    Args:
        host: the problem; forced features stay, barred ones stay away.
        selected: int [B, n].
        random: randomness.
        largest: most features replaced, from 1 to min(n, F − n).

    Returns:
        int [B, n], each row still without repetition.
    """
    chains = len(selected)
    leave_score = random.uniform(size=selected.shape)
    leave_score[host.fixed[selected]] = -1.0
    come_score = random.uniform(size=(chains, len(host.bias)))
    np.put_along_axis(come_score, selected, -1.0, axis=1)
    come_score[:, host.barred] = -1.0
    leaving = np.argsort(-leave_score, axis=1)[:, :largest]
    coming = np.argpartition(-come_score, largest - 1, axis=1)[:, :largest]
    number = random.integers(min(2, largest), largest, (chains, 1), endpoint=True)
    swapped = (
        (np.arange(largest) < number)
        & (np.take_along_axis(leave_score, leaving, axis=1) >= 0)
        & (np.take_along_axis(come_score, coming, axis=1) >= 0)
    )
    result = selected.copy()
    stay = np.take_along_axis(selected, leaving, axis=1)
    np.put_along_axis(
        result, leaving, np.where(swapped, coming, stay).astype(result.dtype), axis=1
    )
    return result


def _values(host: HostArrays, selected: Int[np.ndarray, "B n"]) -> np.ndarray:
    return np.array([relaxed_value(host, row) for row in selected])
