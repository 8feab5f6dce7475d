"""From measurements to the table: operations of a step, rates, utilisation."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

# Channels inside the bottlenecks of a stage, and how many there are (He et al. 2016).
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
REDUCED_STRIDES = (1, 2, 1, 1)

Facts = Mapping[str, Mapping[str, Any]]
Rounds = Sequence[Mapping[str, Mapping[str, float]]]

HEADER = (
    f"{'arm':16}{'train img/s':>12}{'of torch':>10}{'utilisation':>13}"
    f"{'peak TFLOP/s':>14}{'forward':>9}{'statistics':>12}{'peak GiB':>10}"
    f"{'compile s':>11}"
)


def multiply_adds(
    size: int, classes: int, strides: Sequence[int] = REDUCED_STRIDES
) -> int:
    """Returns the multiply-adds of ResNet50's convolutions and head, for one image.

    Args:
      size: Pixels a side.
      classes: Outputs of the head.
      strides: Of the first 3×3 convolution of each stage.
    """
    side = _halved(size)
    total = 7 * 7 * 3 * 64 * side**2
    side, channels = _halved(side), 64  # pooling
    for (width, depth), stride in zip(STAGES, strides, strict=True):
        for number in range(depth):
            total += channels * width * side**2
            if number == 0:
                side = -(-side // stride)
                total += channels * 4 * width * side**2  # the shortcut
            total += (9 + 4) * width**2 * side**2
            channels = 4 * width
    return total + channels * classes


def _halved(side: int) -> int:
    return -(-side // 2)


def step_operations(batch: int, size: int, classes: int) -> int:
    """Returns the floating-point operations of a training step.

    Two for each multiply-add, three times: forward, gradient of the inputs, gradient of
    the weights. What is not a convolution or the head is left out, as usual.
    """
    return 2 * 3 * batch * multiply_adds(size, classes)


def peak_rate(arm: str, facts: Facts) -> float:
    """Returns operations a second of the fastest product in the arm's precision.

    Any arm may have measured it: on a GPU frameworks differ in how they round float32.
    """
    precision = facts[arm]["precision"]
    return max(
        one["peak_flops"] for one in facts.values() if one["precision"] == precision
    )


def row(
    arm: str, base: str, facts: Facts, rounds: Rounds, batch: int, operations: int
) -> str:
    """Returns an arm's line of the table, medians over the rounds.

    Args:
      arm: Whose line.
      base: The arm that it is compared with, round by round.
      facts: Of every arm, see `Timed`.
      rounds: Seconds of every arm's actions, see `Timed.round`.
      batch: Images in a step.
      operations: Of a step.
    """
    seconds = statistics.median(r[arm]["train"] for r in rounds)
    ratio = statistics.median(r[base]["train"] / r[arm]["train"] for r in rounds)
    forward = statistics.median(r[arm]["forward"] for r in rounds)
    passes = [
        r[arm]["statistics"] / r[arm]["forward"]
        for r in rounds
        if "statistics" in r[arm]
    ]
    overhead = f"{statistics.median(passes):.2f}" if passes else "–"
    peak = peak_rate(arm, facts)
    return (
        f"{arm:16}{batch / seconds:12.2f}{ratio:10.2f}"
        f"{operations / seconds / peak:13.2f}{peak / 1e12:14.3f}"
        f"{batch / forward:9.2f}{overhead:>12}"
        f"{rounds[-1][arm]['memory']:10.2f}{facts[arm]['compile']:11.1f}"
    )
