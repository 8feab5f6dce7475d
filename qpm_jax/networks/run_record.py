"""The best network and bound so far, and the clock."""

import math
import time
from typing import Generic

from qpm_jax.networks.solution import Network, NetworkSolution
from qpm_jax.solvers.options import Progress
from qpm_jax.solvers.solution import relative_gap

_PROVEN = 1e-6


class RunRecord(Generic[Network]):
    """What a solve knows so far; it tells of every improvement."""

    def __init__(
        self, time_limit: float, gap: float, progress: Progress | None, bound: float
    ) -> None:
        """Starts the clock.

        Args:
            time_limit: seconds.
            gap: relative gap at which to stop.
            progress: called with (objective, bound, seconds).
            bound: what no network is below.
        """
        self.gap, self.time_limit, self.progress = gap, time_limit, progress
        self.began = time.perf_counter()
        self.network: Network | None = None
        self.objective, self.bound = math.inf, bound
        self.improved = False
        self.history: list[tuple[float, float, float]] = []

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self.began

    @property
    def left(self) -> float:
        """Seconds of the limit that are left."""
        return max(0.0, self.time_limit - self.seconds)

    def take(self, network: Network, objective: float, *, given: bool) -> None:
        """Takes a network if it is better than the best.

        Args:
            network: any.
            objective: of it.
            given: whether it is a start, and no improvement of one.
        """
        if objective >= self.objective:
            return
        self.network, self.objective = network, objective
        self.improved |= not given
        self.tell()

    def hear(self, bound: float) -> None:
        """Takes a bound that is tighter."""
        if bound > self.bound:
            self.bound = min(bound, self.objective)
            self.tell()

    def tell(self) -> None:
        """Writes down objective and bound, and reports them."""
        news = (self.objective, self.bound, self.seconds)
        self.history.append((news[2], news[0], news[1]))
        if self.progress is not None:
            self.progress(*news)

    def solution(
        self, network: Network, solver: str, status: str
    ) -> NetworkSolution[Network]:
        """The result; of "time_limit" it says more where more is known."""
        gap = relative_gap(self.objective, self.bound)
        if gap <= max(_PROVEN, self.gap):
            status = "optimal" if gap <= _PROVEN else "gap_reached"
        elif status == "time_limit" and not self.improved:
            status = "warm_start"
        return NetworkSolution(
            network,
            self.objective,
            self.bound,
            gap,
            self.seconds,
            solver,
            status,
            tuple(self.history),
        )
