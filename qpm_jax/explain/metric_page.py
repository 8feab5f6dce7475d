"""The results: the table of metrics, and what is behind them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qpm_jax.explain.attributes import readable
from qpm_jax.explain.chips import feature_chips
from qpm_jax.explain.contents import MetricRow, ReportContents
from qpm_jax.explain.curves import Line, line_plot
from qpm_jax.explain.markup import (
    MISSING,
    escape,
    folding,
    number,
    percent,
    section,
    signed,
)

_FIRST = 10


def _metric_cells(row: MetricRow, with_published: bool) -> str:
    show = percent if row.unit == "percent" else number
    arrow = {"higher": "↑", "lower": "↓", "": ""}[row.better]
    hint = (
        f' <span class="muted" title="{row.better} is better" '
        f'aria-label="{row.better} is better" role="img">{arrow}</span>'
    )
    note = f"<small>{escape(row.note)}</small>" if row.note else ""
    cells = [
        f'<th scope="row">{escape(row.label)}{hint if arrow else ""}{note}</th>',
        f"<td>{show(row.dense)}</td>",
        f'<td class="main">{show(row.qpm)}</td>',
    ]
    if with_published:
        cells.append(f"<td>{show(row.published)}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def results_section(contents: ReportContents) -> str:
    """Returns the table of metrics, with the published values where some are known."""
    if not contents.metrics:
        return ""
    published = any(row.published is not None for row in contents.metrics)
    heads = ["Dense", "QPM", "Published"][: 3 if published else 2]
    head = "".join(f'<th scope="col">{word}</th>' for word in heads)
    rows = "".join(_metric_cells(row, published) for row in contents.metrics)
    note = ""
    if published and contents.published_setting:
        words = contents.published_setting
        note = f'<p class="note muted">{escape(words[:1].upper() + words[1:])}.</p>'
    table = (
        f'<table class="metrics"><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    return section("results", "Results", "", _scroll("Metrics", table) + note)


def details_section(contents: ReportContents) -> str:
    """Returns what is behind the metrics; empty where nothing is known."""
    blocks = (
        _faithfulness(contents.details),
        _plausibility(contents.details),
        _confusions(contents),
        _meanings(contents),
    )
    return section("details", "Behind the results", "", "".join(blocks)) * any(blocks)


def _scroll(words: str, table: str) -> str:
    """A table that is too wide scrolls in its own box, by keyboard too."""
    reach = f'tabindex="0" role="group" aria-label="{words}"'
    return f'<div class="scroll" {reach}>{table}</div>'


def _table(
    words: str, heads: Sequence[str], rows: Sequence[str], identity: str = ""
) -> str:
    """Returns a table; heads are plain text and rows are HTML."""
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in heads)
    anchor = f' id="{identity}"' if identity else ""
    return _scroll(
        words,
        f'<table class="listing foldable"{anchor}><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>",
    )


def _cells(*cells: str, rest: bool = False) -> str:
    kind = ' class="rest"' if rest else ""
    return f"<tr{kind}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _block(title: str, lead: str, body: str) -> str:
    return f'<h3 class="block">{title}</h3><p class="lead">{lead}</p>{body}'


def _faithfulness(details: Mapping[str, Mapping[str, Any]]) -> str:
    known = {
        name: details.get(name, {}).get("faithfulness") for name in ("qpm", "dense")
    }
    qpm = known["qpm"]
    if not qpm:
        return ""
    plots = []
    for key, title, x_label in (
        ("deletion", "Deletion", "places blanked, most important first, %"),
        ("insertion", "Insertion", "places shown, most important first, %"),
    ):
        curves = [("QPM", "first", qpm[key])]
        if known["dense"]:
            curves.append(("dense", "second", known["dense"][key]))
        if key == "deletion":
            curves.append(("QPM, random order", "first held", qpm["random"]))
        lines = [
            Line(label, style, np.linspace(0, 100, len(y)), np.asarray(y, np.float64))
            for label, style, y in curves
        ]
        plots.append(line_plot(lines, title, x_label, as_percent=True))
    lead = (
        "Probability of the predicted class on "
        f"{int(qpm['images']):,} test images as the places its explanation names are "
        "taken away, or are all that is left. An explanation that tells the truth "
        "falls early and rises early."
    )
    return _block("Faithfulness", lead, f'<div class="plots">{"".join(plots)}</div>')


def _plausibility(details: Mapping[str, Mapping[str, Any]]) -> str:
    qpm = details.get("qpm", {}).get("plausibility")
    if not qpm:
        return ""
    dense = details.get("dense", {}).get("plausibility") or {}
    rows = [
        _cells(
            escape(mask),
            percent(dense.get(mask, {}).get("share")),
            percent(values["share"]),
            percent(values["by_chance"]),
        )
        for mask, values in qpm.items()
    ]
    lead = (
        "Share of the class’s activation on the object and its parts. By chance is "
        "what a map that is even everywhere gets."
    )
    heads = ("Where", "Dense", "QPM", "By chance")
    return _block("Plausibility", lead, _table("Plausibility", heads, rows))


def _confusions(contents: ReportContents) -> str:
    listed = contents.details.get("qpm", {}).get("confusions")
    if not listed:
        return ""
    rows = [_confusion(contents, e, i >= _FIRST) for i, e in enumerate(listed)]
    lead = (
        "Which test images were given a wrong class, and what each feature added to "
        "the wrong class’s lead. What both classes have, or neither, adds nothing."
    )
    heads = (
        "Taken for",
        "Images",
        "Share of the class",
        "Lead",
        "Led there",
        "Against",
    )
    table = _table("Confusions", heads, rows, "confusion-list")
    more = folding("confusion-list", len(rows), _FIRST, "confusions")
    return _block("Confusions explained", lead, table + more)


def _confusion(contents: ReportContents, entry: Mapping[str, Any], rest: bool) -> str:
    place = {str(name): i for i, name in enumerate(contents.class_names)}
    pair = place.get(entry["class"]), place.get(entry["taken_for"])
    words = (
        f'{escape(entry["class"])} <span class="muted">as</span> '
        f"{escape(entry['taken_for'])}"
    )
    if None not in pair:
        words = f'<a href="#compare" data-pair="{pair[0]},{pair[1]}">{words}</a>'
    column = {str(c): f for f, c in enumerate(np.asarray(contents.selected).tolist())}
    sides: dict[bool, list[str]] = {True: [], False: []}
    for channel, value in entry["features"].items():
        shown = feature_chips(contents, (column[channel],))
        sides[value > 0].append(f'<span class="signed">{shown} {signed(value)}</span>')
    return _cells(
        words,
        number(entry["images"]),
        percent(entry["share"]),
        f"{entry['lead']:.2f}".replace("-", "−"),
        *(" ".join(sides[side]) or MISSING for side in (True, False)),
        rest=rest,
    )


def _meanings(contents: ReportContents) -> str:
    known = contents.details.get("qpm", {}).get("features")
    if not known:
        return ""
    column = {str(c): f for f, c in enumerate(np.asarray(contents.selected).tolist())}
    keys = ("monosemanticity", "local_monosemanticity")
    if all(v.get(key) is None for v in known.values() for key in (*keys, "lift")):
        return ""
    uses = np.asarray(contents.assignment).sum(axis=0)
    ordered = sorted(known.items(), key=lambda item: -(item[1].get(keys[0]) or 0))
    rows = [
        _cells(
            feature_chips(contents, (column[channel],)),
            number(uses[column[channel]]),
            percent(values.get(keys[0])),
            percent(values.get(keys[1])),
            escape(readable(values.get("attribute") or MISSING)),
            percent(values.get("lift")),
            rest=place >= _FIRST,
        )
        for place, (channel, values) in enumerate(ordered)
        if channel in column
    ]
    lead = (
        "Monosemanticity: how alike the classes are that have the feature, over all "
        "classes and among look-alikes; 50\u00a0% by chance. Alignment: how much more "
        "active the feature is where its best attribute is present."
    )
    heads = (
        "Feature",
        "Classes",
        "Over all",
        "Look-alikes",
        "Best attribute",
        "Alignment",
    )
    more = folding("feature-list", len(rows), _FIRST, "features")
    table = _table("Features", heads, rows, "feature-list")
    return _block("What single features stand for", lead, table + more)
