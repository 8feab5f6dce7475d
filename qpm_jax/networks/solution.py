"""What a solve of a network problem returns, judged by exact forward evaluation."""

from dataclasses import dataclass
from typing import Generic, TypeVar

# A `ReLUNetwork` or a `ConvNetwork`.
Network = TypeVar("Network")

STATUSES = ("optimal", "gap_reached", "time_limit", "interrupted", "warm_start")


@dataclass(frozen=True, eq=False)
class NetworkSolution(Generic[Network]):
    """A network and how good it is known to be.

    Attributes:
        network: in standard form, of the problem's widths.
        objective: by exact forward evaluation; least is best.
        bound: no network of the problem has less.
        gap: |bound − objective| / max(|objective|, 1e-12).
        seconds: wall-clock time of the solve, building and compilation included.
        solver: name of the solver.
        status: "optimal", "gap_reached", "time_limit", "interrupted", or "warm_start":
            the time was over before anything better than the start was found.
        history: (seconds, objective, bound) at every improvement of either, when it is
            found, also by the solver of the whole program; its networks are repaired
            and evaluated exactly before they count.
    """

    network: Network
    objective: float
    bound: float
    gap: float
    seconds: float
    solver: str
    status: str
    history: tuple[tuple[float, float, float], ...]
