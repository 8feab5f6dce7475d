"""The rows of a program as SCIP's expressions: linear, indicator and bilinear ones."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse

from qpm_jax.solvers.parts import Bilinear, Indicators
from qpm_jax.solvers.program import MixedIntegerProgram


def limits(values: np.ndarray) -> list[float | None]:
    """Finite limits as they are, infinite ones as None.

    Args:
        values: float64 [L].

    Returns:
        L numbers.
    """
    return [value if math.isfinite(value) else None for value in values.tolist()]


def add_linear(
    model: Any, terms: list[Any], rows: Any, lower: np.ndarray, upper: np.ndarray
) -> None:
    """Adds rows that have at least one side.

    Args:
        model: a `pyscipopt.Model`.
        terms: one `Term` a variable.
        rows: CSR [M, V].
        lower: float64 [M].
        upper: float64 [M].
    """
    from pyscipopt.scip import Expr, ExprCons

    for coefficients, low, high in zip(
        _coefficients(terms, rows), limits(lower), limits(upper), strict=True
    ):
        if low is not None or high is not None:
            model.addCons(ExprCons(Expr(coefficients), lhs=low, rhs=high))


def add_indicators(
    model: Any, variables: list[Any], terms: list[Any], part: Indicators
) -> None:
    """Adds indicator rows, one for each side.

    Args:
        model: a `pyscipopt.Model`.
        variables: its variables.
        terms: one `Term` a variable.
        part: the rows.
    """
    from pyscipopt.scip import Expr, ExprCons

    for coefficients, low, high, variable, value in zip(
        _coefficients(terms, part.rows),
        limits(part.lower),
        limits(part.upper),
        part.variable.tolist(),
        part.value.tolist(),
        strict=True,
    ):
        for side in ({"lhs": low}, {"rhs": high}):
            if None not in side.values():
                row = ExprCons(Expr(coefficients), **side)
                model.addConsIndicator(row, variables[variable], activeone=value)


def add_bilinear(
    model: Any, variables: list[Any], terms: list[Any], part: Bilinear
) -> None:
    """Adds rows with products.

    Args:
        model: a `pyscipopt.Model`.
        variables: its variables.
        terms: one `Term` a variable.
        part: the rows.
    """
    from pyscipopt.scip import Expr, ExprCons, Term

    products = [
        (Term(variables[first], variables[second]), coefficient)
        for first, second, coefficient in zip(
            part.first.tolist(),
            part.second.tolist(),
            part.coefficient.tolist(),
            strict=True,
        )
    ]
    starts = part.starts.tolist()
    for row, (coefficients, low, high) in enumerate(
        zip(
            _coefficients(terms, part.rows),
            limits(part.lower),
            limits(part.upper),
            strict=True,
        )
    ):
        if low is not None or high is not None:
            coefficients.update(products[starts[row] : starts[row + 1]])
            model.addCons(ExprCons(Expr(coefficients), lhs=low, rhs=high))


def has_quadratic(program: MixedIntegerProgram) -> bool:
    """Whether the objective has a product.

    Args:
        program: any.
    """
    return program.quadratic is not None and program.quadratic.nnz > 0


def add_quadratic(
    model: Any, variables: list[Any], terms: list[Any], program: MixedIntegerProgram
) -> Any:
    """Adds xᵀ Q x as a variable t ≥ xᵀ Q x (≤ when maximised) in the objective.

    Args:
        model: a `pyscipopt.Model`, which takes linear objectives only.
        variables: its variables.
        terms: one `Term` a variable.
        program: with a quadratic part.

    Returns:
        The variable t.
    """
    from pyscipopt.scip import Term

    matrix = program.quadratic.tocoo()
    low, high = _range(program, matrix)
    value = model.addVar(vtype="C", lb=low, ub=high, obj=1.0)
    width = len(variables)
    row = Bilinear(
        row=np.zeros(matrix.nnz),
        first=matrix.coords[0],
        second=matrix.coords[1],
        coefficient=matrix.data,
        rows=scipy.sparse.csr_array(([-1.0], ([0], [width])), shape=(1, width + 1)),
        lower=np.array([0.0 if program.maximise else -np.inf]),
        upper=np.array([np.inf if program.maximise else 0.0]),
    )
    add_bilinear(model, [*variables, value], [*terms, Term(value)], row)
    return value


def _range(
    program: MixedIntegerProgram, matrix: Any
) -> tuple[float | None, float | None]:
    """What xᵀ Q x can be at most and least within the bounds, None where infinite."""
    first, second = matrix.coords
    with np.errstate(invalid="ignore"):
        corners = np.stack(
            [
                matrix.data * one[first] * other[second]
                for one in (program.lower, program.upper)
                for other in (program.lower, program.upper)
            ]
        )
        corners = np.where(np.isnan(corners), 0.0, corners)  # 0 · ∞
        low, high = limits(np.array([corners.min(0).sum(), corners.max(0).sum()]))
    return low, high


def _coefficients(terms: list[Any], rows: Any) -> Iterator[dict[Any, float]]:
    """One dictionary a row: adding up expressions costs quadratic time."""
    columns, data = rows.indices.tolist(), rows.data.tolist()
    starts = rows.indptr.tolist()
    for start, end in itertools.pairwise(starts):
        yield {
            terms[column]: value
            for column, value in zip(columns[start:end], data[start:end], strict=True)
        }
