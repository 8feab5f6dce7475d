"""One HTML page that shows a trained model to a person; it needs no network.

The page is a template with a style sheet and a script, all package data, filled with
sections. A section whose contents are not given is left out, with its entry in the
navigation. A policy in the page itself forbids every request and every other script.
"""

import base64
import hashlib
import re
from importlib import resources
from string import Template

import numpy as np

from qpm_jax.explain.class_graph import graph_section
from qpm_jax.explain.class_list import classes_section
from qpm_jax.explain.contents import ReportContents
from qpm_jax.explain.contrast import most_alike_pairs, shared_counts
from qpm_jax.explain.curves import training_curves
from qpm_jax.explain.feature_cards import features_section
from qpm_jax.explain.figures import assignment_picture
from qpm_jax.explain.markup import escape, nested_facts, plural, section
from qpm_jax.explain.metric_page import details_section, results_section
from qpm_jax.explain.page_data import as_script, page_data
from qpm_jax.explain.pair_page import compare_section, neighbours_section
from qpm_jax.explain.solver_page import solver_section

# In the order they build on each other; the browser gets them as one.
_SCRIPTS = ("overlay.js", "pairs.js", "report.js")


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
    picture = assignment_picture(
        contents.assignment, contents.class_names, contents.short_labels
    )
    lead = (
        "The whole classifier: a class’s score is the sum of its coloured features. "
        "Classes with alike features are neighbours." + _alike_sentence(contents)
    )
    body = (
        '<div class="scroll" tabindex="0" role="group" '
        f'aria-label="Features of every class">{picture}</div>'
    )
    return section("assignment", "Features of every class", lead, body)


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


def _photo_ratio(contents: ReportContents) -> str:
    """Returns the style that gives photos their room before they are drawn."""
    if contents.examples is None:
        return ""
    height, width = np.shape(contents.examples.images)[1:3]
    return f' style="--ratio:{width}/{height}"'


def _resource(name: str) -> str:
    package = resources.files("qpm_jax.explain")
    return package.joinpath(name).read_text(encoding="utf-8")


def _fingerprint(script: str) -> str:
    """Returns what the page's policy calls the one script that may run."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


_SECTIONS = (
    results_section,
    details_section,
    classes_section,
    compare_section,
    neighbours_section,
    graph_section,
    features_section,
    _assignment_section,
    solver_section,
    _training_section,
    _facts_section,
)


def build_report(contents: ReportContents) -> str:
    """Builds the page.

    Args:
        contents: what there is to show.

    Returns:
        A complete HTML document with its style, script, pictures and curves inside.
    """
    body = "\n".join(filter(None, (make(contents) for make in _SECTIONS)))
    script = "\n" + "\n".join(map(_resource, _SCRIPTS))
    summary = escape(contents.summary)
    return Template(_resource("report.html")).substitute(
        title=escape(contents.title),
        style=_resource("report.css"),
        headline=escape(headline(contents)),
        summary=f"<p>{summary}</p>" if summary else "",
        navigation=_navigation(body),
        ratio=_photo_ratio(contents),
        body=body,
        data=as_script(page_data(contents)),
        script=script,
        fingerprint=_fingerprint(script),
    )
