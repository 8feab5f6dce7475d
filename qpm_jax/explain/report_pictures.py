"""The report's sections with photos: classes most alike, and feature cards.

Pairs follow the published grid (docs/formulas.md, Contrastive pictures): two rows, one
a class; the photo, the features only the first class has, those both have, those only
the second has.
"""

import numpy as np
from jaxtyping import Float, UInt8

from qpm_jax.explain.attributes import (
    AttributeFit,
    aligned_attributes,
    telling_attributes,
)
from qpm_jax.explain.colours import hex_code, palette
from qpm_jax.explain.contents import ClassExamples, FeatureExamples, ReportContents
from qpm_jax.explain.contrast import (
    ClassContrast,
    class_contrast,
    most_alike_pairs,
    spread_pairs,
)
from qpm_jax.explain.figures import data_uri
from qpm_jax.explain.markup import chip, escape, plural, section
from qpm_jax.explain.saliency import overlay, relative_strength, saliency_maps


def feature_label(contents: ReportContents, feature: int) -> str:
    """Returns a feature's name: the one a person gave, or its channel number."""
    channel = int(np.asarray(contents.selected)[feature])
    return contents.feature_names.get(channel, str(channel))


def chips(contents: ReportContents, features: tuple[int, ...]) -> str:
    """Returns the chips of features, or a dash."""
    if not features:
        return "–"
    return " ".join(chip(f, feature_label(contents, f)) for f in features)


def _picture(image: UInt8[np.ndarray, "H W 3"], text: str) -> str:
    height, width = image.shape[:2]
    return (
        f'<img src="{data_uri(image)}" alt="{escape(text)}" '
        f'width="{width}" height="{height}" loading="lazy">'
    )


def _painted(
    examples: ClassExamples, labels: list[int], features: tuple[int, ...]
) -> UInt8[np.ndarray, "r H W 3"]:
    """The example images of a few classes with some features laid over them."""
    images = np.asarray(examples.images)[labels]
    maps = np.asarray(examples.maps)[labels][..., list(features)]
    maps = np.moveaxis(maps, -1, 1)
    strength = relative_strength(maps.mean(axis=(-2, -1)), axis=0)
    height, width = images.shape[1:3]
    colours = palette(maps.shape[1] and max(features) + 1)[list(features)]
    return overlay(images, saliency_maps(maps, strength, height, width), colours)


def _pair_grid(contents: ReportContents, pair: ClassContrast) -> str:
    examples = contents.class_examples
    labels = [pair.first, pair.second]
    if examples is None or not np.asarray(examples.known)[labels].all():
        return ""
    groups = (
        ("only A", pair.only_first),
        ("shared", pair.shared),
        ("only B", pair.only_second),
    )
    columns = [("photo", np.asarray(examples.images)[labels])] + [
        (word, _painted(examples, labels, features))
        for word, features in groups
        if features
    ]
    heads = "".join(f"<span>{word}</span>" for word, _ in columns)
    rows = []
    for place, label in enumerate(labels):
        name, letter = str(contents.class_names[label]), "AB"[place]
        pictures = "".join(
            _picture(pictures[place], f"{name}: {word}") for word, pictures in columns
        )
        rows.append(
            f'<div class="rowname">{_letter(letter)}<span>{escape(name)}</span></div>'
            f'<div class="photos">{pictures}</div>'
        )
    return (
        f'<div class="pairgrid"><div class="heads">{heads}</div>{"".join(rows)}</div>'
    )


def _letter(letter: str) -> str:
    return f'<b class="letter">{letter}</b>'


def _attribute_sentence(contents: ReportContents, pair: ClassContrast) -> str:
    if contents.class_attributes is None:
        return ""
    named = [
        ", ".join(escape(contents.attribute_names[a]) for a in attributes)
        for attributes in telling_attributes(
            contents.class_attributes, pair.first, pair.second
        )
    ]
    sides = [
        f'<span class="side">{_letter(letter)} {text}</span>'
        for letter, text in zip("AB", named, strict=True)
        if text
    ]
    if not sides:
        return ""
    return (
        '<p class="note"><span class="muted">By the data set’s own attributes:</span> '
        f"{''.join(sides)}</p>"
    )


def _pair_card(contents: ReportContents, pair: ClassContrast) -> str:
    first, second = (escape(contents.class_names[c]) for c in (pair.first, pair.second))
    legend = "".join(
        f"<div><dt>{words}</dt><dd>{chips(contents, features)}</dd></div>"
        for words, features in (
            (f"only {_letter('A')}", pair.only_first),
            ("shared", pair.shared),
            (f"only {_letter('B')}", pair.only_second),
        )
    )
    return (
        f'<article class="card pair"><h3>{first} <span class="muted">and</span> '
        f"{second}</h3>{_pair_grid(contents, pair)}"
        f'<dl class="split">{legend}</dl>'
        f"{_attribute_sentence(contents, pair)}</article>"
    )


def pairs_section(contents: ReportContents) -> str:
    """Returns the section on the classes most alike; empty with a single class."""
    ranked = most_alike_pairs(contents.assignment, contents.class_similarity)
    pairs = spread_pairs(ranked, contents.num_pairs, appearances=1).tolist()
    if not pairs:
        return ""
    cards = [
        _pair_card(contents, class_contrast(contents.assignment, first, second))
        for first, second in pairs
    ]
    lead = (
        "The pairs of classes that share the most features, and the few features that "
        "tell them apart. Each feature keeps its colour; the stronger the colour, the "
        "more the feature is active at that place."
    )
    body = f'<div class="pairs">{"".join(cards)}</div>'
    return section("alike", "Classes most alike", lead, body)


def _feature_overlays(
    examples: FeatureExamples, feature: int
) -> tuple[list[int], UInt8[np.ndarray, "t H W 3"]]:
    labels = np.asarray(examples.labels)[feature]
    found = labels >= 0
    images = np.asarray(examples.images)[feature][found]
    maps: Float[np.ndarray, "t h w"] = np.asarray(examples.maps)[feature][found]
    if not found.any():
        return [], images
    strength = relative_strength(maps.mean(axis=(-2, -1)), axis=0)
    shown = saliency_maps(maps, strength, *images.shape[1:3])[:, None]
    colour = palette(feature + 1)[feature : feature + 1]
    return labels[found].tolist(), overlay(images, shown, colour)


def _alignment_note(contents: ReportContents, fits: tuple[AttributeFit, ...]) -> str:
    if not fits:
        return ""
    values = np.asarray(contents.class_attributes)
    scale = 100 / max(float(np.abs(values).max()), 1e-12)
    text = "; ".join(
        f"{escape(contents.attribute_names[fit.attribute])} "
        f'<span class="muted">({scale * fit.inside:.0f}\u00a0% of its classes, '
        f"{scale * fit.outside:.0f}\u00a0% of the others)</span>"
        for fit in fits
    )
    return f'<p class="note"><span class="muted">Goes with</span> {text}</p>'


def _card_title(contents: ReportContents, feature: int) -> str:
    """Channel number, after the name where a person gave one."""
    channel = int(np.asarray(contents.selected)[feature])
    if channel not in contents.feature_names:
        return f"Feature {channel}"
    name = escape(contents.feature_names[channel])
    return f'{name} <span class="muted">· feature {channel}</span>'


def _feature_card(
    contents: ReportContents, feature: int, fits: tuple[AttributeFit, ...]
) -> str:
    names = contents.class_names
    users = np.flatnonzero(np.asarray(contents.assignment)[:, feature]).tolist()
    figures = ""
    if contents.feature_examples is not None:
        labels, pictures = _feature_overlays(contents.feature_examples, feature)
        figures = "".join(
            f"<figure>{_picture(picture, str(names[label]))}"
            f"<figcaption>{escape(names[label])}</figcaption></figure>"
            for label, picture in zip(labels, pictures, strict=True)
        )
    colour = hex_code(palette(feature + 1)[feature])
    describes = ", ".join(escape(names[label]) for label in users) or "no class"
    strip = f'<div class="strip">{figures}</div>' if figures else ""
    return (
        f'<article class="card feature" id="feature-{feature}" '
        f'style="--feature:{colour}"><h3>{_card_title(contents, feature)}'
        f'<span class="muted"> · {plural(len(users), "class", "classes")}</span></h3>'
        f'{strip}<p class="note"><span class="muted">Describes</span> {describes}</p>'
        f"{_alignment_note(contents, fits)}</article>"
    )


def features_section(contents: ReportContents) -> str:
    """Returns the feature cards, in the order of the channels."""
    num_features = np.shape(contents.assignment)[1]
    fits: tuple[tuple[AttributeFit, ...], ...] = ((),) * num_features
    if contents.class_attributes is not None:
        fits = aligned_attributes(contents.assignment, contents.class_attributes)
    cards = [_feature_card(contents, f, fits[f]) for f in range(num_features)]
    lead = "Every feature by its number in the backbone, with the classes it describes"
    if contents.feature_examples is None:
        lead += "."
    else:
        lead += " and the images that excite it most."
    return section(
        "features", "Features", lead, f'<div class="cards">{"".join(cards)}</div>'
    )
