"""The program of a few classes, the other classes' weights held.

The program of `mip_program` with most of it known. Weights whose range is one value are
part of the rows' sides; classes whose intercept is held too only bound the best rival's
score r_i from below. Of the weights left some must be whole and the others may be
fractions, which is how `native_search` fixes one class after another.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Bool, Float, Int

from qpm_jax.regression.merged_data import MergedData
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.solvers import MixedIntegerProgram


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

    def read(
        self, values: Float[np.ndarray, " V"]
    ) -> tuple[Float[np.ndarray, "C f"], Float[np.ndarray, " C"]]:
        """Weights [C, f] and intercepts [C] from the program's variables."""
        weights = self.fixed.flatten()
        split = len(self.positive), len(self.positive) + len(self.negative)
        weights[self.positive] += values[: split[0]]
        weights[self.negative] -= values[split[0] : split[1]]
        intercepts = self.held.copy()
        intercepts[self.classes] = values[split[1] : split[1] + len(self.classes)]
        return weights.reshape(self.fixed.shape), intercepts

    def reduced_costs(
        self, prices: Float[np.ndarray, " M"]
    ) -> Float[np.ndarray, "C f"]:
        """What a unit of each weight costs at the rows' prices; inf for those held.

        The cheaper of both signs, in size: 0 for a fraction.
        """
        costs = np.abs(self.program.objective - self.program.rows.T @ prices)
        split = len(self.positive), len(self.positive) + len(self.negative)
        least = np.full(self.fixed.size, np.inf)
        least[self.positive] = costs[: split[0]]
        least[self.negative] = np.minimum(
            least[self.negative], costs[split[0] : split[1]]
        )
        return least.reshape(self.fixed.shape)


def build_block(
    problem: RegressionProblem,
    data: MergedData,
    lower: Float[np.ndarray, "C f"],
    upper: Float[np.ndarray, "C f"],
    intercepts: Float[np.ndarray, " C"],
    free: Bool[np.ndarray, " C"],
    whole: Bool[np.ndarray, " C"],
    close: Bool[np.ndarray, "n C"],
) -> Block:
    """Builds the program.

    Args:
        problem: the problem.
        data: its merged data.
        lower: the least value of each weight.
        upper: the largest; equal to `lower` where the weight is held.
        intercepts: those of classes that are not free are held.
        free: classes whose intercepts are free; others must hold all their weights.
        whole: classes whose weights must be whole.
        close: rivals of each instance that may come to lead; the others' rows are left
            out.
    """
    open_weights = upper > lower
    fixed = np.where(open_weights, 0.0, lower)
    positive = np.flatnonzero(open_weights & (upper > 0))
    negative = np.flatnonzero(open_weights & (lower < 0))
    classes = np.flatnonzero(free)
    base = data.features @ fixed.T
    base[:, ~free] += intercepts[~free]
    low, high = lower.reshape(-1), upper.reshape(-1)
    sums = _own_sums(problem, data)
    middle = (intercepts.max() + intercepts.min()) / 2
    window = np.full(len(classes), float(problem.intercept_limit))
    instances = len(data.labels)
    infinite = np.full(instances, np.inf)
    rows, row_lower, row_upper = _rows(data, base, positive, negative, classes, close)
    program = MixedIntegerProgram(
        objective=np.concatenate(
            [
                1 - problem.alpha * sums.reshape(-1)[positive],
                1 + problem.alpha * sums.reshape(-1)[negative],
                -problem.alpha * problem.class_counts[classes],
                problem.alpha * data.counts,
                (problem.beta - problem.alpha) * data.counts,
            ]
        ),
        rows=rows,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=np.concatenate(
            [
                np.maximum(low[positive], 0),
                np.maximum(-high[negative], 0),
                np.floor(middle) - window,
                _rival_floor(data, base, free),
                np.zeros(instances),
            ]
        ),
        upper=np.concatenate(
            [
                high[positive],
                -low[negative],
                np.floor(middle) + window,
                infinite,
                infinite,
            ]
        ),
        integer=np.concatenate(
            [
                whole[positive // len(data.sizes)],
                whole[negative // len(data.sizes)],
                np.zeros(len(classes) + 2 * instances, bool),
            ]
        ),
    )
    offset = np.abs(fixed).sum() - problem.alpha * (sums * fixed).sum()
    held = ~free
    offset -= problem.alpha * (problem.class_counts * intercepts)[held].sum()
    return Block(program, float(offset), fixed, intercepts, positive, negative, classes)


def _own_sums(problem: RegressionProblem, data: MergedData) -> Float[np.ndarray, "C f"]:
    """Sums of each column over each class's own instances."""
    counted = np.zeros((problem.num_classes, len(data.labels)))
    counted[data.labels, np.arange(len(data.labels))] = data.counts
    return counted @ data.features


def _rival_floor(
    data: MergedData, base: Float[np.ndarray, "n C"], free: Bool[np.ndarray, " C"]
) -> Float[np.ndarray, " n"]:
    """The best score of the rivals that are known, −inf where none is."""
    known = np.where(free, -np.inf, base)
    known[np.arange(len(base)), data.labels] = -np.inf
    return known.max(axis=1)


def _rows(
    data: MergedData,
    base: Float[np.ndarray, "n C"],
    positive: Int[np.ndarray, " P"],
    negative: Int[np.ndarray, " Q"],
    classes: Int[np.ndarray, " K"],
    close: Bool[np.ndarray, "n C"],
) -> tuple[Any, Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """One row for each instance and free class, and for each own class that is held."""
    instances, columns = data.features.shape
    number, count = base.shape[1], len(classes)
    place = np.full(number, -1)
    place[classes] = np.arange(count)
    values = scipy.sparse.csr_array(data.features.astype(np.float64))
    # Row i·K + k is about instance i and free class k, column f·K + k about its weight.
    scores: Any = scipy.sparse.kron(values, scipy.sparse.eye_array(count), format="csc")
    plus = scores[:, positive % columns * count + place[positive // columns]]
    minus = scores[:, negative % columns * count + place[negative // columns]]
    eye: Any = scipy.sparse.eye_array(instances, format="csr")
    offsets = scipy.sparse.kron(
        np.ones((instances, 1)), scipy.sparse.eye_array(count), format="csr"
    )
    rival = scipy.sparse.kron(eye, np.ones((count, 1)), format="csr")
    own = (data.labels[:, None] == classes).reshape(-1)
    lag = scipy.sparse.diags_array(own.astype(np.float64)) @ rival
    kept = np.flatnonzero(own | close[:, classes].reshape(-1))
    rows = scipy.sparse.hstack([plus, -minus, offsets, -rival, lag], format="csr")
    sides, own = -base[:, classes].reshape(-1)[kept], own[kept]
    lower, upper = np.where(own, sides, -np.inf), np.where(own, np.inf, sides)
    # An own class that is held: r − e is at most its score.
    held = np.flatnonzero(place[data.labels] < 0)
    width = len(positive) + len(negative) + count
    more = scipy.sparse.hstack(
        [scipy.sparse.csr_array((len(held), width)), eye[held], -eye[held]]
    )
    own_score = base[held, data.labels[held]]
    return (
        scipy.sparse.vstack([rows[kept], more], format="csr"),
        np.concatenate([lower, np.full(len(held), -np.inf)]),
        np.concatenate([upper, own_score]),
    )
