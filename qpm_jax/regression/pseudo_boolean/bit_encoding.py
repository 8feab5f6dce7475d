"""A program of whole variables as one of bits.

Tule, Le, Say, arXiv 2112.00434, the PBO model: x = lower + Σ_{q=1..Q} 2^{q−1} x_q with
Q = ⌈log₂(upper − lower + 1)⌉, and a row Σ 2^{q−1} x_q ≤ upper − lower where not all
numbers of Q bits are meant. All variables of a pseudo-Boolean program are 0 or 1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from qpm_jax.solvers import MixedIntegerProgram

_MOST_BITS = 52  # more and float64 no longer holds every number


@dataclass(frozen=True, eq=False)
class BitProgram:
    """A program of bits, and how whole variables are made of them.

    Attributes:
        program: the `MixedIntegerProgram` over T bits, all 0 or 1.
        powers: scipy sparse [V, T], 2^{q−1} where a bit belongs to a variable.
        offset: float64 [V], the variables' lower bounds.
    """

    program: MixedIntegerProgram
    powers: Any
    offset: Float[np.ndarray, " V"]

    def values(self, bits: Float[np.ndarray, " T"]) -> Float[np.ndarray, " V"]:
        """Whole variables from bits, float64 [V].

        Args:
            bits: float64 [T], near 0 or 1.
        """
        return self.offset + self.powers @ np.round(bits)

    def bits(self, values: Float[np.ndarray, " V"]) -> Float[np.ndarray, " T"]:
        """Bits from whole variables within their bounds, float64 [T].

        Args:
            values: float64 [V].
        """
        owner, power = _places(self.powers)
        whole = np.round(values - self.offset).astype(np.int64)
        return (whole[owner] // power % 2).astype(np.float64)


def encode_bits(program: MixedIntegerProgram) -> BitProgram:
    """Writes every variable of a linear program in bits.

    Args:
        program: linear, all variables whole with finite bounds, minimised.

    Returns:
        The program in bits. Rows keep their order; the bounds' rows come after them.
        The objective is the same but for the cost of the lower bounds.

    Raises:
        ValueError: when a variable is not whole or not bounded, its range needs more
            than 52 bits, or the program has more than linear rows.
    """
    _check(program)
    widths = np.floor(program.upper) - np.ceil(program.lower)
    lower = np.ceil(program.lower)
    counts = np.ceil(np.log2(widths + 1)).astype(np.int64)
    owner = np.repeat(np.arange(len(widths)), counts)
    starts = np.cumsum(counts) - counts
    place = np.arange(len(owner)) - starts[owner]
    powers: Any = scipy.sparse.csr_array(
        (np.exp2(place), (owner, np.arange(len(owner)))),
        shape=(len(widths), len(owner)),
    )
    shift = program.rows @ lower
    capped = np.flatnonzero(np.exp2(counts) - 1 > widths)
    bits = MixedIntegerProgram(
        objective=powers.T @ program.objective,
        rows=scipy.sparse.vstack([program.rows @ powers, powers[capped]], format="csr"),
        row_lower=np.append(program.row_lower - shift, np.full(len(capped), -np.inf)),
        row_upper=np.append(program.row_upper - shift, widths[capped]),
        lower=np.zeros(len(owner)),
        upper=np.ones(len(owner)),
        integer=np.ones(len(owner), bool),
    )
    return BitProgram(bits, powers, lower)


def _places(powers: Any) -> tuple[Int[np.ndarray, " T"], Int[np.ndarray, " T"]]:
    """The variable of every bit and the bit's worth, int64 [T] each."""
    form = powers.tocoo()
    order = np.argsort(form.col)
    return form.row[order], form.data[order].astype(np.int64)


def _check(program: MixedIntegerProgram) -> None:
    if not program.is_linear or program.maximise:
        raise ValueError("program must be linear and minimised to be written in bits.")
    finite = np.isfinite(program.lower) & np.isfinite(program.upper)
    wrong = np.flatnonzero(~(program.integer & finite))
    if wrong.size:
        raise ValueError(
            f"variable {wrong[0]} of the program is not whole or has no finite bounds;"
            " only whole numbers of a finite range can be written in bits."
        )
    widest = float((program.upper - program.lower).max(initial=0.0))
    if widest >= 2.0**_MOST_BITS:
        raise ValueError(
            f"a variable of the program has a range of {widest:g}; at most"
            f" {_MOST_BITS} bits can be written."
        )
