"""One-swap local search for the selection, on the accelerator.

For a fixed selection each class takes its k best features, so Z is a function of the
selection alone (docs/formulas.md, Structure that makes it tractable). With the k-th and
(k+1)-th best value of every class at hand, all n·(F−n) swaps are scored at once.
Uniqueness is left out here: it can only lower Z, and `refine` looks after it.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

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


def search_arrays(problem: AssignmentProblem) -> SearchArrays:
    """Moves a problem to the device in float32."""
    # Converted on the host: a conversion on the device would be compiled first.
    return SearchArrays(
        values=jnp.asarray(problem.values.astype(np.float32)),
        penalty=jnp.asarray(problem.penalty_matrix.astype(np.float32)),
        bias=jnp.asarray(problem.feature_bias.astype(np.float32)),
        class_sizes=jnp.asarray(problem.class_sizes.astype(np.int32)),
        fixed=jnp.asarray(problem.fixed),
        barred=jnp.asarray(problem.barred),
    )


def ranked_values(
    arrays: SearchArrays, selected: Int[Array, " n"]
) -> tuple[Float[Array, "C n"], Bool[Array, "C n"], Float[Array, "C 1"]]:
    """Values of the selected features, which are taken, and the worst one taken."""
    values = arrays.values[:, selected]
    # Ranks by comparing all pairs: for some ten features faster than XLA's sort.
    mine, other = values[:, :, None], values[:, None, :]
    place = jnp.arange(selected.shape[0])
    before = (other > mine) | ((other == mine) & (place < place[:, None]))
    taken = before.sum(axis=2) < arrays.class_sizes[:, None]
    worst = jnp.min(jnp.where(taken, values, jnp.inf), axis=1, keepdims=True)
    return values, taken, worst


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
    # Accelerators would round to ten bits or fewer, more than `descend` takes as noise.
    gained = jnp.clip(arrays.values, reserve, worst)
    replacing = jnp.matmul(used.T, gained, precision=jax.lax.Precision.HIGHEST)
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


def descend(arrays: SearchArrays, selected: Int[Array, " n"]) -> Int[Array, " n"]:
    """Takes the best swap until none gains: a one-swap optimum."""
    features = arrays.values.shape[1]
    # Below this float32 sums of this size are noise, and swaps could go in circles.
    noise = 1e-6 * jnp.sum(arrays.class_sizes * jnp.max(jnp.abs(arrays.values), axis=1))
    limit = 20 * selected.shape[0] + 100

    def step(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        state, _, steps = carry
        gains = swap_gains(arrays, state)
        swap, gain = jnp.argmax(gains), jnp.max(gains)
        moved = state.at[swap // features].set((swap % features).astype(state.dtype))
        return jnp.where(gain > noise, moved, state), gain, steps + 1

    state, *_ = jax.lax.while_loop(
        lambda carry: (carry[1] > noise) & (carry[2] < limit),
        step,
        (selected, jnp.asarray(jnp.inf), jnp.zeros((), jnp.int32)),
    )
    return state


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


@jax.jit
def descend_all(
    arrays: SearchArrays, selected: Int[ArrayLike, "B n"]
) -> Int[Array, "B n"]:
    """`descend` for B selections side by side."""
    return jax.vmap(descend, in_axes=(None, 0))(arrays, jnp.asarray(selected))


@functools.partial(jax.jit, static_argnames="num_features")
def greedy_all(
    arrays: SearchArrays,
    num_features: int,
    penalty_factors: Float[ArrayLike, " B"],
    noise: Float[ArrayLike, "B F"],
) -> Int[Array, "B n"]:
    """`greedy` for B factors and noises side by side."""
    return jax.vmap(greedy, in_axes=(None, None, 0, 0))(
        arrays, num_features, jnp.asarray(penalty_factors), jnp.asarray(noise)
    )
