"""Good choices of k features for every class at once, under prices: local search.

The estimate behind `class_prices`: each class starts from the best set it remembers and
from a greedy one, and swaps single features while that gains.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

PricesOf = Callable[[Int[Array, ""]], Float[Array, " M"]]

# Sets a class remembers; the first is the latest.
POOL = 12
# Of those, how many the search goes on from: the best.
_STARTS = 2
# Swaps of one search: what is not found then is left to the next step.
_SWAPS = 8


def search_all(
    gains: Float[Array, "C M"],
    pair: Int[Array, "C M M"],
    pairs: Float[Array, "C M M"],
    share: Float[Array, " Q"],
    class_sizes: Int[Array, " C"],
    pool: Int[Array, "C B K"],
) -> tuple[Int[Array, "C K"], Float[Array, " C"]]:
    """Finds a choice for every class.

    Args:
        gains: worth of each candidate less its price.
        pair: number of the pair of two candidates.
        pairs: the price of two candidates is pairs · share[pair]; symmetric.
        share: see `pairs`.
        class_sizes: k of every class; places of a choice beyond k do not count.
        pool: choices to start from.

    Returns:
        The choices and their worth.
    """
    return jax.vmap(_search_one, in_axes=(0, 0, 0, None, 0, 0))(
        gains, pair, pairs, share, class_sizes, pool
    )


def remember(
    pool: Int[Array, "C B K"], choices: Int[Array, "C K"]
) -> Int[Array, "C B K"]:
    """Puts the choices first and drops the oldest others."""
    same = jnp.all(pool == choices[:, None], axis=2)
    # A choice that is known moves to the front, so the pool keeps different ones.
    out = jnp.where(same.any(axis=1), same.argmax(axis=1), pool.shape[1] - 1)
    place = jnp.arange(pool.shape[1])
    source = jnp.where(place <= out[:, None], place - 1, place)
    moved = jnp.take_along_axis(pool, jnp.maximum(source, 0)[..., None], axis=1)
    return moved.at[:, 0].set(choices)


def _search_one(
    gains: Float[Array, " M"],
    pair: Int[Array, "M M"],
    pairs: Float[Array, "M M"],
    share: Float[Array, " Q"],
    size: Int[Array, ""],
    pool: Int[Array, "B K"],
) -> tuple[Int[Array, " K"], Float[Array, ""]]:
    taken = jnp.arange(pool.shape[1]) < size

    def prices_of(feature: Int[Array, ""]) -> Float[Array, " M"]:
        return pairs[feature] * share[pair[feature]]

    def worth(members: Int[Array, " K"]) -> Float[Array, ""]:
        one, other = members[:, None], members[None]
        inside = pairs[one, other] * share[pair[one, other]]
        both = taken[:, None] & taken
        return jnp.sum(gains[members] * taken) - jnp.sum(inside * both) / 2

    known = pool[jax.lax.top_k(jax.vmap(worth)(pool), _STARTS)[1]]
    starts = jnp.concatenate([known, _greedy(gains, prices_of, taken)[None]])
    ends = jax.vmap(lambda start: _swap(gains, prices_of, taken, start))(starts)
    worths = jax.vmap(worth)(ends)
    best = jnp.argmax(worths)
    return jnp.sort(jnp.where(taken, ends[best], gains.shape[0] - 1)), worths[best]


def _greedy(
    gains: Float[Array, " M"], prices_of: PricesOf, taken: Bool[Array, " K"]
) -> Int[Array, " K"]:
    """Adds what gains most, K times."""

    def add(place: Int[Array, ""], carry: tuple[Array, Array]) -> tuple[Array, Array]:
        members, score = carry
        choice = jnp.argmax(score).astype(members.dtype)
        score = (score - prices_of(choice)).at[choice].set(-jnp.inf)
        return members.at[place].set(choice), score

    empty = jnp.zeros(taken.shape[0], jnp.int32)
    return jax.lax.fori_loop(0, taken.shape[0], add, (empty, gains))[0]


def _swap(
    gains: Float[Array, " M"],
    prices_of: PricesOf,
    taken: Bool[Array, " K"],
    start: Int[Array, " K"],
) -> Int[Array, " K"]:
    """Takes the best swap while one gains."""
    counted = taken[:, None]

    def step(
        carry: tuple[Array, Array, Array, Array],
    ) -> tuple[Array, Array, Array, Array]:
        members, rows, _, steps = carry
        price = jnp.sum(jnp.where(counted, rows, 0.0), axis=0)
        lost = gains[members] - price[members]
        gain = (gains - price)[None] + rows - lost[:, None]
        gain = jnp.where(counted, gain.at[:, members].set(-jnp.inf), -jnp.inf)
        place, feature = jnp.divmod(jnp.argmax(gain), gains.shape[0])
        go = gain[place, feature] > 1e-6
        feature = feature.astype(members.dtype)
        moved = members.at[place].set(jnp.where(go, feature, members[place]))
        row = jnp.where(go, prices_of(feature), rows[place])
        return moved, rows.at[place].set(row), go, steps + 1

    begin = (start, jax.vmap(prices_of)(start), jnp.asarray(True), jnp.asarray(0))
    return jax.lax.while_loop(
        lambda carry: carry[2] & (carry[3] < _SWAPS), step, begin
    )[0]
