"""One-swap local search for the selection, on the accelerator.

For a fixed selection each class takes its k best features, so Z is a function of the
selection alone ("Structure worth using" in PAPERS 1.7). With the k-th and (k+1)-th best
value of every class at hand, all n·(F−n) swaps are scored at once. Uniqueness is left
out here: it can only lower Z, and `refine` looks after it.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from qpm_jax.assignment.problem import AssignmentProblem


@struct.dataclass
class SearchArrays:
    """A problem as float32 arrays.

    Attributes:
        values: [C, F], what a feature is worth to a class.
        penalty: [F, F], symmetric pair penalties, zero diagonal.
        bias: [F].
        class_sizes: int32 [C].
        fixed: bool [F], features that must stay.
        barred: bool [F], features that must not come in.
    """

    values: Float[Array, "C F"]
    penalty: Float[Array, "F F"]
    bias: Float[Array, " F"]
    class_sizes: Int[Array, " C"]
    fixed: Bool[Array, " F"]
    barred: Bool[Array, " F"]


@struct.dataclass
class Chains:
    """Independent searches side by side.

    Attributes:
        selected: int32 [B, n], where each search stands, a one-swap optimum.
        value: float32 [B].
        best: int32 [B, n], the best each has seen.
        best_value: float32 [B].
    """

    selected: Int[Array, "B n"]
    value: Float[Array, " B"]
    best: Int[Array, "B n"]
    best_value: Float[Array, " B"]


def search_arrays(problem: AssignmentProblem) -> SearchArrays:
    """Moves a problem to the device in float32."""
    features = problem.similarity.shape[0]
    fixed, barred = np.zeros((2, features), bool)
    fixed[list(problem.forced_in)] = True
    barred[list(problem.forced_out)] = True
    return SearchArrays(
        values=jnp.asarray(problem.values, jnp.float32),
        penalty=jnp.asarray(problem.penalty_matrix, jnp.float32),
        bias=jnp.asarray(problem.feature_bias, jnp.float32),
        class_sizes=jnp.asarray(problem.class_sizes, jnp.int32),
        fixed=jnp.asarray(fixed),
        barred=jnp.asarray(barred),
    )


def ranked_values(
    arrays: SearchArrays, selected: Int[Array, " n"]
) -> tuple[Float[Array, "C n"], Bool[Array, "C n"], Float[Array, "C 1"]]:
    """Values of the selected features, which are taken, and the worst one taken."""
    values = arrays.values[:, selected]
    order = jnp.argsort(-values, axis=1)
    rank = jnp.argsort(order, axis=1)
    taken = rank < arrays.class_sizes[:, None]
    worst = jnp.min(jnp.where(taken, values, jnp.inf), axis=1, keepdims=True)
    return values, taken, worst


def selection_value(
    arrays: SearchArrays, selected: Int[Array, " n"]
) -> Float[Array, ""]:
    """Z of a selection, every class taking its best features.

    Args:
        arrays: the problem.
        selected: int [n].

    Returns:
        Z without the demand that classes differ: at least the Z with it.
    """
    values, taken, _ = ranked_values(arrays, selected)
    penalties = arrays.penalty[selected][:, selected].sum() / 2
    return jnp.sum(values * taken) - penalties + arrays.bias[selected].sum()


def swap_gains(arrays: SearchArrays, selected: Int[Array, " n"]) -> Float[Array, "n F"]:
    """What Z gains when `selected[i]` leaves and feature j comes, for all i and j.

    A class that does not use i gains where j beats its worst feature; one that uses i
    takes the better of j and its best unused feature instead: clip(value of j, best
    unused, worst used) more than in the other case.

    Args:
        arrays: the problem.
        selected: int [n].

    Returns:
        float32 [n, F]; −inf for swaps that are not allowed.
    """
    values, taken, worst = ranked_values(arrays, selected)
    reserve = jnp.max(jnp.where(taken, -jnp.inf, values), axis=1, keepdims=True)
    used = taken.astype(values.dtype)
    arriving = jnp.maximum(arrays.values - worst, 0.0).sum(axis=0)
    replacing = used.T @ jnp.clip(arrays.values, reserve, worst)
    leaving = jnp.sum(used * values, axis=0)
    rows = arrays.penalty[selected]
    penalty = rows.sum(axis=0)
    gains = arriving + arrays.bias - penalty
    losses = leaving + arrays.bias[selected] - penalty[selected]
    allowed = ~(arrays.barred.at[selected].set(True))
    movable = ~arrays.fixed[selected]
    return jnp.where(
        movable[:, None] & allowed, gains + replacing - losses[:, None] + rows, -jnp.inf
    )


def descend(
    arrays: SearchArrays, selected: Int[Array, " n"]
) -> tuple[Int[Array, " n"], Float[Array, ""]]:
    """Takes the best swap until none gains: a one-swap optimum and its value."""
    features = arrays.values.shape[1]
    # Below this float32 sums of this size are noise, and swaps could go in circles.
    noise = 1e-6 * jnp.sum(arrays.class_sizes * jnp.max(jnp.abs(arrays.values), axis=1))

    def best_swap(state: Int[Array, " n"]) -> tuple[Array, Array]:
        gains = swap_gains(arrays, state)
        return jnp.argmax(gains), jnp.max(gains)

    def step(carry: tuple[Array, Array, Array, Array]) -> tuple[Array, ...]:
        state, swap, _, steps = carry
        state = state.at[swap // features].set((swap % features).astype(state.dtype))
        return (state, *best_swap(state), steps + 1)

    limit = 20 * selected.shape[0] + 100
    state, *_ = jax.lax.while_loop(
        lambda carry: (carry[2] > noise) & (carry[3] < limit),
        step,
        (selected, *best_swap(selected), jnp.zeros((), jnp.int32)),
    )
    return state, selection_value(arrays, state)


def greedy(
    arrays: SearchArrays,
    num_features: int,
    penalty_factor: Float[Array, ""],
    noise: Float[Array, " F"],
) -> Int[Array, " n"]:
    """Adds the feature of largest gain n times, forced features first.

    Args:
        arrays: the problem.
        num_features: n.
        penalty_factor: multiplies the pair penalties; a large one looks for a selection
            without any (a clique below the redundancy threshold).
        noise: [F], multiplies the gains; ones for the plain greedy.

    Returns:
        int32 [num_features].
    """
    features = arrays.values.shape[1]
    floor = jnp.min(arrays.values, axis=1)
    width = num_features
    # Per class the values taken so far, best first; empty places hold the floor, and
    # places a class does not have are full.
    open_place = jnp.arange(width) < arrays.class_sizes[:, None]

    def add(
        step: Int[Array, ""], carry: tuple[Array, Array, Array]
    ) -> tuple[Array, Array, Array]:
        selected, taken, penalty = carry
        worst = taken.min(axis=1, keepdims=True)
        gains = jnp.maximum(arrays.values - worst, 0.0).sum(axis=0) * noise
        gains = gains + arrays.bias - penalty_factor * penalty
        free = ~arrays.barred.at[selected].set(True, mode="drop")
        first = jnp.where(arrays.fixed & free, jnp.inf, gains)
        choice = jnp.argmax(jnp.where(free, first, -jnp.inf))
        value = arrays.values[:, choice]
        place = taken.argmin(axis=1)
        rows = jnp.arange(taken.shape[0])
        taken = taken.at[rows, place].max(value)
        return (
            selected.at[step].set(choice.astype(jnp.int32)),
            taken,
            penalty + arrays.penalty[choice],
        )

    taken = jnp.where(open_place, floor[:, None], jnp.inf)
    empty = jnp.full((num_features,), features, jnp.int32)
    selected, *_ = jax.lax.fori_loop(
        0, num_features, add, (empty, taken, jnp.zeros(features))
    )
    return selected


def perturb(
    arrays: SearchArrays,
    selected: Int[Array, " n"],
    key: PRNGKeyArray,
    largest: int,
) -> Int[Array, " n"]:
    """Replaces 2 to `largest` random features by random others.

    Args:
        arrays: the problem.
        selected: int [n].
        key: randomness.
        largest: most features replaced, at most n and F − n.

    Returns:
        int [n]; forced features stay, barred ones stay away.
    """
    number_key, leave_key, come_key = jax.random.split(key, 3)
    number = jax.random.randint(number_key, (), min(2, largest), largest + 1)
    leave_score = jax.random.uniform(leave_key, selected.shape)
    leave_score = jnp.where(arrays.fixed[selected], -1.0, leave_score)
    leave_score, leaving = jax.lax.top_k(leave_score, largest)
    come_score = jax.random.uniform(come_key, arrays.bias.shape)
    come_score = jnp.where(arrays.barred.at[selected].set(True), -1.0, come_score)
    come_score, coming = jax.lax.top_k(come_score, largest)
    swapped = (jnp.arange(largest) < number) & (leave_score >= 0) & (come_score >= 0)
    return selected.at[leaving].set(
        jnp.where(swapped, coming.astype(selected.dtype), selected[leaving])
    )


@functools.partial(jax.jit, static_argnames=("num_features", "chains"))
def start_chains(
    arrays: SearchArrays, key: PRNGKeyArray, num_features: int, chains: int
) -> Chains:
    """Starts of several kinds, each taken to its one-swap optimum.

    The first is the plain greedy, the second a greedy that avoids every penalty, the
    third a random selection, the others greedy with random weights on the gains.

    Args:
        arrays: the problem.
        key: randomness.
        num_features: n.
        chains: B, how many searches run side by side.
    """
    features = arrays.bias.shape[0]
    noise = jax.random.uniform(key, (chains, features), minval=0.3, maxval=1.0)
    noise = noise.at[0].set(1.0)
    factor = jnp.ones(chains)
    if chains > 1:
        noise = noise.at[1].set(1.0)
        factor = factor.at[1].set(1e3)
    if chains > 2:
        # Gains this unequal are as good as a random order.
        noise = noise.at[2].power(30.0)

    def start(factor: Float[Array, ""], noise: Float[Array, " F"]) -> tuple:
        return descend(arrays, greedy(arrays, num_features, factor, noise))

    selected, value = jax.vmap(start)(factor, noise)
    return Chains(selected, value, selected, value)


@functools.partial(jax.jit, static_argnames=("largest", "repeats"))
def continue_chains(
    arrays: SearchArrays, chains: Chains, key: PRNGKeyArray, largest: int, repeats: int
) -> Chains:
    """Perturbs and repairs every chain `repeats` times.

    A chain moves on to a slightly worse optimum now and then, and otherwise goes on
    from the best it has seen.

    Args:
        arrays: the problem.
        chains: where they stand.
        key: randomness.
        largest: most features a perturbation replaces.
        repeats: perturbations of a call.
    """
    number = chains.value.shape[0]

    def once(step: Int[Array, ""], state: Chains) -> Chains:
        keys = jax.random.split(jax.random.fold_in(key, step), (2, number))
        moved = jax.vmap(lambda s, k: perturb(arrays, s, k, largest))(
            state.selected, keys[0]
        )
        moved, value = jax.vmap(lambda s: descend(arrays, s))(moved)
        better = value > state.best_value
        best = jnp.where(better[:, None], moved, state.best)
        best_value = jnp.maximum(value, state.best_value)
        slack = jax.vmap(jax.random.exponential)(keys[1]) * 2e-4
        accept = value >= best_value - slack * jnp.abs(best_value)
        return Chains(
            jnp.where(accept[:, None], moved, best),
            jnp.where(accept, value, best_value),
            best,
            best_value,
        )

    return jax.lax.fori_loop(0, repeats, once, chains)
