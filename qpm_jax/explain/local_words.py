"""Words on drawn pictures: fonts, lengths in pixels, chips in a feature's colour."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from qpm_jax.explain.colours import lettering

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

INK = "#18202b"
MUTED = "#5d6878"
CHIP_HEIGHT = 30
_CHIP_SIZE = 17
_CHIP_EDGE = 9


@lru_cache
def font(size: int, bold: bool = False) -> "FreeTypeFont":
    """Returns the lettering that matplotlib brings along, the same on every machine."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
    return ImageFont.truetype(str(path), size)


def shorten(text: str, width: float, size: int, bold: bool = False) -> str:
    """Returns `text`, cut with an ellipsis where it is longer than `width` pixels."""
    face = font(size, bold)
    if face.getlength(text) <= width:
        return text
    while text and face.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def write(
    draw: "ImageDraw",
    place: tuple[float, float],
    text: str,
    size: int,
    bold: bool = False,
    colour: str = INK,
) -> float:
    """Writes one line, its middle at the height given; returns where it ends."""
    draw.text(place, text, fill=colour, font=font(size, bold), anchor="lm")
    return place[0] + font(size, bold).getlength(text)


def chip_width(text: str) -> float:
    """Returns how wide the chip with this text is."""
    return font(_CHIP_SIZE, True).getlength(text) + 2 * _CHIP_EDGE


def chip(
    draw: "ImageDraw",
    place: tuple[float, float],
    text: str,
    colour: UInt8[np.ndarray, " 3"],
    width: float | None = None,
) -> float:
    """Draws a patch of a colour with its text; returns where it ends.

    Args:
        draw: what to draw on.
        place: left end and middle height.
        text: shortened where it is longer than `width` allows.
        colour: RGB bytes.
        width: largest width in pixels; as wide as the text where None.
    """
    if width is not None:
        text = shorten(text, width - 2 * _CHIP_EDGE, _CHIP_SIZE, bold=True)
    left, middle = place
    right = left + chip_width(text)
    half = CHIP_HEIGHT / 2
    box = (left, middle - half, right, middle + half)
    draw.rounded_rectangle(box, radius=5, fill=tuple(np.asarray(colour).tolist()))
    ink = lettering(colour)
    write(draw, (left + _CHIP_EDGE, middle), text, _CHIP_SIZE, True, ink)
    return right


def letter_box(draw: "ImageDraw", place: tuple[float, float], letter: str) -> float:
    """Draws a letter in a frame, which stands for a class; returns where it ends."""
    left, middle = place
    box = (left, middle - 13, left + 26, middle + 13)
    draw.rounded_rectangle(box, radius=5, outline=MUTED, width=2)
    draw.text((left + 13, middle), letter, fill=INK, font=font(17, True), anchor="mm")
    return left + 26
