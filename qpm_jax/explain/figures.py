"""Pictures for a page without network: images as data URIs, the assignment as SVG."""

import base64
import io

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Int, UInt8

from qpm_jax.explain.colours import hex_code, palette
from qpm_jax.explain.contrast import as_assignment
from qpm_jax.explain.markup import escape, shorten

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


_CELL = 17
_MAX_NAME = 24


def _svg(kind: str, width: int, height: int, label: str, parts: list[str]) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" style="--width:{width}" '
        f'role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )


def _grid(rows: int, columns: int, top: int) -> str:
    """Hairlines behind the cells, as one path."""
    right, bottom = columns * _CELL, top + rows * _CELL
    across = "".join(f"M0 {top + row * _CELL}H{right}" for row in range(rows + 1))
    down = "".join(f"M{c * _CELL} {top}V{bottom}" for c in range(columns + 1))
    return f'<path class="grid" d="{across}{down}"/>'


def _column_heads(labels: list[str], top: int) -> list[str]:
    return [
        f'<text class="tick" transform="translate({place * _CELL + 12} {top - 6}) '
        f'rotate(-90)">{escape(label)}</text>'
        for place, label in enumerate(labels)
    ]


def _cells(
    ordered: Bool[np.ndarray, "C n"],
    class_names: list[str],
    labels: list[str],
    codes: list[str],
    top: int,
) -> list[str]:
    rows, columns = np.nonzero(ordered)
    return [
        f'<rect x="{column * _CELL + 1}" y="{top + row * _CELL + 1}" width="15" '
        f'height="15" rx="3" fill="{codes[column]}"><title>'
        f"{escape(class_names[row])} · feature {escape(labels[column])}</title></rect>"
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]


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
        Inline SVG, the names apart from the cells so that they stay in sight when a
        narrow screen scrolls. Rows and columns are ordered so that structure shows;
        each cell has its feature's colour, and class and feature as its title.

    Raises:
        ValueError: if the names or labels do not fit the assignment.
    """
    weights = as_assignment(assignment)
    if (len(class_names), len(feature_labels)) != weights.shape:
        raise ValueError(
            f"{len(class_names)} class_names and {len(feature_labels)} feature_labels "
            f"do not fit an assignment of shape {weights.shape}"
        )
    rows = class_order(weights)
    columns = feature_order(weights[rows])
    names = [str(class_names[row]) for row in rows]
    labels = [shorten(str(feature_labels[c]), _MAX_NAME) for c in columns]
    codes = [hex_code(palette(len(columns))[column]) for column in columns]
    left = 14 + round(6.9 * max(len(shorten(name, _MAX_NAME)) for name in names))
    top = 14 + 7 * max(map(len, labels), default=0)
    width, height = len(columns) * _CELL + 1, top + len(rows) * _CELL + 1
    name_texts = [
        f'<text class="end" x="{left - 7}" y="{top + place * _CELL + 12.5}">'
        f"{escape(shorten(name, _MAX_NAME))}<title>{escape(name)}</title></text>"
        for place, name in enumerate(names)
    ]
    cells = [
        _grid(len(rows), len(columns), top),
        *_column_heads(labels, top),
        *_cells(weights[rows][:, columns], names, labels, codes, top),
    ]
    return (
        f'<div class="assignment" style="--whole:{left + width}">'
        f"{_svg('names', left, height, 'Classes', name_texts)}"
        f"{_svg('cells', width, height, 'Features of every class', cells)}</div>"
    )
