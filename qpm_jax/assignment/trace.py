"""How a solve went: incumbent and bound over time, as numbers and as a picture."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from qpm_jax.canvas import blank, plain, png
from qpm_jax.solvers.solution import relative_gap

_OBJECTIVE_COLOUR, _BOUND_COLOUR = "#1f5fa8", "#b5541c"


class TracePoint(NamedTuple):
    """What was known at one moment.

    Attributes:
        seconds: since the solve began.
        objective: of the best solution known.
        bound: no solution is better; inf where nothing is known.
    """

    seconds: float
    objective: float
    bound: float


def record(trace: list[TracePoint], point: TracePoint) -> None:
    """Appends a point to `trace` where it says something new.

    Args:
        trace: the points so far, changed in place.
        point: the next one.
    """
    if not trace or trace[-1][1:] != point[1:]:
        trace.append(point)


def as_csv(trace: Sequence[TracePoint]) -> str:
    """Returns a header and a line a point; what is not known stays empty."""
    lines = ["seconds,objective,bound,gap"]
    for point in trace:
        values = (*point, relative_gap(point.objective, point.bound))
        lines.append(",".join(f"{v:.9g}" if math.isfinite(v) else "" for v in values))
    return "\n".join(lines) + "\n"


def picture(trace: Sequence[TracePoint], title: str) -> bytes:
    """Draws incumbent and bound over time, and the gap between them.

    Args:
        trace: at least one point.
        title: what was solved.

    Returns:
        A PNG file. Each line is a step that ends at the last point's time.

    Raises:
        ValueError: if `trace` is empty.
    """
    if not trace:
        raise ValueError("trace is empty; give at least one point")
    figure = blank(7.2, 4.2)
    axes = figure.add_subplot()
    _draw(axes, trace)
    gap = relative_gap(*trace[-1][1:])
    known_gap = f", gap {100 * gap:.2f} %" if math.isfinite(gap) else ", no bound"
    axes.set_title(title + known_gap, loc="left", fontsize=10)
    axes.set_xlabel("seconds")
    axes.set_ylabel("objective Z")
    plain(axes)
    axes.margins(x=0.02)
    axes.set_xlim(left=0.0)
    axes.legend(frameon=False, fontsize=9)
    return png(figure)


def _draw(axes: Any, trace: Sequence[TracePoint]) -> None:
    """The two lines, where each is known, and a shade between them."""
    seconds, objective, bound = zip(*trace, strict=True)
    known = [value if math.isfinite(value) else math.nan for value in bound]
    axes.fill_between(
        seconds, objective, known, step="post", color=_BOUND_COLOUR, alpha=0.08, lw=0
    )
    for values, colour, name in (
        (known, _BOUND_COLOUR, "bound"),
        (objective, _OBJECTIVE_COLOUR, "incumbent"),
    ):
        if math.isfinite(values[-1]):
            label = f"{name}  {values[-1]:.5g}"
            axes.step(seconds, values, where="post", color=colour, lw=2, label=label)
            axes.plot(seconds[-1], values[-1], "o", color=colour, ms=5)
