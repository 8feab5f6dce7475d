"""Writes the program of a few classes, the other classes' weights held.

The program of `mip_program` with most of it known. Weights whose range is one value are
part of the rows' sides; classes whose intercept is held too only bound the best rival's
score r_i from below. Of the weights left some must be whole and the others may be
fractions, which is how `search` fixes one class after another.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Bool, Float, Int

from qpm_jax.regression.merged_data import MergedData
from qpm_jax.regression.native.block import Block
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.solvers import MixedIntegerProgram


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
    opened = _opened(lower, upper, free)
    base = data.features @ opened.fixed.T
    base[:, ~free] += intercepts[~free]
    rows, row_lower, row_upper = _rows(data, base, opened, close)
    objective, offset = _costs(problem, data, opened, intercepts, free)
    least, most = _ranges(problem, lower, upper, opened, intercepts)
    others = np.full(len(data.labels), np.inf)
    program = MixedIntegerProgram(
        objective=objective,
        rows=rows,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=np.concatenate(
            [least, _rival_floor(data, base, free), np.zeros(len(others))]
        ),
        upper=np.concatenate([most, others, others]),
        integer=np.concatenate(
            [
                whole[opened.positive // len(data.sizes)],
                whole[opened.negative // len(data.sizes)],
                np.zeros(len(opened.classes) + 2 * len(others), bool),
            ]
        ),
    )
    return Block(
        program,
        offset,
        opened.fixed,
        intercepts,
        opened.positive,
        opened.negative,
        opened.classes,
    )


def close_rivals(
    data: MergedData, scores: Float[np.ndarray, "n C"], behind: float
) -> Bool[np.ndarray, "n C"]:
    """Rivals that are at most so far behind each instance's best one, for `close`.

    Args:
        data: merged data.
        scores: of a model.
        behind: how far.
    """
    return scores >= best_rivals(data, scores)[:, None] - behind


def best_rivals(
    data: MergedData, scores: Float[np.ndarray, "n C"]
) -> Float[np.ndarray, " n"]:
    """The best score of each instance's rivals, float64 [n].

    Args:
        data: merged data.
        scores: of a model, or of the relaxation.
    """
    rivals = scores.astype(np.float64)
    rivals[np.arange(len(rivals)), data.labels] = -np.inf
    return rivals.max(axis=1)


@dataclass(frozen=True, eq=False)
class _Opened:
    """What is held and what is open: the fields of `Block` of these names."""

    fixed: Float[np.ndarray, "C f"]
    positive: Int[np.ndarray, " P"]
    negative: Int[np.ndarray, " Q"]
    classes: Int[np.ndarray, " K"]


def _opened(
    lower: Float[np.ndarray, "C f"],
    upper: Float[np.ndarray, "C f"],
    free: Bool[np.ndarray, " C"],
) -> _Opened:
    held = upper <= lower
    return _Opened(
        fixed=np.where(held, lower, 0.0),
        positive=np.flatnonzero(~held & (upper > 0)),
        negative=np.flatnonzero(~held & (lower < 0)),
        classes=np.flatnonzero(free),
    )


def _costs(
    problem: RegressionProblem,
    data: MergedData,
    opened: _Opened,
    intercepts: Float[np.ndarray, " C"],
    free: Bool[np.ndarray, " C"],
) -> tuple[Float[np.ndarray, " V"], float]:
    """What each variable costs, and what is held does."""
    alpha, sums = problem.alpha, _own_sums(problem, data)
    objective = np.concatenate(
        [
            1 - alpha * sums.reshape(-1)[opened.positive],
            1 + alpha * sums.reshape(-1)[opened.negative],
            -alpha * problem.class_counts[opened.classes],
            alpha * data.counts,
            (problem.beta - alpha) * data.counts,
        ]
    )
    held = alpha * (problem.class_counts * intercepts)[~free].sum()
    weights = np.abs(opened.fixed).sum() - alpha * (sums * opened.fixed).sum()
    return objective, float(weights - held)


def _ranges(
    problem: RegressionProblem,
    lower: Float[np.ndarray, "C f"],
    upper: Float[np.ndarray, "C f"],
    opened: _Opened,
    intercepts: Float[np.ndarray, " C"],
) -> tuple[Float[np.ndarray, " W"], Float[np.ndarray, " W"]]:
    """The ranges of both parts of the weights, and of the free intercepts."""
    low, high = lower.reshape(-1), upper.reshape(-1)
    middle = np.floor((intercepts.max() + intercepts.min()) / 2)
    window = np.full(len(opened.classes), float(problem.intercept_limit))
    least = [
        np.maximum(low[opened.positive], 0),
        np.maximum(-high[opened.negative], 0),
        middle - window,
    ]
    most = [high[opened.positive], -low[opened.negative], middle + window]
    return np.concatenate(least), np.concatenate(most)


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
    opened: _Opened,
    close: Bool[np.ndarray, "n C"],
) -> tuple[Any, Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """One row for each instance and free class, and for each own class that is held."""
    classes, instances = opened.classes, len(data.labels)
    own = (data.labels[:, None] == classes).reshape(-1)
    kept = np.flatnonzero(own | close[:, classes].reshape(-1))
    eye: Any = scipy.sparse.eye_array(instances, format="csr")
    rival = scipy.sparse.kron(eye, np.ones((len(classes), 1)), format="csr")
    lag = scipy.sparse.diags_array(own.astype(np.float64)) @ rival
    scores = _score_rows(data, opened, base.shape[1])
    rows = scipy.sparse.hstack([scores, -rival, lag], format="csr")
    sides, own = -base[:, classes].reshape(-1)[kept], own[kept]
    lower, upper = np.where(own, sides, -np.inf), np.where(own, np.inf, sides)
    # An own class that is held: r − e is at most its score.
    held = np.flatnonzero(~np.isin(data.labels, classes))
    nothing = scipy.sparse.csr_array((len(held), scores.shape[1]))
    more = scipy.sparse.hstack([nothing, eye[held], -eye[held]])
    own_score = base[held, data.labels[held]]
    return (
        scipy.sparse.vstack([rows[kept], more], format="csr"),
        np.concatenate([lower, np.full(len(held), -np.inf)]),
        np.concatenate([upper, own_score]),
    )


def _score_rows(data: MergedData, opened: _Opened, number: int) -> Any:
    """Scores of instance i for the k-th of K free classes, in row i·K + k.

    The columns are the weights' parts and the intercepts.
    """
    instances, columns = data.features.shape
    count = len(opened.classes)
    place = np.full(number, -1)
    place[opened.classes] = np.arange(count)
    values = scipy.sparse.csr_array(data.features.astype(np.float64))
    # Column f·K + k is about the weight of feature f for the k-th class.
    scores: Any = scipy.sparse.kron(values, scipy.sparse.eye_array(count), format="csc")
    plus, minus = (
        scores[:, part % columns * count + place[part // columns]]
        for part in (opened.positive, opened.negative)
    )
    intercepts = scipy.sparse.kron(
        np.ones((instances, 1)), scipy.sparse.eye_array(count), format="csr"
    )
    return scipy.sparse.hstack([plus, -minus, intercepts], format="csr")
