"""Parts of a program beyond linear rows: indicator and bilinear rows, as arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from qpm_jax.solvers import checks


@dataclass(frozen=True, eq=False)
class Indicators:
    """Linear rows that hold only where a binary variable has a given value.

    `lower[k] ≤ rows[k] x ≤ upper[k]` where `x[variable[k]] == value[k]`.

    Attributes:
        variable: int64 [K], index of a binary variable.
        value: bool [K], the row is active where the variable is 1 (True) or 0 (False).
        rows: scipy sparse [K, V]; kept as CSR with float64 entries.
        lower: float64 [K], −inf where a row has no lower side.
        upper: float64 [K], inf where a row has no upper side.

    Raises:
        ValueError: when shapes do not fit, numbers are NaN or a range is empty.
    """

    variable: Int[np.ndarray, " K"]
    value: Bool[np.ndarray, " K"]
    rows: Any
    lower: Float[np.ndarray, " K"]
    upper: Float[np.ndarray, " K"]

    def __post_init__(self) -> None:
        """Turns the fields into checked host arrays."""
        rows = checks.sparse("indicators.rows", self.rows, None)
        height = len(rows.indptr) - 1
        value = checks.vector("indicators.value", self.value, height)
        if not np.isin(value, (0.0, 1.0)).all():
            raise ValueError("indicators.value must hold True or False only.")
        _keep(
            self,
            variable=checks.indices("indicators.variable", self.variable, height),
            value=value.astype(bool),
            rows=rows,
            lower=checks.vector("indicators.lower", self.lower, height),
            upper=checks.vector("indicators.upper", self.upper, height),
        )
        checks.ranges("indicators.lower", self.lower, "indicators.upper", self.upper)

    @property
    def num_sides(self) -> int:
        """Finite sides, what a solver that takes one side at a time counts."""
        return int(np.isfinite(self.lower).sum() + np.isfinite(self.upper).sum())


@dataclass(frozen=True, eq=False)
class Bilinear:
    """Rows with products of two variables, or squares.

    `lower[k] ≤ rows[k] x + Σ coefficient[t] x[first[t]] x[second[t]] ≤ upper[k]`, the
    sum over the products t with `row[t] == k`. Products are kept sorted by row, with
    `first ≤ second`, and equal ones added up.

    Attributes:
        row: int64 [T], the row that a product belongs to.
        first: int64 [T], index of its one variable.
        second: int64 [T], index of the other, or the same for a square.
        coefficient: float64 [T].
        rows: scipy sparse [K, V], the linear part; kept as CSR with float64 entries.
        lower: float64 [K], −inf where a row has no lower side.
        upper: float64 [K], inf where a row has no upper side.

    Raises:
        ValueError: when shapes do not fit, numbers are NaN or a range is empty.
    """

    row: Int[np.ndarray, " T"]
    first: Int[np.ndarray, " T"]
    second: Int[np.ndarray, " T"]
    coefficient: Float[np.ndarray, " T"]
    rows: Any
    lower: Float[np.ndarray, " K"]
    upper: Float[np.ndarray, " K"]

    def __post_init__(self) -> None:
        """Turns the fields into checked host arrays, products in order."""
        rows = checks.sparse("bilinear.rows", self.rows, None)
        height = len(rows.indptr) - 1
        row = checks.indices("bilinear.row", self.row, None)
        first = checks.indices("bilinear.first", self.first, len(row))
        second = checks.indices("bilinear.second", self.second, len(row))
        factors = checks.vector("bilinear.coefficient", self.coefficient, len(row))
        if not np.isfinite(factors).all():
            raise ValueError("bilinear.coefficient holds infinite entries.")
        checks.below("bilinear.row", row, height, "rows")
        places, inverse = np.unique(
            np.stack([row, np.minimum(first, second), np.maximum(first, second)], 1),
            axis=0,
            return_inverse=True,
        )
        _keep(
            self,
            row=places[:, 0],
            first=places[:, 1],
            second=places[:, 2],
            coefficient=np.bincount(inverse.reshape(-1), factors, len(places)),
            rows=rows,
            lower=checks.vector("bilinear.lower", self.lower, height),
            upper=checks.vector("bilinear.upper", self.upper, height),
        )
        checks.ranges("bilinear.lower", self.lower, "bilinear.upper", self.upper)

    @property
    def num_rows(self) -> int:
        """K."""
        return len(self.lower)

    @property
    def starts(self) -> Int[np.ndarray, " K+1"]:
        """int64 [K+1]: row k's products are `starts[k]:starts[k + 1]`."""
        return np.searchsorted(self.row, np.arange(self.num_rows + 1))


def bilinear_activity(
    part: Bilinear, values: Float[np.ndarray, " V"]
) -> Float[np.ndarray, " K"]:
    """What stands between the sides of every bilinear row.

    Args:
        part: the rows.
        values: float64 [V].

    Returns:
        float64 [K].
    """
    products = part.coefficient * values[part.first] * values[part.second]
    return part.rows @ values + np.bincount(part.row, products, part.num_rows)


def check_indicators(
    part: Any,
    lower: Float[np.ndarray, " V"],
    upper: Float[np.ndarray, " V"],
    integer: Bool[np.ndarray, " V"],
) -> None:
    """Checks indicator rows against the variables they speak of.

    Args:
        part: an `Indicators`, or None for none.
        lower: float64 [V].
        upper: float64 [V].
        integer: bool [V].

    Raises:
        ValueError: when it is something else, a size differs or a variable that
            switches is not binary.
    """
    if part is None:
        return
    if not isinstance(part, Indicators):
        raise ValueError(
            f"indicators is a {type(part).__name__}; give solvers.Indicators or None."
        )
    _check_columns("indicators.rows", part.rows, len(lower))
    checks.below("indicators.variable", part.variable, len(lower), "variables")
    binary = integer & (lower >= 0) & (upper <= 1)
    wrong = part.variable[~binary[part.variable]]
    if wrong.size:
        raise ValueError(
            f"indicators.variable names variable {wrong[0]}, which is not binary; make"
            " it integer with bounds 0 and 1."
        )


def check_bilinear(part: Any, variables: int) -> None:
    """Checks bilinear rows against the number of variables.

    Args:
        part: a `Bilinear`, or None for none.
        variables: V.

    Raises:
        ValueError: when it is something else or a size differs.
    """
    if part is None:
        return
    if not isinstance(part, Bilinear):
        raise ValueError(
            f"bilinear is a {type(part).__name__}; give solvers.Bilinear or None."
        )
    _check_columns("bilinear.rows", part.rows, variables)
    checks.below("bilinear.first", part.first, variables, "variables")
    checks.below("bilinear.second", part.second, variables, "variables")


def _check_columns(name: str, rows: Any, variables: int) -> None:
    if rows.shape[1] != variables:
        raise ValueError(
            f"{name} has {rows.shape[1]} columns for {variables} variables."
        )


def _keep(part: Any, **fields: Any) -> None:
    """Sets the fields of a frozen dataclass while it is made."""
    for name, value in fields.items():
        object.__setattr__(part, name, value)
