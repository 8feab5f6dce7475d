"""Where every quantity of a network stands among a program's variables.

docs/networks.md, "Variables". N instances, layer l of n neurons behind m inputs, Q
bits.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.rules import FeatureLimit, Monotone


@dataclass(frozen=True, eq=False)
class LayerColumns:
    """The variables of one layer, as arrays of indices; empty where it has none.

    Attributes:
        weights: [n, m], w.
        biases: [n], b.
        absolute: [n, m], t ≥ |w|.
        squares: [n, m], at least tangents of w²; empty without an l2 price.
        bits: [n, m, Q], of weights behind the first layer.
        products: [N, n, m, Q], bit times activation.
        values: [N, n], z, or the outputs.
        active: [N, n], max(0, z); the rest is empty in the readout.
        on: [N, n], the binary of the ReLU, a.
        alive: [n], neuron switch, p.
        kept: [1], layer switch, q.
        passed: [N, n], what a skipped layer hands on; empty where it cannot be skipped.
        handed: [N, n], what the next layer gets: `active`, unless it can be skipped.
    """

    weights: Int[np.ndarray, "n m"]
    biases: Int[np.ndarray, " n"]
    absolute: Int[np.ndarray, "n m"]
    squares: Int[np.ndarray, "..."]
    bits: Int[np.ndarray, "n m Q"]
    products: Int[np.ndarray, "N n m Q"]
    values: Int[np.ndarray, "N n"]
    active: Int[np.ndarray, "..."]
    on: Int[np.ndarray, "..."]
    alive: Int[np.ndarray, "..."]
    kept: Int[np.ndarray, "..."]
    passed: Int[np.ndarray, "..."]
    handed: Int[np.ndarray, "..."]


@dataclass(frozen=True, eq=False)
class NetworkColumns:
    """All variables of a program.

    Attributes:
        layers: one a hidden layer, and the readout last.
        losses: [N, 1] or [N, O].
        rules: a tuple of index arrays for every rule: [F], the features used, of a
            `FeatureLimit`; [n] a hidden layer, the directions, of a `Monotone`.
        number: V.
    """

    layers: tuple[LayerColumns, ...]
    losses: Int[np.ndarray, "N K"]
    rules: tuple[tuple[Int[np.ndarray, "..."], ...], ...]
    number: int


def skippable(problem: NetworkProblem) -> list[bool]:
    """Which hidden layers may be skipped: later ones, as wide as the one before.

    Only where layers have a price; else the identity path would cost binaries for
    nothing.

    Args:
        problem: the problem.
    """
    widths = problem.hidden
    priced = problem.layer_price > 0
    return [
        priced and layer > 0 and widths[layer] == widths[layer - 1]
        for layer in range(len(widths))
    ]


def network_columns(problem: NetworkProblem) -> NetworkColumns:
    """Numbers all variables, layer by layer.

    Args:
        problem: the problem.

    Returns:
        The indices.
    """
    taken = Counter()
    bits = len(problem.family.coefficients)
    instances, widths = len(problem.labels), problem.widths
    may_skip = [*skippable(problem), False]
    layers = []
    for layer, (inputs, neurons) in enumerate(itertools.pairwise(widths)):
        hidden = layer < len(problem.hidden)
        here = (instances, neurons) if hidden else (0, 0)
        binary = bits if layer > 0 else 0
        active = taken(here)
        passed = taken((instances, neurons) if may_skip[layer] else (0, 0))
        layers.append(
            LayerColumns(
                weights=taken((neurons, inputs)),
                biases=taken((neurons,)),
                absolute=taken((neurons, inputs)),
                squares=taken((neurons, inputs) if problem.l2 else (0, 0)),
                bits=taken((neurons, inputs, binary)),
                products=taken((instances, neurons, inputs, binary)),
                values=taken((instances, neurons)),
                active=active,
                on=taken(here),
                alive=taken((neurons,) if hidden else (0,)),
                kept=taken((1,) if hidden else (0,)),
                passed=passed,
                handed=taken(passed.shape) if may_skip[layer] else active,
            )
        )
    parts = 1 if problem.label_encoding == "one_hot" else widths[-1]
    losses = taken((instances, parts))
    rules = tuple(
        tuple(taken(shape) for shape in _rule_shapes(rule, problem))
        for rule in problem.rules
    )
    return NetworkColumns(tuple(layers), losses, rules, taken.number)


def _rule_shapes(rule: object, problem: NetworkProblem) -> Iterator[tuple[int, ...]]:
    if isinstance(rule, FeatureLimit):
        yield (problem.features.shape[1],)
    elif isinstance(rule, Monotone):
        yield from ((width,) for width in problem.hidden)


class Counter:
    """Hands out fresh indices."""

    def __init__(self, *, only_shapes: bool = False) -> None:
        """Starts at 0.

        Args:
            only_shapes: whether the arrays are to have the right shape and nothing
                else, which takes no memory: for counting.
        """
        self.number, self.only_shapes = 0, only_shapes

    def __call__(self, shape: tuple[int, ...]) -> np.ndarray:
        """The next indices, as an array of a shape."""
        start = self.number
        self.number += int(np.prod(shape))
        if self.only_shapes:
            return np.broadcast_to(np.int64(0), shape)
        return np.arange(start, self.number).reshape(shape)
