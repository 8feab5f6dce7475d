"""One explanation as a picture: the sums, and every feature over the photo.

Above, the photo beside the scores of both classes, each written as the sum of its
features. Below, a picture a feature: those only the predicted class has, those both
have, those only the other has, as the published contrasts of classes are arranged
(docs/formulas.md, Contrastive pictures), each in its own colour.
"""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, UInt8

from qpm_jax.explain.colours import palette
from qpm_jax.explain.local import ClassScore, Contribution, Explanation
from qpm_jax.explain.local_maps import paint_features
from qpm_jax.explain.local_words import (
    MUTED,
    chip,
    chip_width,
    letter_box,
    shorten,
    write,
)
from qpm_jax.explain.markup import signed

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

_WIDTH, _EDGE = 1200, 36
_GAP, _PHOTO = 16, 300
_HEAD, _FOOT = 52, 76  # above and below a tile: the group's words, the feature's
_LINE = 42


@dataclass(frozen=True)
class _Grid:
    """How the tiles lie: so many beside each other, from this height on."""

    columns: int
    top: int
    shape: float  # height of the photo as a share of its width

    @property
    def tile(self) -> int:
        """Width of a tile in pixels."""
        return (_WIDTH - 2 * _EDGE - _GAP * (self.columns - 1)) // self.columns

    @property
    def height(self) -> int:
        """Height of a tile in pixels: none of it is empty over a flat photo."""
        return max(1, round(self.tile * min(1.0, self.shape)))

    @property
    def row(self) -> int:
        """Height of a row in pixels, with its words."""
        return _HEAD + self.height + _FOOT

    def corner(self, place: tuple[int, int]) -> tuple[int, int]:
        """Returns left and top of a tile."""
        row, column = place
        left = _EDGE + column * (self.tile + _GAP)
        return left, self.top + row * self.row + _HEAD


@dataclass(frozen=True)
class _Group:
    """Features shown together, under a few words."""

    letter: str  # class that has them; empty: both
    words: str
    contributions: tuple[Contribution, ...]


def draw_explanation(
    explanation: Explanation,
    photo: UInt8[ArrayLike, "H W 3"],
    maps: Float[ArrayLike, "h w n"],
    values: Float[ArrayLike, " n"],
) -> bytes:
    """Draws why one image got its class and not the other.

    Args:
        explanation: what `explain` says of the image.
        photo: RGB bytes, in the size the maps are to be painted at.
        maps: the maps of all n features, over the whole photo.
        values: their normalised values z.

    Returns:
        A PNG file, 1200 pixels wide.

    Raises:
        ValueError: if `maps` and `values` differ in n.
    """
    from PIL import Image, ImageDraw

    groups = [g for g in _groups(explanation) if g.contributions]
    shown = [c for group in groups for c in group.contributions]
    pictures = paint_features(photo, maps, values, [[c.feature] for c in shown])
    colours = palette(len(np.asarray(values)))
    top = _EDGE + max(_PHOTO, _header_height(explanation)) + 16
    height, width = np.shape(photo)[:2]
    grid = _Grid(6 if len(shown) == 6 else 5, top, shape=height / width)
    spots = _places([len(group.contributions) for group in groups], grid.columns)
    rows = 1 + max((row for group in spots for row, _ in group), default=-1)
    canvas = Image.new("RGB", (_WIDTH, top + rows * grid.row + _EDGE // 2), "white")
    draw = ImageDraw.Draw(canvas)
    _paste(canvas, np.asarray(photo), (_EDGE, _EDGE), _PHOTO)
    _header(draw, explanation, colours)
    feature = 0
    for group, places in zip(groups, spots, strict=True):
        corners = [grid.corner(place) for place in places]
        _group_head(draw, group, corners[0])
        for contribution, corner in zip(group.contributions, corners, strict=True):
            _paste(canvas, pictures[feature], corner, grid.tile)
            below = corner[0], corner[1] + grid.height
            _caption(draw, contribution, below, grid.tile, colours)
            feature += 1
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _groups(explanation: Explanation) -> tuple[_Group, ...]:
    if explanation.runner_up is None:
        return (_Group("", "its features", explanation.only_predicted),)
    return (
        _Group("A", "only", explanation.only_predicted),
        _Group("", "both", explanation.shared),
        _Group("B", "only", explanation.only_runner_up),
    )


def _places(counts: list[int], columns: int) -> list[list[tuple[int, int]]]:
    """Returns (row, column) of every tile; a group that fits a row is not broken."""
    row = column = 0
    places = []
    for count in counts:
        if column and column + count > columns:
            row, column = row + 1, 0
        cells = np.arange(column, column + count)
        group = [(row + int(c) // columns, int(c) % columns) for c in cells]
        places.append(group)
        row, column = group[-1][0], group[-1][1] + 1
    return places


def _paste(
    canvas: "Image",
    picture: UInt8[np.ndarray, "H W 3"],
    corner: tuple[int, int],
    side: int,
) -> None:
    """Pastes a picture into a square, in its own proportions, at left and top."""
    from PIL import Image

    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    fitted = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)
    left, top = corner
    canvas.paste(fitted, (left, top))


def _scores(explanation: Explanation) -> list[tuple[str, str, ClassScore]]:
    """Returns letter, role and score of each class shown."""
    rows = [("A", "predicted", explanation.predicted)]
    if explanation.runner_up is not None:
        rows.append(("B", "compared with", explanation.runner_up))
    return rows


def _sum_lines(score: ClassScore) -> list[list[Contribution]]:
    """Breaks the terms of a sum into lines that fit beside the photo."""
    right = _WIDTH - _EDGE
    lines: list[list[Contribution]] = [[]]
    x = float(_sum_left())
    for term in score.contributions:
        width = chip_width(signed(term.value)) + 8
        if lines[-1] and x + width > right:
            lines.append([])
            x = float(_sum_left())
        lines[-1].append(term)
        x += width
    return lines


def _sum_left() -> int:
    return _EDGE + _PHOTO + 36 + 120


def _header_height(explanation: Explanation) -> int:
    lines = sum(1 + len(_sum_lines(score)) for *_, score in _scores(explanation))
    return _LINE * lines + 16 * len(_scores(explanation)) + _LINE


def _header(
    draw: "ImageDraw", explanation: Explanation, colours: UInt8[np.ndarray, "n 3"]
) -> None:
    left, y = _EDGE + _PHOTO + 36, float(_EDGE + 16)
    for letter, role, score in _scores(explanation):
        x = letter_box(draw, (left, y), letter) + 12
        room = _WIDTH - _EDGE - x - 170
        x = write(draw, (x, y), shorten(score.name, room, 26, bold=True), 26, True)
        write(draw, (x + 14, y), role, 17, colour=MUTED)
        y += _LINE
        write(draw, (left, y), f"{score.score:.2f}".replace("-", "−"), 24, True)
        write(draw, (_sum_left() - 28, y), "=", 20, colour=MUTED)
        for line in _sum_lines(score):
            x = float(_sum_left())
            for term in line:
                colour = colours[term.feature]
                x = chip(draw, (x, y), signed(term.value), colour) + 8
            y += _LINE
        y += 16
    if explanation.runner_up is not None:
        margin = signed(explanation.margin)
        words = f"Lead of A over B: {margin}. What both have cancels out."
        write(draw, (left, y), words, 17, colour=MUTED)


def _group_head(draw: "ImageDraw", group: _Group, corner: tuple[int, int]) -> None:
    left, top = corner
    middle = top - 24
    x = write(draw, (left, middle), group.words, 17, colour=MUTED)
    if group.letter:
        x = letter_box(draw, (x + 8, middle), group.letter)
    total = sum(c.value for c in group.contributions)
    write(draw, (x + 10, middle), signed(total), 17, True)


def _caption(
    draw: "ImageDraw",
    contribution: Contribution,
    corner: tuple[int, int],
    width: int,
    colours: UInt8[np.ndarray, "n 3"],
) -> None:
    left, top = corner
    colour = colours[contribution.feature]
    chip(draw, (left, top + 22), contribution.name, colour, width)
    write(draw, (left, top + 52), signed(contribution.value), 18, True)
