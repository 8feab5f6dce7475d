"""Line plots as inline SVG: loss and accuracy over the epochs of both phases."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from qpm_jax.explain.markup import escape

_WIDTH, _HEIGHT = 460, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 42
_BASE, _END = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
_MAX_POINTS = 300
_PHASE_NAMES = {"dense": "dense", "finetune": "fine-tune"}


@dataclass(frozen=True)
class Line:
    """One curve. `style` is its CSS class: `first` or `second`, with ` held` dashed."""

    label: str
    style: str
    x: Float[np.ndarray, " T"]
    y: Float[np.ndarray, " T"]


@dataclass(frozen=True)
class _Frame:
    """The data's range, and where it lies in the picture."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        share = (value - self.x_low) / (self.x_high - self.x_low)
        return round(_LEFT + share * (_END - _LEFT), 1)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return round(_BASE - share * (_BASE - _TOP), 1)


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Returns round numbers from `low` or below to `high` or above.

    Args:
        low: smallest value to cover.
        high: largest value to cover; equal to `low` gives a range around it.
        count: about how many steps.

    Raises:
        ValueError: if a value is not finite.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"low, high is {low}, {high}; both must be finite")
    if high <= low:
        low, high = low - 0.5, high + 0.5
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * min(
        (1, 2, 2.5, 5, 10), key=lambda multiple: abs(multiple - raw / power)
    )
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def thin(line: Line, points: int = _MAX_POINTS) -> Line:
    """Averages runs of neighbours, so that a long log gives a small picture."""
    if len(line.x) <= points:
        return line
    groups = np.array_split(np.arange(len(line.x)), points)
    x, y = (np.array([v[g].mean() for g in groups]) for v in (line.x, line.y))
    return Line(line.label, line.style, x, y)


def _y_axis(frame: _Frame, ticks: Sequence[float], as_percent: bool) -> list[str]:
    parts = []
    for tick in ticks:
        y, text = frame.y(tick), f"{100 * tick:g} %" if as_percent else f"{tick:g}"
        parts.append(f'<path class="grid" d="M{_LEFT} {y}H{_END}"/>')
        parts.append(f'<text x="{_LEFT - 7}" y="{y + 4}" class="end">{text}</text>')
    return parts


def _x_axis(frame: _Frame, label: str) -> list[str]:
    inside = [
        tick
        for tick in nice_ticks(frame.x_low, frame.x_high, 6)
        if frame.x_low <= tick <= frame.x_high
    ]
    whole = [tick for tick in inside if tick == int(tick)]
    parts = [f'<path class="axis" d="M{_LEFT} {_BASE}H{_END}"/>']
    for tick in whole if len(whole) > 1 else inside:
        x = frame.x(tick)
        parts.append(f'<path class="axis" d="M{x} {_BASE}v4"/>')
        parts.append(f'<text x="{x}" y="{_BASE + 18}" class="middle">{tick:g}</text>')
    middle = (_LEFT + _END) / 2
    parts.append(
        f'<text x="{middle}" y="{_HEIGHT - 5}" class="middle">{escape(label)}</text>'
    )
    return parts


def _legend(lines: Sequence[Line]) -> str:
    keys = (
        '<span class="key"><svg viewBox="0 0 22 8" aria-hidden="true">'
        f'<path class="{line.style}" d="M1 4H21"/></svg>{escape(line.label)}</span>'
        for line in lines
    )
    return f'<span class="legend">{"".join(keys)}</span>'


def line_plot(
    lines: Sequence[Line],
    title: str,
    x_label: str,
    as_percent: bool = False,
    breaks: Sequence[float] = (),
    from_zero: bool = False,
) -> str:
    """Draws curves over one x axis.

    Args:
        lines: at least one, finite values.
        title: what is on the y axis.
        x_label: what is on the x axis.
        as_percent: how y ticks are written: fractions as percentages.
        breaks: x values of dashed vertical lines, such as a phase's start.
        from_zero: whether the y axis begins at 0 at the latest.

    Returns:
        One `<figure>` with title, legend and SVG.

    Raises:
        ValueError: if there is no line.
    """
    if not lines:
        raise ValueError("lines is empty; give at least one curve")
    xs, ys = (np.concatenate([getattr(line, axis) for line in lines]) for axis in "xy")
    low = min(float(ys.min()), 0.0) if from_zero else float(ys.min())
    ticks = nice_ticks(low, float(ys.max()))
    x_low, x_high = float(xs.min()), float(xs.max())
    x_high = x_high if x_high > x_low else x_low + 1.0
    frame = _Frame(x_low, x_high, ticks[0], ticks[-1])
    curves = []
    for line in map(thin, lines):
        points = " ".join(
            f"{frame.x(x)},{frame.y(y)}" for x, y in zip(line.x, line.y, strict=True)
        )
        curves.append(f'<polyline class="{line.style}" points="{points}"/>')
    parts = [
        f'<figure class="plot"><figcaption><b>{escape(title)}</b>{_legend(lines)}'
        f'</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(title)} over {escape(x_label)}">',
        *_y_axis(frame, ticks, as_percent),
        *_x_axis(frame, x_label),
        *(f'<path class="break" d="M{frame.x(x)} {_TOP}V{_BASE}"/>' for x in breaks),
        *curves,
        "</svg></figure>",
    ]
    return "".join(parts)


def _phases(
    history: Sequence[Mapping[str, Any]],
) -> dict[str, list[Mapping[str, Any]]]:
    phases: dict[str, list[Mapping[str, Any]]] = {}
    for record in history:
        phases.setdefault(str(record.get("phase", "dense")), []).append(record)
    return phases


def _line(
    label: str,
    style: str,
    records: Sequence[Mapping[str, Any]],
    x_key: str,
    y_key: str,
    offset: float,
) -> Line | None:
    # A run that was resumed may have logged a step twice: the later record counts.
    points = {
        float(record[x_key]): float(record[y_key])
        for record in records
        if record.get(y_key) is not None and record.get(x_key) is not None
    }
    kept = sorted((x, y) for x, y in points.items() if math.isfinite(y))
    if not kept:
        return None
    x, y = np.array(kept).T
    return Line(label, style, x + offset, y)


def training_curves(history: Sequence[Mapping[str, Any]]) -> str:
    """Draws loss and accuracy of the phases, one after the other on one axis.

    Args:
        history: records with `phase`, `epoch` or `step`, and any of `loss`,
            `accuracy`, `test_loss`, `test_accuracy`.

    Returns:
        HTML with one figure a quantity; empty where nothing was recorded.
    """
    # Phases that do not train log other figures; they have no place on the axis.
    history = [record for record in history if "loss" in record or "accuracy" in record]
    with_epochs = all(record.get("epoch") is not None for record in history)
    x_key = "epoch" if with_epochs else "step"
    lines: dict[str, list[Line]] = {"loss": [], "accuracy": []}
    breaks, offset = [], 0.0
    for place, (phase, records) in enumerate(_phases(history).items()):
        name = _PHASE_NAMES.get(phase, phase)
        style = "first" if place == 0 else "second"
        if place:
            breaks.append(offset)
        for quantity, drawn in lines.items():
            for prefix, word, held in (("", "", ""), ("test_", ", test", " held")):
                line = _line(
                    name + word, style + held, records, x_key, prefix + quantity, offset
                )
                drawn.extend([line] if line else [])
        offset += max((float(r.get(x_key) or 0) for r in records), default=0.0)
    return "".join(
        line_plot(drawn, quantity.capitalize(), x_key, quantity == "accuracy", breaks)
        for quantity, drawn in lines.items()
        if drawn
    )
