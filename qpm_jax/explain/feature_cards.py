"""Feature cards: what excites a feature, whom it describes, and a name for it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from qpm_jax.explain.attributes import AttributeFit, aligned_attributes, readable
from qpm_jax.explain.colours import hex_code, palette
from qpm_jax.explain.contents import ReportContents
from qpm_jax.explain.markup import escape, percent, plural, section, view
from qpm_jax.explain.names import LONGEST_NAME


def _strip(contents: ReportContents, feature: int) -> str:
    """The photos that excite the feature most, with its map over them."""
    if contents.examples is None:
        return ""
    photos = np.asarray(contents.examples.of_feature)[feature].tolist()
    labels = np.asarray(contents.examples.labels)
    names = [str(contents.class_names[labels[p]]) if p >= 0 else "" for p in photos]
    figures = "".join(
        f"<figure>{view(f'{name}, where the feature is', feature=feature, place=i)}"
        f"<figcaption>{escape(name)}</figcaption></figure>"
        for i, name in enumerate(names)
        if name
    )
    return f'<div class="strip">{figures}</div>' if figures else ""


def _class_fits(contents: ReportContents, fits: tuple[AttributeFit, ...]) -> str:
    if not fits:
        return ""
    values = np.asarray(contents.class_attributes)
    scale = 100 / max(float(np.abs(values).max()), 1e-12)
    text = "; ".join(
        f"{escape(readable(contents.attribute_names[fit.attribute]))} "
        f'<span class="muted">({scale * fit.inside:.0f}\u00a0% of its classes, '
        f"{scale * fit.outside:.0f}\u00a0% of the others)</span>"
        for fit in fits
    )
    return _note("Its classes have", text)


def _note(words: str, text: str) -> str:
    return f'<p class="note"><span class="muted">{words}</span> {text}</p>'


def _measured(known: Mapping[str, Any]) -> str:
    """What the evaluation found about the feature."""
    notes = []
    if known.get("attribute") is not None and known.get("lift") is not None:
        lift = f'<span class="muted">(alignment {percent(known["lift"])})</span>'
        notes.append(
            _note(
                "Higher in images with",
                f"{escape(readable(known['attribute']))} {lift}",
            )
        )
    values = [
        f"{percent(known[key])} {words}"
        for key, words in (
            ("monosemanticity", "over all classes"),
            ("local_monosemanticity", "among look-alikes"),
        )
        if known.get(key) is not None
    ]
    if values:
        notes.append(_note("Monosemanticity", ", ".join(values)))
    return "".join(notes)


def _card(
    contents: ReportContents, feature: int, fits: tuple[AttributeFit, ...]
) -> str:
    channel = int(np.asarray(contents.selected)[feature])
    users = np.flatnonzero(np.asarray(contents.assignment)[:, feature]).tolist()
    measured = contents.details.get("qpm", {}).get("features", {})
    links = ", ".join(
        f'<a href="#class-{c}">{escape(contents.class_names[c])}</a>' for c in users
    )
    name = contents.feature_names.get(channel, "")
    naming = (
        '<label class="naming live-only">Name <input type="text" '
        f'value="{escape(name)}" data-names="{feature}" maxlength="{LONGEST_NAME}" '
        'autocomplete="off" placeholder="what does it see?"></label>'
    )
    given = f'<span class="given muted" data-given="{feature}">{escape(name)}</span>'
    return (
        f'<article class="card feature" id="feature-{feature}" '
        f'style="--feature:{hex_code(palette(feature + 1)[feature])}">'
        f'<h3>Feature {channel} {given} <span class="muted">· '
        f"{plural(len(users), 'class', 'classes')}</span></h3>{naming}"
        f"{_strip(contents, feature)}{_note('Describes', links or 'no class')}"
        f"{_measured(measured.get(str(channel), {}))}{_class_fits(contents, fits)}"
        "</article>"
    )


def features_section(contents: ReportContents) -> str:
    """Returns the feature cards, in the order of the channels."""
    num_features = np.shape(contents.assignment)[1]
    fits: tuple[tuple[AttributeFit, ...], ...] = ((),) * num_features
    if contents.class_attributes is not None:
        fits = aligned_attributes(contents.assignment, contents.class_attributes)
    cards = "".join(_card(contents, f, fits[f]) for f in range(num_features))
    lead = "Every feature by its number in the backbone, with the classes it describes"
    if contents.examples is not None:
        lead += " and the images that excite it most, of those classes first"
    naming = (
        '<div class="saving live-only"><button type="button" id="save-names">Save '
        'names.json</button><span id="names-state" role="status" class="muted"></span>'
        '<p class="note muted">Give a feature a name on its card and this page uses it '
        "everywhere. To keep the names, save the file into the <code>explain</code> "
        "folder of the run.</p></div>"
    )
    body = f'{naming}<div class="cards">{cards}</div>'
    return section("features", "Features", lead + ".", body)
