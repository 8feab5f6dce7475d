"""Which values weights behind the first layer may have, and their bits.

The product of a weight and an activation is bilinear (docs/networks.md (c)). Three
ways, all the project's own reading of a hole in the source:

- "grid": multiples of a step, written in bits; exact for this family.
- "ternary": −1, 0 and 1, written as w⁺ − w⁻; exact for this family.
- "bilinear": any number up to a limit, for solvers that take products.

In the first two a weight is `offset + Σ_q coefficients_q · bit_q`.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

FAMILIES = ("grid", "ternary", "bilinear")


@dataclass(frozen=True, eq=False)
class WeightFamily:
    """The values a deeper weight may have.

    Attributes:
        name: one of `FAMILIES`.
        coefficients: float64 [Q], what every bit adds; empty for "bilinear".
        offset: the weight of no bits.
        limit: the largest size.
    """

    name: str
    coefficients: Float[np.ndarray, " Q"]
    offset: float
    limit: float

    @property
    def step(self) -> float:
        """The distance of neighbouring values, 0 for "bilinear"."""
        return float(self.coefficients[0]) if len(self.coefficients) else 0.0

    def rounded(self, weights: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """The nearest values of the family."""
        inside = np.clip(np.asarray(weights, np.float64), -self.limit, self.limit)
        return np.round(inside / self.step) * self.step if self.step else inside

    def bits(self, weights: Float[np.ndarray, "..."]) -> Bool[np.ndarray, "... Q"]:
        """The bits of values of the family."""
        if self.name == "ternary":
            return np.stack([weights > 0.5, weights < -0.5], axis=-1)
        whole = np.round((np.asarray(weights) - self.offset) / self.step)
        places = np.arange(len(self.coefficients))
        return (whole.astype(np.int64)[..., None] >> places & 1).astype(bool)

    def values(self, bits: Bool[np.ndarray, "... Q"]) -> Float[np.ndarray, "..."]:
        """The values of bits."""
        return self.offset + np.asarray(bits, np.float64) @ self.coefficients


def weight_family(
    name: str, step: float = 0.5, bits: int = 3, limit: float = 2.0
) -> WeightFamily:
    """Makes a family by its name.

    Args:
        name: "grid", "ternary" or "bilinear".
        step: of the grid.
        bits: of the grid, 2 or more: it goes to ± step · (2^(bits−1) − 1).
        limit: of "bilinear".

    Returns:
        The family.

    Raises:
        ValueError: for another name, or a number out of range.
    """
    if name not in FAMILIES:
        raise ValueError(
            f"deep_weights is {name!r}; choose one of {', '.join(FAMILIES)}."
        )
    if name == "ternary":
        return WeightFamily(name, np.array([1.0, -1.0]), 0.0, 1.0)
    if name == "bilinear":
        if not 0 < limit < np.inf:
            raise ValueError(f"limit is {limit!r}; it must be a positive number.")
        return WeightFamily(name, np.zeros(0), 0.0, float(limit))
    if not 0 < step < np.inf:
        raise ValueError(f"grid_step is {step!r}; it must be a positive number.")
    if not 2 <= bits <= 12 or bits != int(bits):
        raise ValueError(f"grid_bits is {bits!r}; it must be 2 … 12.")
    largest = 2 ** (int(bits) - 1) - 1
    coefficients = float(step) * 2.0 ** np.arange(int(bits))
    return WeightFamily(name, coefficients, -step * largest, step * largest)
