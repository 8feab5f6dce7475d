"""Chips: a feature's name on a patch of its colour, leading to its card."""

from collections.abc import Sequence

import numpy as np

from qpm_jax.explain.colours import hex_code, lettering, palette
from qpm_jax.explain.contents import ReportContents
from qpm_jax.explain.markup import MISSING, escape


def chip(index: int, label: str, channel: int) -> str:
    """Returns the chip of a feature.

    Args:
        index: column of the assignment, which decides the colour.
        label: what it says; the page's script changes it with the feature's name.
        channel: of the backbone.
    """
    colour = palette(index + 1)[index]
    style = f"background:{hex_code(colour)};color:{lettering(colour)}"
    return (
        f'<a class="chip" href="#feature-{index}" style="{style}" '
        f'data-label="{index}" title="feature {channel}">{escape(label)}</a>'
    )


def feature_chips(contents: ReportContents, features: Sequence[int]) -> str:
    """Returns the chips of features, by name or number, or a dash."""
    channels, labels = np.asarray(contents.selected), contents.short_labels
    made = (chip(f, labels[f], int(channels[f])) for f in features)
    return " ".join(made) or MISSING
