"""Where the features of one explanation look in its photo.

Within one image there is no other image to compare a map with, as the published
pictures do (docs/formulas.md, Contrastive pictures). What the features of an image can
be compared by is what they add to a class's score, the normalised value z: the root of
it, relative to the strongest feature, is how strongly a map is painted, so a feature
that adds nothing is not painted at all.
"""

from collections.abc import Sequence

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, UInt8

from qpm_jax.datasets.image_files import Fit
from qpm_jax.explain.colours import palette
from qpm_jax.explain.saliency import overlay, saliency_maps

# A photo in which no feature is this far above its mean shows only faint colours.
_STRONG = 1.0
# Where each feature has a picture of its own there is more room for colour than in
# the published grids, which saturate by 3 and cover 0.7.
_GAMMA, _COVER = 2.0, 0.85


def contribution_strength(
    values: Float[ArrayLike, " n"],
) -> Float[np.ndarray, " n"]:
    """Compares how much the features of one image add to a score.

    Args:
        values: normalised values z of all features.

    Returns:
        sqrt(z / max(1, largest z)) in [0, 1]; 0 where z is not positive.
    """
    positive = np.maximum(np.asarray(values, np.float64), 0.0)
    return np.sqrt(positive / max(_STRONG, float(positive.max(initial=0.0))))


def paint_features(
    photo: UInt8[ArrayLike, "H W 3"],
    maps: Float[ArrayLike, "h w n"],
    values: Float[ArrayLike, " n"],
    groups: Sequence[Sequence[int]],
) -> UInt8[np.ndarray, "g H W 3"]:
    """Paints groups of features over copies of the grey photo.

    Args:
        photo: RGB bytes.
        maps: the maps of all n features, over the whole photo.
        values: their normalised values z.
        groups: features of each picture; one number each gives a picture a feature.

    Returns:
        RGB bytes, one picture a group; every feature has its colour of `palette`.

    Raises:
        ValueError: if `maps` and `values` differ in n.
    """
    photo, maps = np.asarray(photo), np.asarray(maps, np.float64)
    strength = contribution_strength(values)
    if maps.ndim != 3 or maps.shape[-1] != len(strength):
        raise ValueError(
            f"maps has shape {maps.shape}; {len(strength)} values need "
            f"[h, w, {len(strength)}]"
        )
    height, width = photo.shape[:2]
    used = sorted({feature for group in groups for feature in group})
    place = {feature: index for index, feature in enumerate(used)}
    layers = np.moveaxis(maps[..., used], -1, 0)
    shown = saliency_maps(layers, strength[used], height, width, _GAMMA)
    colours = palette(len(strength))[used]
    pictures = np.empty((len(groups), height, width, 3), np.uint8)
    for index, group in enumerate(groups):
        rows = [place[feature] for feature in group]
        pictures[index] = overlay(photo, shown[rows], colours[rows], _COVER)
    return pictures


def shown_size(
    size: tuple[int, int], image_size: tuple[int, int], fit: Fit, longest: int
) -> tuple[int, int]:
    """Returns the size at which to show what the network sees of a photo.

    Stretching changes the shape of a photo for the network only; its maps cover the
    whole photo, so that can be shown as it was taken. Of a cropped photo the network
    sees a part, in its own proportions.

    Args:
        size: (height, width) of the photo.
        image_size: (height, width) the network sees.
        fit: how the photo is brought to `image_size`.
        longest: the longer side wanted, in pixels.
    """
    height, width = size if fit == "stretch" else image_size
    scale = longest / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))
