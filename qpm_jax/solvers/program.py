"""A mixed-integer program as arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from qpm_jax.solvers import checks, parts
from qpm_jax.solvers.parts import Bilinear, Indicators


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
        quadratic: None or sparse [V, V], Q: xᵀ Q x joins the objective; Q need not be
            symmetric.
        indicators: None, or rows that hold only where a binary variable has a value.
        bilinear: None, or rows with products of variables.
        maximise: whether the objective is maximised.
        branch_priority: None, or int [V]: of the integer variables that could be
            branched on, SCIP and Gurobi take one of the largest; the other solvers
            choose by themselves.

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
    indicators: Indicators | None = None
    bilinear: Bilinear | None = None
    maximise: bool = False
    branch_priority: Int[np.ndarray, " V"] | None = None

    def __post_init__(self) -> None:
        """Turns the fields into checked host arrays."""
        objective = checks.vector("objective", self.objective, None)
        variables = len(objective)
        rows = checks.sparse("rows", self.rows, variables)
        height = len(rows.indptr) - 1
        for name, value in (
            ("objective", objective),
            ("rows", rows),
            ("row_lower", checks.vector("row_lower", self.row_lower, height)),
            ("row_upper", checks.vector("row_upper", self.row_upper, height)),
            ("lower", checks.vector("lower", self.lower, variables)),
            ("upper", checks.vector("upper", self.upper, variables)),
            ("integer", _flags(self.integer, variables)),
            ("quadratic", _square(self.quadratic, variables)),
            ("maximise", bool(self.maximise)),
            ("branch_priority", _priorities(self.branch_priority, variables)),
        ):
            object.__setattr__(self, name, value)
        if not np.isfinite(self.objective).all():
            raise ValueError("objective holds infinite entries; all must be finite.")
        checks.ranges("lower", self.lower, "upper", self.upper)
        checks.ranges("row_lower", self.row_lower, "row_upper", self.row_upper)
        parts.check_indicators(self.indicators, self.lower, self.upper, self.integer)
        parts.check_bilinear(self.bilinear, variables)

    @property
    def num_variables(self) -> int:
        """V."""
        return len(self.objective)

    @property
    def num_rows(self) -> int:
        """M."""
        return self.rows.shape[0]

    @property
    def is_linear(self) -> bool:
        """Whether there is nothing beyond linear rows, bounds and integers."""
        others = (self.quadratic, self.indicators, self.bilinear)
        return all(part is None for part in others)


def _flags(integer: Any, variables: int) -> np.ndarray:
    flags = np.array(integer)
    if flags.shape != (variables,):
        raise ValueError(
            f"integer has shape {flags.shape}; it needs one entry for each of"
            f" the {variables} variables."
        )
    return flags.astype(bool)


def _priorities(priority: Any, variables: int) -> np.ndarray | None:
    if priority is None:
        return None
    numbers = np.array(priority)
    if numbers.shape != (variables,) or numbers.dtype.kind not in "iu":
        raise ValueError(
            f"branch_priority is {numbers.dtype} of shape {numbers.shape}; it needs a"
            f" whole number for each of the {variables} variables, or None."
        )
    if (numbers != numbers.astype(np.int32)).any():
        raise ValueError(
            f"branch_priority reaches from {numbers.min()} to {numbers.max()}; solvers"
            " take 32 bits: from -2147483648 to 2147483647."
        )
    return numbers.astype(np.int32)


def _square(quadratic: Any, variables: int) -> Any:
    if quadratic is None:
        return None
    matrix: Any = checks.sparse("quadratic", quadratic, variables)
    if matrix.shape != (variables, variables):
        raise ValueError(
            f"quadratic has shape {matrix.shape}; it must be {(variables, variables)}."
        )
    return matrix
