"""The options every solver understands."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

# Called with (objective, bound, seconds).
Progress = Callable[[float, float, float], object]
# Called with (objective, bound); True asks the solver to end.
Listener = Callable[[float, float], bool]
# Called with the values of an incumbent, float64 [V], as the solver has them.
Incumbent = Callable[[np.ndarray], object]
# The same; True asks the solver to end.
Keeper = Callable[[np.ndarray], bool]


@dataclass(frozen=True, eq=False)
class Options:
    """How to solve.

    Attributes:
        deadline: on the clock of `time.perf_counter`; building counts.
        gap: relative gap at which to stop.
        threads: None for the solver's default.
        seed: of the solver's own randomness.
        warm_start: float64 [V], a solution to start from, NaN where unknown, or None.
        listener: told of every incumbent and bound, or None.
        keeper: told the values of every incumbent, or None.
    """

    deadline: float
    gap: float
    threads: int | None
    seed: int
    warm_start: Float[np.ndarray, " V"] | None
    listener: Listener | None
    keeper: Keeper | None = None

    @property
    def seconds_left(self) -> float:
        """Seconds to the deadline, 0 once it is past."""
        return max(0.0, self.deadline - time.perf_counter())


def check_limits(time_limit: float, gap: float, threads: int | None) -> None:
    """Refuses limits that mean nothing, before anything is built.

    Args:
        time_limit: seconds.
        gap: relative gap.
        threads: or None.

    Raises:
        ValueError: when one is out of range.
    """
    if not time_limit >= 0:
        raise ValueError(f"time_limit is {time_limit}; it must be 0 seconds or more.")
    if not (gap >= 0 and math.isfinite(gap)):
        raise ValueError(f"gap is {gap}; it must be a fraction of 0 or more.")
    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}; it must be 1 or more, or None.")
