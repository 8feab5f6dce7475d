"""What visitors upload: read it, or say what to do instead."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from qpm_jax.datasets.image_files import FORMATS, decode_image, decoding_errors

if TYPE_CHECKING:
    from PIL import Image

LEAST_SIDE = 8
MOST_PIXELS = 50_000_000

_TRY_ANOTHER = "Choose another file: a JPEG, PNG or WebP photo works."


@dataclass(frozen=True)
class Upload:
    """A photo as the network can take it.

    Attributes:
      image: RGB bytes.
      notes: What was changed or is unusual, for the visitor to know.
    """

    image: UInt8[np.ndarray, "H W 3"]
    notes: tuple[str, ...]


def read_upload(path: str | Path | None, image_size: tuple[int, int]) -> Upload:
    """Reads an uploaded file.

    Args:
      path: Where it lies; None where nothing was uploaded.
      image_size: (height, width) the network sees; smaller photos get a note.

    Raises:
      ValueError: No file, an empty or a broken one, one that is no image, too small or
        too large; the message tells the visitor what to do.
    """
    if path is None:
        raise ValueError("No photo has come in. Choose one, or drop it on the field.")
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"“{path.name}” did not arrive whole. Upload it once more."
        ) from error
    if not data:
        raise ValueError(f"“{path.name}” is empty (0 bytes). {_TRY_ANOTHER}")
    notes = _notes(data, path.name, image_size)
    try:
        return Upload(decode_image(data, path.name), notes)
    except ValueError as error:
        raise ValueError(
            f"“{path.name}” is damaged: only a part of the picture can be read. Save "
            "or copy it again, or choose another photo."
        ) from error


def _notes(data: bytes, name: str, image_size: tuple[int, int]) -> tuple[str, ...]:
    """Looks at the head of a file only, before any pixel takes up memory."""
    import io

    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            size = image.size
            fits = size[0] * size[1] <= MOST_PIXELS
            notes = _unusual(image, image_size) if fits else []
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(_too_large(name, "far too many")) from error
    except decoding_errors() as error:
        raise ValueError(f"“{name}” is no image, or broken. {_TRY_ANOTHER}") from error
    _check_size(size, name)
    return tuple(notes)


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MOST_PIXELS:
        raise ValueError(_too_large(name, f"{width} × {height}"))
    if min(width, height) < LEAST_SIDE:
        raise ValueError(
            f"“{name}” has only {width} × {height} pixels; nothing can be seen in it. "
            f"Choose a photo of at least {LEAST_SIDE} × {LEAST_SIDE} pixels."
        )


def _too_large(name: str, pixels: str) -> str:
    return (
        f"“{name}” is too large: {pixels} pixels, and at most "
        f"{MOST_PIXELS // 1_000_000} million are read. Scale it down, for instance to "
        "2000 pixels a side; the network looks at far fewer anyway."
    )


def _unusual(image: "Image.Image", image_size: tuple[int, int]) -> list[str]:
    notes = []
    if image.mode.rstrip("A") in ("1", "L", "F", "La") or image.mode.startswith("I"):
        notes.append(
            "The photo is greyscale; the network has learned from colours, so a "
            "colour photo is the safer choice."
        )
    if image.mode.endswith(("A", "a")) or "transparency" in image.info:
        notes.append("Transparent parts were laid on white.")
    if getattr(image, "n_frames", 1) > 1:
        notes.append("Of the animation, the first picture was taken.")
    width, height = image.size
    if height < image_size[0] or width < image_size[1]:
        notes.append(
            f"The photo has {width} × {height} pixels, fewer than the {image_size[1]} "
            f"× {image_size[0]} the network sees; a larger one tells it more."
        )
    return notes
