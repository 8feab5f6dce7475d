"""One HTML page that shows a trained model to a person; it needs no network.

The page is a template with a style sheet, both package data, filled with sections.
A section whose contents are not given is left out, with its entry in the navigation.
"""

import re
from importlib import resources
from string import Template

import numpy as np

from qpm_jax.explain.contents import MetricRow, ReportContents
from qpm_jax.explain.contrast import most_alike_pairs, shared_counts
from qpm_jax.explain.curves import training_curves
from qpm_jax.explain.figures import assignment_picture
from qpm_jax.explain.markup import (
    definition_list,
    escape,
    gap,
    nested_facts,
    number,
    percent,
    plural,
    seconds,
    section,
)
from qpm_jax.explain.report_pictures import (
    features_section,
    pairs_section,
)

# Known entries of `solver`: the words for them and how their value is written.
_SOLVER_ENTRIES = {
    "solver": ("Solver", escape),
    "status": ("Status", lambda value: escape(str(value).replace("_", " "))),
    "objective": ("Objective", number),
    "bound": ("Upper bound", number),
    "gap": ("Gap", gap),
    "seconds": ("Time", seconds),
    "epsilon": ("Redundancy threshold ε", number),
    "penalised_pairs": ("Penalised pairs", number),
}


def headline(contents: ReportContents) -> str:
    """Returns the plain sentence on the model's size.

    Such as: 50 classes, each described by 5 of 50 features.
    """
    weights = np.asarray(contents.assignment).astype(bool)
    sizes = weights.sum(axis=1)
    low, high = int(sizes.min()), int(sizes.max())
    each = str(low) if low == high else f"{low} to {high}"
    classes = plural(len(weights), "class", "classes")
    return (
        f"{classes}, each described by {each} of {plural(weights.shape[1], 'feature')}."
    )


def _metric_cells(row: MetricRow, with_published: bool) -> str:
    show = percent if row.unit == "percent" else number
    arrow = {"higher": "↑", "lower": "↓", "": ""}[row.better]
    hint = f' <span class="muted" title="{row.better} is better">{arrow}</span>'
    note = f"<small>{escape(row.note)}</small>" if row.note else ""
    cells = [
        f'<th scope="row">{escape(row.label)}{hint if arrow else ""}{note}</th>',
        f"<td>{show(row.dense)}</td>",
        f'<td class="main">{show(row.qpm)}</td>',
    ]
    if with_published:
        cells.append(f"<td>{show(row.published)}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _metrics_section(contents: ReportContents) -> str:
    if not contents.metrics:
        return ""
    published = any(row.published is not None for row in contents.metrics)
    heads = ["Dense", "QPM", "Published"][: 3 if published else 2]
    head = "".join(f'<th scope="col">{word}</th>' for word in heads)
    rows = "".join(_metric_cells(row, published) for row in contents.metrics)
    body = (
        f'<div class="scroll"><table class="metrics"><thead><tr><td></td>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )
    return section("results", "Results", "", body)


def _training_section(contents: ReportContents) -> str:
    plots = training_curves(contents.history)
    if not plots:
        return ""
    lead = (
        "The dense model learns first; then the features are chosen and assigned, and "
        "the backbone is fine-tuned with the assignment fixed."
    )
    return section("training", "Training", lead, f'<div class="plots">{plots}</div>')


def _alike_sentence(contents: ReportContents) -> str:
    pairs = most_alike_pairs(contents.assignment, limit=1)
    if not len(pairs):
        return ""
    counts = shared_counts(contents.assignment)
    most = int(counts[pairs[0][0], pairs[0][1]])
    upper = np.triu_indices(len(counts), k=1)
    count = int((counts[upper] == most).sum())
    share = "shares" if count == 1 else "share"
    return f" {plural(count, 'pair')} of classes {share} {plural(most, 'feature')}."


def _assignment_section(contents: ReportContents) -> str:
    features = range(np.shape(contents.assignment)[1])
    channels = tuple(str(int(np.asarray(contents.selected)[f])) for f in features)
    picture = assignment_picture(contents.assignment, contents.class_names, channels)
    lead = (
        "The whole classifier: a class’s score is the sum of its coloured features. "
        "Classes with alike features are neighbours." + _alike_sentence(contents)
    )
    body = f'<div class="scroll">{picture}</div>'
    return section("assignment", "Features of every class", lead, body)


def _solver_section(contents: ReportContents) -> str:
    facts = contents.solver
    if not facts:
        return ""
    known = [
        (words, show(facts[key]))
        for key, (words, show) in _SOLVER_ENTRIES.items()
        if key in facts
    ]
    other = [(k, number(v)) for k, v in facts.items() if k not in _SOLVER_ENTRIES]
    lead = (
        "Which features to keep and which of them describe each class is one quadratic "
        "program. The bound says how much better any other choice could be."
    )
    return section(
        "solver", "Choosing the features", lead, definition_list(known + other)
    )


def _facts_section(contents: ReportContents) -> str:
    if not contents.facts:
        return ""
    body = (
        "<details><summary>Configuration, versions, seeds, hardware, durations"
        f'</summary><div class="facts">{nested_facts(contents.facts)}</div></details>'
    )
    return section("run", "This run", "", body)


def _navigation(body: str) -> str:
    found = re.findall(r'<section id="(\w+)"><h2>(.*?)</h2>', body)
    return "".join(f'<a href="#{anchor}">{title}</a>' for anchor, title in found)


def _resource(name: str) -> str:
    package = resources.files("qpm_jax.explain")
    return package.joinpath(name).read_text(encoding="utf-8")


def build_report(contents: ReportContents) -> str:
    """Builds the page.

    Args:
        contents: what there is to show.

    Returns:
        A complete HTML document with its style, pictures and curves inside.
    """
    body = "\n".join(
        filter(
            None,
            (
                _metrics_section(contents),
                _training_section(contents),
                _assignment_section(contents),
                pairs_section(contents),
                features_section(contents),
                _solver_section(contents),
                _facts_section(contents),
            ),
        )
    )
    summary = escape(contents.summary)
    return Template(_resource("report.html")).substitute(
        title=escape(contents.title),
        style=_resource("report.css"),
        headline=escape(headline(contents)),
        summary=f"<p>{summary}</p>" if summary else "",
        navigation=_navigation(body),
        body=body,
    )
