"""Blank pictures and PNG files, without a window or a state that others would share."""

import io
from typing import Any

QUIET = "#666666"


def blank(width: float, height: float) -> Any:
    """Returns a matplotlib figure of so many inches that needs no window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png(figure: Any) -> bytes:
    """Returns the figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def plain(axes: Any) -> None:
    """Takes away the box of matplotlib axes and draws quiet lines across."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=QUIET, alpha=0.2)
    axes.set_axisbelow(True)


def percent_axis(axes: Any) -> None:
    """Writes shares on the y axis as percentages, exact where ticks lie close together.

    Args:
        axes: of Matplotlib.
    """
    axes.yaxis.set_major_formatter(lambda share, _: f"{round(100 * share, 2):g}%")
