"""How the features were chosen: what the solver reached, and how it got there."""

import numpy as np

from qpm_jax.explain.contents import ReportContents
from qpm_jax.explain.curves import Line, line_plot
from qpm_jax.explain.markup import (
    definition_list,
    escape,
    gap,
    number,
    seconds,
    section,
)

# Known entries of `solver`: the words for them and how their value is written.
_ENTRIES = {
    "solver": ("Solver", escape),
    "status": ("Status", lambda value: escape(str(value).replace("_", " "))),
    "objective": ("Objective", number),
    "bound": ("Upper bound", number),
    "gap": ("Gap", gap),
    "solve_seconds": ("Time", seconds),
    "epsilon": ("Redundancy threshold ε", number),
    "penalised_pairs": ("Penalised pairs of features", number),
}


def _steps(label: str, style: str, points: list[tuple[float, float]]) -> Line | None:
    """A line that keeps each value until the next is known."""
    if not points:
        return None
    times, values = np.array(points).T
    x = np.append(np.repeat(times, 2)[1:], times[-1])
    return Line(label, style, x, np.repeat(values, 2))


def _known(contents: ReportContents, key: str) -> list[tuple[float, float]]:
    """Returns when which value was known, the last one until the end."""
    points = [
        (float(record["seconds"] or 0), float(record[key] or 0))
        for record in contents.trace
        if record.get(key) is not None and record.get("seconds") is not None
    ]
    if points:
        points.append((float(contents.trace[-1]["seconds"] or 0), points[-1][1]))
    return points


def solver_plots(contents: ReportContents) -> str:
    """Draws objective and bound, and the gap, over time; empty without a trace."""
    both = [
        _steps("objective", "first", _known(contents, "objective")),
        _steps("bound", "second", _known(contents, "bound")),
    ]
    distance = [_steps("gap", "first", _known(contents, "gap"))]
    plots = [
        line_plot(
            [line for line in lines if line],
            title,
            "seconds",
            as_percent=title == "Gap",
            from_zero=title == "Gap",
        )
        for title, lines in (("Objective and bound", both), ("Gap", distance))
        if any(lines)
    ]
    return f'<div class="plots">{"".join(plots)}</div>' if plots else ""


def solver_section(contents: ReportContents) -> str:
    """Returns the section; empty where nothing is known of the solve."""
    facts = contents.solver
    if not facts:
        return ""
    known = [
        (words, show(facts[key]))
        for key, (words, show) in _ENTRIES.items()
        if key in facts
    ]
    other = [(k, number(v)) for k, v in facts.items() if k not in _ENTRIES]
    lead = (
        "Which features to keep and which of them describe each class is one quadratic "
        "program. No choice is better than the bound; the gap is how much better one "
        "could be. Pairs of features more alike than ε cost something together."
    )
    body = solver_plots(contents) + definition_list(known + other)
    return section("solver", "Choosing the features", lead, body)
