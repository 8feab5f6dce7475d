"""The pseudo-Boolean program of binarized regression, with bounds that are derived.

Tule, Le, Say, arXiv 2112.00434, the PBO model: the weights, and b, e⁺ and e⁻ in bits.
The scores y are substituted out, as in the mixed-integer program, which leaves fewer
bits than the paper has. The paper gives no bounds. Here, with B the bound on centred
intercepts (`RegressionProblem.intercept_limit`) and ‖x_i‖₁ the size of an instance,
every difference of two scores of it is at most 2‖x_i‖₁ + 2B:

    0 ≤ b_c ≤ 2B,    0 ≤ e⁺_i, e⁻_i ≤ 2‖x_i‖₁ + 2B.

e⁺ and e⁻ stay, unlike in `mip_program`: then zero is a solution, from which solvers
that learn from conflicts come much further.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from qpm_jax.regression.merged_data import MergedData, merge
from qpm_jax.regression.problem import RegressionProblem, centred, margins_of
from qpm_jax.regression.pseudo_boolean.bit_encoding import BitProgram, encode_bits
from qpm_jax.solvers import MixedIntegerProgram


@dataclass(frozen=True, eq=False)
class PboProgram:
    """A pseudo-Boolean program and what its bits mean.

    The whole variables are w⁺ [f, C], w⁻ [f, C], b [C], e⁺ [n] and e⁻ [n], one after
    another, over the merged data's n instances and f columns.

    Attributes:
        problem: what is solved.
        data: its merged data.
        encoding: the program over bits, and how the whole variables are made of them.
    """

    problem: RegressionProblem
    data: MergedData
    encoding: BitProgram

    @property
    def program(self) -> MixedIntegerProgram:
        """The program over bits; its objective is the problem's."""
        return self.encoding.program


def build_pbo(problem: RegressionProblem) -> PboProgram:
    """Builds the program.

    Args:
        problem: what is to be solved; features may be any whole numbers.

    Returns:
        The program over bits.
    """
    data = merge(problem)
    classes, instances = problem.num_classes, len(data.labels)
    sizes = np.repeat(data.sizes, classes)
    widest = 2 * problem.intercept_limit
    margins = 2 * (np.abs(data.features) @ data.sizes) + widest
    upper = np.concatenate(
        [sizes, sizes, np.full(classes, widest), margins, margins]
    ).astype(np.float64)
    rows = _rows(data, classes)
    whole = MixedIntegerProgram(
        objective=np.concatenate(
            [
                np.ones(2 * len(sizes)),
                np.zeros(classes),
                -problem.alpha * data.counts,
                problem.beta * data.counts,
            ]
        ),
        rows=rows,
        row_lower=np.zeros(instances * (classes - 1)),
        row_upper=np.full(instances * (classes - 1), np.inf),
        lower=np.zeros(len(upper)),
        upper=upper,
        integer=np.ones(len(upper), bool),
    )
    return PboProgram(problem, data, encode_bits(whole))


def _rows(data: MergedData, classes: int) -> Any:
    """y_{l_i,i} − y_ci − e⁺_i + e⁻_i ≥ 0, for every instance and every other class."""
    instances = len(data.labels)
    scores: Any = scipy.sparse.kron(
        scipy.sparse.csr_array(data.features.astype(np.float64)),
        scipy.sparse.eye_array(classes),
    )
    intercepts = scipy.sparse.kron(
        np.ones((instances, 1)), scipy.sparse.eye_array(classes)
    )
    every: Any = scipy.sparse.hstack([scores, -scores, intercepts], format="csr")
    instance, rival = np.nonzero(np.arange(classes) != data.labels[:, None])
    lead = every[instance * classes + data.labels[instance]]
    lag: Any = scipy.sparse.csr_array(
        (np.ones(len(instance)), (np.arange(len(instance)), instance)),
        shape=(len(instance), instances),
    )
    behind = every[instance * classes + rival]
    return scipy.sparse.hstack([lead - behind, -lag, lag], format="csr")


def read_bits(
    pbo: PboProgram, bits: Float[np.ndarray, " T"]
) -> tuple[Int[np.ndarray, "C F"], Int[np.ndarray, " C"]]:
    """Weights and intercepts from a program's bits.

    Args:
        pbo: the program.
        bits: float64 [T], a solution, such as another solver's of the OPB file
            (`read_opb_answer`).

    Returns:
        int64 [C, F] in {−1, 0, 1}; int64 [C], centred.
    """
    classes = pbo.problem.num_classes
    values = pbo.encoding.values(bits).astype(np.int64)
    both = values[: 2 * len(pbo.data.sizes) * classes].reshape(2, -1, classes)
    intercepts = values[both.size : both.size + classes]
    return pbo.data.spread((both[0] - both[1]).T), centred(intercepts)


def write_bits(
    pbo: PboProgram,
    coefficients: Int[np.ndarray, "C F"],
    intercepts: Int[np.ndarray, " C"],
) -> Float[np.ndarray, " T"]:
    """A program's bits for given weights, a start for a solver.

    Args:
        pbo: the program.
        coefficients: int [C, F] in {−1, 0, 1}; those of dropped features are left out.
        intercepts: int [C], of any shift; those beyond the bound are cut off.

    Returns:
        float64 [T], feasible.
    """
    limit = pbo.problem.intercept_limit
    merged = pbo.data.gather(np.asarray(coefficients, np.int64))
    offsets = np.clip(centred(intercepts) + limit, 0, 2 * limit)
    margins = margins_of(pbo.data.features @ merged.T + offsets, pbo.data.labels)
    parts = (
        np.maximum(merged, 0).T.reshape(-1),
        np.maximum(-merged, 0).T.reshape(-1),
        offsets,
        np.maximum(margins, 0),
        np.maximum(-margins, 0),
    )
    return pbo.encoding.bits(np.concatenate(parts).astype(np.float64))
