"""Better models that differ from a good one in some weights of all classes.

Such models differ in ten to sixty weights of nearly every class, mostly at features
that few instances have, as those change little else. So some weights are drawn at
random, of all classes, rare features and small reduced costs more often, and the rest
is held. As long as the drawn weights are not too many, the linear relaxation of their
program is whole or nearly so: hundreds of weights are best within some 0.1 s.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from qpm_jax.regression.native.block import Block, read_model
from qpm_jax.regression.native.block_building import build_block, close_rivals
from qpm_jax.regression.native.bound import (
    allowed_weights,
    cutoff_below,
    objective_step,
)
from qpm_jax.regression.native.dive import round_all
from qpm_jax.regression.native.model import NativeModel
from qpm_jax.regression.native.program import solve_block
from qpm_jax.regression.native.search import Search

# Weights of a larger reduced cost stay; it is also the scale of what is drawn less.
_ALLOWANCE = 4.0
_SCALE = 1.0
# How much rarer features are preferred: by their share of instances to this power.
_RARITY = 2.0
# Rivals this far behind the best are left out.
_CLOSE = 6.0
_NODES = 5
# A relaxation with more fractions than this is too large for a tree.
_FRACTIONS = 40
# Of prices that decide among models of equal cost, so that a walk moves on.
_SHAKE = 1e-3


def draw_weights(
    search: Search, model: NativeModel, number: int, random: np.random.Generator
) -> Bool[np.ndarray, "C f"]:
    """Draws weights to open, without replacement.

    Args:
        search: what to search.
        model: whose weights they are.
        number: how many; fewer where fewer can move.
        random: of the draw.
    """
    lower, upper = _ranges(search, model)
    rarity = np.log(1 + search.data.rarity)
    chances = -_RARITY * rarity - _cheapest_step(search, model) / _SCALE
    # The largest of sums with Gumbel noise are a draw in proportion to exp(chances).
    keys = np.where(upper > lower, chances + random.gumbel(size=lower.shape), -np.inf)
    drawn = np.zeros(keys.size, bool)
    drawn[np.argsort(-keys, axis=None)[:number]] = True
    return drawn.reshape(keys.shape) & (upper > lower)


def best_within(
    search: Search,
    model: NativeModel,
    drawn: Bool[np.ndarray, "C f"],
    random: np.random.Generator,
) -> tuple[NativeModel | None, bool]:
    """Looks for a model that is no dearer and differs in drawn weights alone.

    Args:
        search: what to search.
        model: where to look.
        drawn: the weights that may change, and all intercepts.
        random: of a choice among equals, a dive's order, and HiGHS.

    Returns:
        A model that costs less or the same, None where none was found; and whether so
        many weights are a small program.
    """
    block = _open(search, model, drawn)
    cutoff = cutoff_below(model.cost, objective_step(search.problem))
    relaxed = solve_block(_shaken(block, random), search.deadline)
    if relaxed.values is None:
        return None, relaxed.ended
    fractions = int(np.count_nonzero(block.away(relaxed.values)))
    small = fractions <= _FRACTIONS
    values: Float[np.ndarray, " V"] | None = relaxed.values
    if fractions:
        if block.cost(relaxed.values) > cutoff:
            return None, small
        finish = _by_tree if small else _by_dive
        values = finish(search, block, cutoff, random)
    if values is None:
        return None, small
    found = read_model(search.problem, search.data, block, values)
    dearer = found is None or found.cost > model.cost
    return None if dearer else found, small


def _shaken(block: Block, random: np.random.Generator) -> Block:
    """The block with random prices so small that they only decide among equals."""
    costs = block.program.objective.copy()
    costs[: block.num_parts] += random.uniform(-_SHAKE, _SHAKE, block.num_parts)
    return replace(block, program=replace(block.program, objective=costs))


def _by_tree(
    search: Search, block: Block, cutoff: float, random: np.random.Generator
) -> Float[np.ndarray, " V"] | None:
    whole, seed = block.with_whole_weights(), int(random.integers(2**31))
    answer = solve_block(whole, search.deadline, seed, nodes=_NODES, cutoff=cutoff)
    return answer.values


def _by_dive(
    search: Search, block: Block, cutoff: float, random: np.random.Generator
) -> Float[np.ndarray, " V"] | None:
    order = random.permutation(search.problem.num_classes)
    return round_all(block, search, order, cutoff)


def _open(search: Search, model: NativeModel, drawn: Bool[np.ndarray, "C f"]) -> Block:
    """The relaxation with the drawn weights and all intercepts open."""
    problem, data = search.problem, search.data
    held = model.weights.astype(np.float64)
    lower, upper = _ranges(search, model)
    every = np.ones(problem.num_classes, bool)
    return build_block(
        problem,
        data,
        np.where(drawn, lower, held),
        np.where(drawn, upper, held),
        model.intercepts.astype(np.float64),
        every,
        ~every,
        close_rivals(data, data.features @ held.T + model.intercepts, _CLOSE),
    )


def _ranges(
    search: Search, model: NativeModel
) -> tuple[Float[np.ndarray, "C f"], Float[np.ndarray, "C f"]]:
    """The values that weights may take, those of the model among them."""
    lower, upper = allowed_weights(search.data, search.prices.slopes, _ALLOWANCE)
    lower = np.minimum(lower, model.weights).astype(np.float64)
    return lower, np.maximum(upper, model.weights).astype(np.float64)


def _cheapest_step(search: Search, model: NativeModel) -> Float[np.ndarray, "C f"]:
    """What the cheaper step of each weight costs at the prices, at least −1."""
    here = _priced(search, model.weights)
    up = _priced(search, model.weights + 1) - here
    down = _priced(search, model.weights - 1) - here
    up = np.where(model.weights < search.data.sizes, up, np.inf)
    down = np.where(model.weights > -search.data.sizes, down, np.inf)
    return np.maximum(np.minimum(up, down), -1.0)


def _priced(
    search: Search, weights: Float[np.ndarray, "C f"]
) -> Float[np.ndarray, "C f"]:
    return np.abs(weights) + search.prices.slopes * weights
