"""Every class on a small card, with a search over names and features."""

import numpy as np

from qpm_jax.explain.chips import feature_chips
from qpm_jax.explain.contents import ReportContents
from qpm_jax.explain.contrast import as_assignment, shared_counts
from qpm_jax.explain.markup import escape, folding, section, view

# So many cards are shown before the reader asks for all.
_FIRST = 18
_NEAREST = 2


def nearest_classes(contents: ReportContents, count: int = _NEAREST) -> np.ndarray:
    """Returns for every class those it shares most features with, most alike first."""
    counts = shared_counts(contents.assignment).astype(np.float64)
    if contents.class_similarity is not None:
        # Less than one feature, so that similarity only settles ties.
        counts += 0.5 * np.clip(contents.class_similarity, 0, 1)
    np.fill_diagonal(counts, -np.inf)
    return np.argsort(-counts, axis=1, kind="stable")[:, : min(count, len(counts) - 1)]


def _card(contents: ReportContents, label: int, nearest: list[int], rest: bool) -> str:
    name = contents.class_names[label]
    features = np.flatnonzero(as_assignment(contents.assignment)[label]).tolist()
    shown = "" if contents.examples is None else view(str(name), **{"class": label})
    links = ", ".join(
        f'<a href="#compare" data-pair="{label},{other}">'
        f"{escape(contents.class_names[other])}</a>"
        for other in nearest
    )
    like = f'<p class="note"><span class="muted">Compare with</span> {links}</p>'
    return (
        f'<article class="card class{" rest" if rest else ""}" id="class-{label}">'
        f'{shown}<div><div class="about"><h3>{escape(name)}</h3>'
        f"<p>{feature_chips(contents, features)}</p></div>{like if links else ''}</div>"
        "</article>"
    )


def classes_section(contents: ReportContents) -> str:
    """Returns the searchable list of classes."""
    nearest = nearest_classes(contents).tolist()
    count = len(contents.class_names)
    cards = "".join(
        _card(contents, label, nearest[label], label >= _FIRST)
        for label in range(count)
    )
    search = (
        '<div class="searching live-only"><label for="search">Search classes by name '
        'or feature</label><input id="search" type="search" autocomplete="off" '
        'spellcheck="false"><span id="found" role="status" class="muted"></span></div>'
    )
    body = (
        f'{search}<div class="classes foldable" id="class-list">{cards}</div>'
        f"{folding('class-list', count, _FIRST, 'classes')}"
    )
    lead = (
        "Every class with the features that describe it. A chip leads to the feature."
    )
    return section("classes", "Classes", lead, body)
