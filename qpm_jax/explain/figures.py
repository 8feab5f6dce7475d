"""Pictures for a page without network: images as data URIs, the assignment as SVG."""

import base64
import io

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Int, UInt8

from qpm_jax.explain.colours import hex_code, palette
from qpm_jax.explain.contrast import as_assignment
from qpm_jax.explain.markup import escape

# Small pictures are enlarged on the page: full colour resolution, mild compression.
_SMALL = 96
_SMALL_QUALITY = 90
_LARGE_QUALITY = 78


def data_uri(image: UInt8[ArrayLike, "H W 3"], lossless: bool = False) -> str:
    """Encodes an image into the page itself.

    Args:
        image: RGB bytes.
        lossless: PNG rather than JPEG.

    Returns:
        `data:image/...;base64,...`.

    Raises:
        ValueError: if `image` is not [H, W, 3] of uint8.
    """
    from PIL import Image

    array = np.asarray(image)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] != 3:
        raise ValueError(
            f"image is {array.dtype} {array.shape}; it must be uint8 [H, W, 3]"
        )
    picture, buffer = Image.fromarray(array), io.BytesIO()
    if lossless:
        picture.save(buffer, "PNG", optimize=True)
    elif max(array.shape[:2]) <= _SMALL:
        picture.save(buffer, "JPEG", quality=_SMALL_QUALITY, subsampling=0)
    else:
        picture.save(buffer, "JPEG", quality=_LARGE_QUALITY, optimize=True)
    kind = "png" if lossless else "jpeg"
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{kind};base64,{code}"


def class_order(assignment: Bool[ArrayLike, "C n"]) -> Int[np.ndarray, " C"]:
    """Orders classes so that alike ones are neighbours.

    Leaf order of the average-linkage tree over the number of differing features, with
    the leaves turned so that neighbours are as alike as the tree allows.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    weights = as_assignment(assignment)
    if len(weights) < 3:
        return np.arange(len(weights))
    # The best turn of the leaves costs cubic time; a thousand classes do without.
    turn = len(weights) <= 400
    tree = linkage(weights.astype(float), "average", "cityblock", optimal_ordering=turn)
    return leaves_list(tree).astype(np.int64)


def feature_order(ordered: Bool[ArrayLike, "C n"]) -> Int[np.ndarray, " n"]:
    """Orders features by the mean row of their classes; unused ones go last."""
    weights = as_assignment(ordered).astype(np.float64)
    uses = weights.sum(axis=0)
    rows = np.arange(len(weights)) @ weights
    centre = np.divide(rows, uses, out=np.full(len(uses), np.inf), where=uses > 0)
    return np.argsort(centre, kind="stable")


_CELL = 14
_MAX_NAME = 30


def _shorten(name: str) -> str:
    return name if len(name) <= _MAX_NAME else name[: _MAX_NAME - 1] + "…"


def _grid(rows: int, columns: int, left: int, top: int) -> str:
    """Hairlines behind the cells, as one path."""
    right, bottom = left + columns * _CELL, top + rows * _CELL
    across = "".join(f"M{left} {top + r * _CELL}H{right}" for r in range(rows + 1))
    down = "".join(f"M{left + c * _CELL} {top}V{bottom}" for c in range(columns + 1))
    return f'<path class="grid" d="{across}{down}"/>'


def assignment_picture(
    assignment: Bool[ArrayLike, "C n"],
    class_names: tuple[str, ...],
    feature_labels: tuple[str, ...],
) -> str:
    """Draws which features describe which class.

    Args:
        assignment: rows are classes, columns features.
        class_names: one a class.
        feature_labels: one a feature, short.

    Returns:
        Inline SVG: rows and columns ordered so that structure is visible, each cell in
        its feature's colour, with class and feature as the title a pointer shows.
    """
    weights = as_assignment(assignment)
    rows = class_order(weights)
    columns = feature_order(weights[rows])
    names = [_shorten(str(name)) for name in class_names]
    left = 14 + round(6.2 * max(len(name) for name in names))
    top = 12 + 6 * max((len(label) for label in feature_labels), default=0)
    width, height = (
        left + len(columns) * _CELL + 4,
        top + len(rows) * _CELL + 4,
    )
    codes = [hex_code(colour) for colour in palette(weights.shape[1])]
    parts = [
        f'<svg class="assignment" viewBox="0 0 {width} {height}" role="img" '
        f'style="width:{width}px" aria-label="Assignment of features to classes">',
        _grid(len(rows), len(columns), left, top),
    ]
    for place, column in enumerate(columns):
        x = left + place * _CELL + 10
        parts.append(
            f'<text class="tick" transform="translate({x} {top - 5}) rotate(-90)">'
            f"{escape(feature_labels[column])}</text>"
        )
    place_of = {int(column): place for place, column in enumerate(columns)}
    for place, row in enumerate(rows):
        y = top + place * _CELL
        name = escape(class_names[row])
        parts.append(
            f'<text class="name" x="{left - 6}" y="{y + 10}" text-anchor="end">'
            f"{escape(names[row])}</text>"
        )
        parts.extend(
            f'<rect x="{left + place_of[column] * _CELL + 1}" y="{y + 1}" '
            f'width="12" height="12" rx="2.5" fill="{codes[column]}">'
            f"<title>{name} · feature {escape(feature_labels[column])}</title></rect>"
            for column in np.flatnonzero(weights[row]).tolist()
        )
    return "".join([*parts, "</svg>"])
