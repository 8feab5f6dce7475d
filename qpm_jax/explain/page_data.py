"""What the page's script needs to draw any pair of classes, as one compact JSON.

Photos are stored once each, maps as bytes small enough for all of them to fit; the
script lays them over the photos as `saliency` does.
"""

import base64
import json
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from qpm_jax.explain.attributes import readable
from qpm_jax.explain.colours import hex_code, lettering, palette
from qpm_jax.explain.contents import Examples, ReportContents
from qpm_jax.explain.contrast import as_assignment, most_alike_pairs, pairs_one_apart
from qpm_jax.explain.figures import data_uri
from qpm_jax.explain.saliency import resize, scale_to_unit

# All maps of all classes together; larger ones are made coarser to fit.
_MAP_BYTES = 4 * 2**20
_SMALLEST_MAP = 7
# Smallest difference of an attribute worth a mention, as a share of the range.
_TELLING = 0.3


def page_data(contents: ReportContents) -> dict[str, Any]:
    """Returns plain dicts, lists, numbers and strings of what the page shows."""
    weights = as_assignment(contents.assignment)
    pairs = ranked_pairs(contents)[:1].tolist()
    data: dict[str, Any] = {
        "classes": [str(name) for name in contents.class_names],
        "rows": [np.flatnonzero(row).tolist() for row in weights],
        "features": _features(contents),
        "confusions": _confusions(contents),
        "start": pairs[0] if pairs else [0, 0],
    }
    if contents.examples is not None:
        data["pictures"] = _pictures(contents.examples)
    if contents.class_similarity is not None:
        levels = np.clip(contents.class_similarity, 0, 1)
        data["similarity"] = {
            "name": contents.similarity_name,
            "values": _base64(np.rint(255 * levels)),
        }
    if contents.class_attributes is not None:
        data["attributes"] = {
            "names": [readable(name) for name in contents.attribute_names],
            "values": _base64(_levels(contents.class_attributes)),
            "least": 255 * _TELLING,
        }
    return data


def as_script(data: dict[str, Any]) -> str:
    """Writes data as JSON that can stand in a page: no tag can begin in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def ranked_pairs(contents: ReportContents) -> np.ndarray:
    """Returns the pairs one feature apart, or else those most alike; best first."""
    similarity = contents.class_similarity
    near = pairs_one_apart(contents.assignment, similarity)
    if len(near):
        return near
    return most_alike_pairs(contents.assignment, similarity)


def _features(contents: ReportContents) -> list[dict[str, Any]]:
    channels = np.asarray(contents.selected).tolist()
    return [
        {
            "channel": int(channel),
            "name": contents.feature_names.get(channel, ""),
            "colour": colour.tolist(),
            "code": hex_code(colour),
            "ink": lettering(colour),
        }
        for channel, colour in zip(channels, palette(len(channels)), strict=True)
    ]


def _confusions(contents: ReportContents) -> list[dict[str, int]]:
    place = {str(name): i for i, name in enumerate(contents.class_names)}
    listed = contents.details.get("qpm", {}).get("confusions", ())
    return [
        {
            "from": place[entry["class"]],
            "to": place[entry["taken_for"]],
            "images": entry["images"],
        }
        for entry in listed
        if entry["class"] in place and entry["taken_for"] in place
    ]


def _pictures(examples: Examples) -> dict[str, Any]:
    class_maps = np.moveaxis(np.asarray(examples.class_maps, np.float32), -1, 1)
    feature_maps = np.asarray(examples.feature_maps, np.float32)
    size = _map_size(class_maps.shape)
    return {
        "photos": [data_uri(image) for image in np.asarray(examples.images)],
        "photoSize": list(np.shape(examples.images)[1:3]),
        "ofClass": np.asarray(examples.of_class).tolist(),
        "featurePhotos": np.asarray(examples.of_feature).tolist(),
        "mapSize": list(size),
        "classMaps": _base64(_coarse(class_maps, size)),
        "classRoots": _roots(class_maps).ravel().tolist(),
        "featureMaps": _base64(_coarse(feature_maps, size)),
        "featureRoots": _roots(feature_maps).tolist(),
    }


def _map_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Returns height and width of the stored maps."""
    classes, features, height, width = shape
    shrink = np.sqrt(_MAP_BYTES / (classes * features * height * width))
    if shrink >= 1:
        return height, width
    small = [max(int(side * shrink), min(side, _SMALLEST_MAP)) for side in shape[2:]]
    return small[0], small[1]


def _coarse(
    maps: Float[np.ndarray, "A B h w"], size: tuple[int, int]
) -> UInt8[np.ndarray, "A B s t"]:
    """Scales each map to bytes, one leading entry after the other to save memory."""
    stored = np.empty((*maps.shape[:2], *size), np.uint8)
    for index, group in enumerate(maps):
        smaller = resize(group, *size) if size != group.shape[1:] else group
        stored[index] = np.rint(255 * scale_to_unit(smaller))
    return stored


def _roots(maps: Float[np.ndarray, "A B h w"]) -> Float[np.ndarray, "A B"]:
    """Square roots of the mean activations, with four digits."""
    roots = np.sqrt(np.maximum(maps.mean(axis=(2, 3), dtype=np.float64), 0))
    return np.array([[float(f"{value:.4g}") for value in row] for row in roots])


def _levels(values: Float[np.ndarray, "C A"]) -> Float[np.ndarray, "C A"]:
    values = np.asarray(values, np.float64)
    if not values.size:
        return values
    return np.rint(255 * (values - values.min()) / max(float(np.ptp(values)), 1e-12))


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(values.astype(np.uint8).tobytes()).decode("ascii")
