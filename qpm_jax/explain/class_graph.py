"""The class graph: classes that differ in exactly one feature are neighbours."""

import numpy as np
from jaxtyping import Bool, Float

from qpm_jax.explain.colours import hex_code, palette
from qpm_jax.explain.contents import ReportContents
from qpm_jax.explain.contrast import class_contrast, pairs_one_apart
from qpm_jax.explain.graph_layout import graph_layout
from qpm_jax.explain.markup import escape, plural, section, shorten

_WIDTH = 1032.0
_PADDING, _HEIGHT = 22.0, 24.0
# About how wide letters are at 12 px; the others are as wide as an "a".
_WIDE, _NARROW = frozenset("mwMW@%"), frozenset("fijlrtI .,'-()")
_WIDTHS = {"wide": 11.0, "narrow": 4.6, "other": 7.3}
_LONGEST = 26
_DOT = 5.0


def class_neighbours(pairs: np.ndarray, num_classes: int) -> Bool[np.ndarray, "C C"]:
    """Returns which classes are neighbours, from the pairs that are."""
    adjacent = np.zeros((num_classes, num_classes), bool)
    adjacent[pairs[:, 0], pairs[:, 1]] = True
    return adjacent | adjacent.T


def _label_sizes(names: list[str]) -> Float[np.ndarray, "C 2"]:
    return np.array([(_PADDING + sum(map(_advance, n)), _HEIGHT) for n in names])


def _advance(letter: str) -> float:
    kind = "wide" if letter in _WIDE else "narrow" if letter in _NARROW else "other"
    return _WIDTHS[kind]


def _seen(
    ends: Float[np.ndarray, "2 2"], sizes: Float[np.ndarray, "2 2"]
) -> tuple[float, float]:
    """Returns where a line leaves its first label and meets its second, in 0..1."""
    reach = np.abs(ends[1] - ends[0])
    hidden = [float(np.min(size / 2 / np.maximum(reach, 1e-9))) for size in sizes]
    return hidden[0], 1 - hidden[1]


def _edge(
    contents: ReportContents,
    first: int,
    second: int,
    centres: Float[np.ndarray, "C 2"],
    sizes: Float[np.ndarray, "C 2"],
) -> str:
    """A line with the colours of the telling features, each nearer to its class."""
    pair = class_contrast(contents.assignment, first, second)
    (x0, y0), (x1, y1) = centres[first], centres[second]
    start, end = _seen(centres[[first, second]], sizes[[first, second]])
    # The dots touch in the middle of what is seen of the line.
    middle, step = (start + end) / 2, _DOT / max(float(np.hypot(x1 - x0, y1 - y0)), 1.0)
    colours = palette(np.shape(contents.assignment)[1])
    dots = "".join(
        f'<circle cx="{x0 + share * (x1 - x0):.1f}" cy="{y0 + share * (y1 - y0):.1f}" '
        f'r="{_DOT:g}" fill="{hex_code(colours[feature])}"/>'
        for share, own in (
            (middle - step, pair.only_first),
            (middle + step, pair.only_second),
        )
        for feature in own
    )
    names, labels = contents.class_names, contents.labels
    sides = [
        f"{escape(names[label])}: {escape(', '.join(labels[f] for f in own) or 'none')}"
        for label, own in ((first, pair.only_first), (second, pair.only_second))
    ]
    path = f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"
    return (
        f'<a href="#compare" data-pair="{first},{second}" data-ends="{first},{second}" '
        f'tabindex="-1"><title>Only {"; only ".join(sides)}</title>'
        f'<path class="reach" d="{path}"/><path class="edge" d="{path}"/>{dots}</a>'
    )


def _node(name: str, shown: str, label: int, centre: np.ndarray, width: float) -> str:
    x, y = centre
    return (
        f'<a href="#class-{label}" data-node="{label}"><title>{escape(name)}</title>'
        f'<rect x="{x - width / 2:.1f}" y="{y - _HEIGHT / 2:.1f}" width="{width:.1f}" '
        f'height="{_HEIGHT:g}" rx="12"/>'
        f'<text x="{x:.1f}" y="{y + 4.2:.1f}">{escape(shown)}</text></a>'
    )


def graph_picture(contents: ReportContents) -> str:
    """Draws the classes that have neighbours; empty where none has."""
    count = len(contents.class_names)
    pairs = pairs_one_apart(contents.assignment, contents.class_similarity)
    if not len(pairs):
        return ""
    names = [str(name) for name in contents.class_names]
    shown = [shorten(name, _LONGEST) for name in names]
    sizes = _label_sizes(shown)
    layout = graph_layout(class_neighbours(pairs, count), sizes, _WIDTH)
    placed = np.flatnonzero(~np.isnan(layout.centres[:, 0])).tolist()
    edges = (_edge(contents, i, j, layout.centres, sizes) for i, j in pairs.tolist())
    nodes = (
        _node(names[i], shown[i], i, layout.centres[i], sizes[i, 0]) for i in placed
    )
    box = f"-1 -1 {layout.width + 2:.0f} {layout.height + 2:.0f}"
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="Class graph">'
        f'<svg class="graph" viewBox="{box}" style="--width:{layout.width + 2:.0f}">'
        f"{''.join(edges)}{''.join(nodes)}</svg></div>"
    )


def graph_section(contents: ReportContents) -> str:
    """Returns the section; empty where no two classes differ in one feature only."""
    picture = graph_picture(contents)
    if not picture:
        return ""
    pairs = pairs_one_apart(contents.assignment)
    alone = np.setdiff1d(np.arange(len(contents.class_names)), pairs)
    lead = (
        "Lines join classes that differ in a single feature; the two dots on a line "
        "are the colours of the features that tell them apart, each on the side of its "
        "class. A line leads to the comparison, a name to the class."
    )
    rest = ", ".join(
        f'<a href="#class-{i}">{escape(contents.class_names[i])}</a>'
        for i in alone.tolist()
    )
    classes = plural(len(alone), "class has", "classes have")
    note = f'<p class="note muted">{classes} no neighbour that close: {rest}.</p>'
    return section("graph", "Class graph", lead, picture + (note if rest else ""))
