"""A program with some of the weights held, and how its variables read.

`block_building` writes it.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.regression.merged_data import MergedData
from qpm_jax.regression.native.model import NativeModel, make_model
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.solvers import MixedIntegerProgram

# Fractions closer to whole numbers than this are these.
_WHOLE = 1e-6


@dataclass(frozen=True, eq=False)
class Block:
    """A program, and how its variables read.

    The variables are the positive parts of the weights at `positive`, the negative
    parts of those at `negative`, intercepts of `classes`, r [n] and e [n].

    Attributes:
        program: its objective is the cost less `offset`.
        offset: the cost of what is held.
        fixed: float64 [C, f], the weights held, 0 where they are not.
        held: float64 [C], the intercepts, for those that are held.
        positive: int64 [P], places c·f + column of weights that may be positive.
        negative: int64 [Q], of weights that may be negative.
        classes: int64 [K], classes whose intercepts are free.
    """

    program: MixedIntegerProgram
    offset: float
    fixed: Float[np.ndarray, "C f"]
    held: Float[np.ndarray, " C"]
    positive: Int[np.ndarray, " P"]
    negative: Int[np.ndarray, " Q"]
    classes: Int[np.ndarray, " K"]

    @property
    def num_parts(self) -> int:
        """How many variables, the first ones, are parts of weights: P + Q."""
        return len(self.positive) + len(self.negative)

    def away(self, values: Float[np.ndarray, " V"]) -> Float[np.ndarray, " W"]:
        """How far the parts of the weights are from whole; 0 where it is rounding."""
        parts = values[: self.num_parts]
        away = np.abs(parts - np.round(parts))
        return np.where(away > _WHOLE, away, 0.0)

    def read(
        self, values: Float[np.ndarray, " V"]
    ) -> tuple[Float[np.ndarray, "C f"], Float[np.ndarray, " C"]]:
        """Weights [C, f] and intercepts [C] from the program's variables."""
        weights = self.fixed.flatten()
        split = len(self.positive), self.num_parts
        weights[self.positive] += values[: split[0]]
        weights[self.negative] -= values[split[0] : split[1]]
        intercepts = self.held.copy()
        intercepts[self.classes] = values[split[1] : split[1] + len(self.classes)]
        return weights.reshape(self.fixed.shape), intercepts

    def cost(self, values: Float[np.ndarray, " V"]) -> float:
        """What the program's variables cost, and what is held."""
        return float(self.program.objective @ values) + self.offset

    def with_whole_weights(self) -> "Block":
        """The same block with all its weights whole."""
        whole = np.arange(self.program.num_variables) < self.num_parts
        return replace(self, program=replace(self.program, integer=whole))

    def reduced_costs(
        self, prices: Float[np.ndarray, " M"]
    ) -> Float[np.ndarray, "C f"]:
        """What a unit of each weight costs at the rows' prices; inf for those held.

        The cheaper of both signs, in size: 0 for a fraction.
        """
        costs = np.abs(self.program.objective - self.program.rows.T @ prices)
        split = len(self.positive), self.num_parts
        least = np.full(self.fixed.size, np.inf)
        least[self.positive] = costs[: split[0]]
        least[self.negative] = np.minimum(
            least[self.negative], costs[split[0] : split[1]]
        )
        return least.reshape(self.fixed.shape)


def read_model(
    problem: RegressionProblem,
    data: MergedData,
    block: Block,
    values: Float[np.ndarray, " V"],
) -> NativeModel | None:
    """The model that a block's variables are; None as in `make_model`.

    Args:
        problem: the problem.
        data: its merged data.
        block: whose variables they are.
        values: with whole weights, up to rounding errors.
    """
    weights, intercepts = block.read(values)
    return make_model(problem, data, np.round(weights).astype(np.int64), intercepts)
