"""Blank pictures and PNG files, without a window or a state that others would share."""

import io
from typing import Any

# of Fig. 1 and 2 of arXiv 2112.00434: MIP red, PBO green, LR blue, GD orange
MODEL_COLOURS = {
    "mip": "#c8352b",
    "pbo": "#2f8f4e",
    "logistic": "#2b62b5",
    "gradient_descent": "#e08a1e",
}
MODEL_NAMES = {
    "mip": "MIP",
    "pbo": "PBO",
    "logistic": "logistic regression",
    "gradient_descent": "gradient descent",
}
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
    """Takes away the box and draws quiet lines across."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=QUIET, alpha=0.2)
    axes.set_axisbelow(True)


def percent_axis(axes: Any) -> None:
    """Writes shares on the y axis as percentages."""
    from matplotlib.ticker import PercentFormatter

    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
