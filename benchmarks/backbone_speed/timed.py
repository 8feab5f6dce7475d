"""What an arm measures: seconds of one training step, forward and statistics pass."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MATRIX = 4096
CLASSES = 200
DIVERSITY = 0.196


@dataclass(frozen=True)
class Timed:
    """One arm, compiled.

    Attributes:
      facts: `device`, `precision` of the backbone's arithmetic, `peak_flops` a second
        of a matrix product in that precision, `compile` in seconds.
      actions: `train`, `forward` and, of this project alone, `statistics`, each one
        batch, until it is done.
      memory: largest memory so far, in GiB.
    """

    facts: dict[str, Any]
    actions: dict[str, Callable[[], None]]
    memory: Callable[[], float]

    def round(self, steps: int) -> dict[str, float]:
        """Returns seconds a batch of every action, and the memory."""
        spent = {name: seconds(act, steps) for name, act in self.actions.items()}
        return {**spent, "memory": self.memory()}


def seconds(action: Callable[[], None], steps: int) -> float:
    """Returns seconds of one call, the mean of `steps`."""
    started = time.perf_counter()
    for _ in range(steps):
        action()
    return (time.perf_counter() - started) / steps


def product_rate(multiply: Callable[[], None]) -> float:
    """Returns operations a second of a [4096, 4096] product, the best of three."""
    multiply()
    return 2 * MATRIX**3 / min(seconds(multiply, 1) for _ in range(3))
