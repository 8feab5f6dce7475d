"""A mixed-integer program as arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Bool, Float


@dataclass(frozen=True, eq=False)
class MixedIntegerProgram:
    """Minimise (or maximise) a linear objective over sparse rows and bounds.

    `row_lower ≤ rows x ≤ row_upper`, `lower ≤ x ≤ upper`, x integer where `integer`.

    Attributes:
        objective: float64 [V].
        rows: scipy sparse [M, V]; kept as CSR with float64 entries.
        row_lower: float64 [M], −inf where a row has no lower side.
        row_upper: float64 [M], inf where a row has no upper side.
        lower: float64 [V].
        upper: float64 [V].
        integer: bool [V].
        quadratic: None or sparse [V, V], Q: xᵀ Q x joins the objective.
        indicators: None; rows that hold only where a binary variable is 1. No solver
            here takes them yet.
        bilinear: None; rows with products of variables. No solver here takes them yet.
        maximise: whether the objective is maximised.

    Raises:
        ValueError: when shapes do not fit, numbers are NaN or a range is empty.
    """

    objective: Float[np.ndarray, " V"]
    rows: Any
    row_lower: Float[np.ndarray, " M"]
    row_upper: Float[np.ndarray, " M"]
    lower: Float[np.ndarray, " V"]
    upper: Float[np.ndarray, " V"]
    integer: Bool[np.ndarray, " V"]
    quadratic: Any = None
    indicators: Any = None
    bilinear: Any = None
    maximise: bool = False

    def __post_init__(self) -> None:
        """Turns the fields into checked host arrays."""
        objective = _vector("objective", self.objective, None)
        variables = len(objective)
        rows = _sparse("rows", self.rows, variables)
        integer = np.array(self.integer)
        if integer.shape != (variables,):
            raise ValueError(
                f"integer has shape {integer.shape}; it needs one entry for each of"
                f" the {variables} variables."
            )
        quadratic = self.quadratic
        if quadratic is not None:
            quadratic = _sparse("quadratic", quadratic, variables)
            if quadratic.shape != (variables, variables):
                raise ValueError(
                    f"quadratic has shape {quadratic.shape}; it must be"
                    f" {(variables, variables)}."
                )
        height = len(rows.indptr) - 1
        for name, value in (
            ("objective", objective),
            ("rows", rows),
            ("row_lower", _vector("row_lower", self.row_lower, height)),
            ("row_upper", _vector("row_upper", self.row_upper, height)),
            ("lower", _vector("lower", self.lower, variables)),
            ("upper", _vector("upper", self.upper, variables)),
            ("integer", integer.astype(bool)),
            ("quadratic", quadratic),
            ("maximise", bool(self.maximise)),
        ):
            object.__setattr__(self, name, value)
        if not np.isfinite(self.objective).all():
            raise ValueError("objective holds infinite entries; all must be finite.")
        _check_ranges("lower", self.lower, "upper", self.upper)
        _check_ranges("row_lower", self.row_lower, "row_upper", self.row_upper)

    @property
    def num_variables(self) -> int:
        """V."""
        return len(self.objective)

    @property
    def num_rows(self) -> int:
        """M."""
        return self.rows.shape[0]


def _vector(name: str, values: Any, length: int | None) -> np.ndarray:
    vector = np.array(values, np.float64)
    if vector.ndim != 1 or (length is not None and len(vector) != length):
        wanted = "one dimension" if length is None else f"{length} entries"
        raise ValueError(f"{name} has shape {vector.shape}; it must have {wanted}.")
    if np.isnan(vector).any():
        raise ValueError(f"{name} holds NaN.")
    return vector


def _sparse(name: str, matrix: Any, variables: int) -> scipy.sparse.csr_array:
    rows: Any = scipy.sparse.csr_array(matrix, dtype=np.float64)  # shape is untyped
    rows.sum_duplicates()
    if rows.shape[1] != variables:
        raise ValueError(
            f"{name} has {rows.shape[1]} columns for {variables} variables."
        )
    if not np.isfinite(rows.data).all():
        raise ValueError(f"{name} holds NaN or infinite entries.")
    return rows


def _check_ranges(
    low_name: str, low: np.ndarray, high_name: str, high: np.ndarray
) -> None:
    wrong = np.flatnonzero((low > high) | np.isposinf(low) | np.isneginf(high))
    if wrong.size:
        first = int(wrong[0])
        raise ValueError(
            f"{low_name} is {low[first]} and {high_name} {high[first]} at entry"
            f" {first}; nothing lies between."
        )
