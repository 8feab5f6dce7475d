"""The options every solver understands."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Progress = Callable[[float, float, float], object]


@dataclass(frozen=True, eq=False)
class Options:
    """How to solve.

    Attributes:
        time_limit: seconds.
        gap: relative gap at which to stop.
        threads: None for the solver's default.
        seed: of the solver's own randomness.
        warm_start: float64 [V], a solution to start from, or None.
        progress: called with (objective, bound, seconds), or None.
    """

    time_limit: float
    gap: float
    threads: int | None
    seed: int
    warm_start: Float[np.ndarray, " V"] | None
    progress: Progress | None
