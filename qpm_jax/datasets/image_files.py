"""Images of any format and size as uint8 RGB arrays of one size, on the host."""

import io
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

_ENDINGS = "bmp gif jfif jpeg jpg pgm png ppm tif tiff webp"
SUFFIXES = frozenset(f".{ending}" for ending in _ENDINGS.split())

Fit = Literal["stretch", "centre_crop", "imagenet_crop"]
FITS: tuple[str, ...] = get_args(Fit)


def as_array(image: "str | Path | np.ndarray | Image.Image") -> np.ndarray:
    """Returns an image file, a PIL image or an array as uint8 RGB.

    Args:
        image: a path; a PIL image; or a uint8 array [H,W,3].

    Returns:
        uint8 [H,W,3].

    Raises:
        ValueError: a file that is missing or no image, an array of another kind, or a
            greyscale image of 32 bits.
    """
    from PIL import Image, ImageOps

    if isinstance(image, (str, Path)):
        try:
            data = Path(image).read_bytes()
        except OSError as error:
            raise ValueError(f"image {image} cannot be read ({error})") from error
        return decode_image(data, str(image))
    if isinstance(image, Image.Image):
        _check_range(image)
        return np.array(_to_rgb(ImageOps.exif_transpose(image)))
    array = np.asarray(image)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] != 3:
        raise ValueError(
            f"image must be a path, a PIL image or a uint8 array [H,W,3], got "
            f"{array.dtype} {list(array.shape)}"
        )
    return array


# What is read: not every form Pillow knows, some of which run other programs.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")


def decode_image(data: bytes, name: str) -> np.ndarray:
    """Decodes a file as the eye sees it: turned by its EXIF tag, in RGB.

    Greyscale, palette and CMYK are converted, transparency is laid on white, 16 bits
    become 8, of an animation the first frame is taken.

    Args:
        data: the file's bytes.
        name: what to call the file in an error.

    Returns:
        uint8 [H,W,3].

    Raises:
        ValueError: the bytes are no complete image, or a greyscale one of 32 bits.
    """
    from PIL import ImageOps

    return _decoded(data, name, ImageOps.exif_transpose)


def decode_stored(data: bytes, name: str) -> np.ndarray:
    """Decodes a file as `decode_image` does, but not turned by its EXIF tag.

    Bounding boxes count these pixels.
    """
    return _decoded(data, name, lambda image: image)


def _decoded(
    data: bytes, name: str, turned: "Callable[[Image.Image], Image.Image]"
) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_range(image)
            return np.array(_to_rgb(turned(image)))
    except decoding_errors() as error:
        raise _unreadable(name, error) from error


def check_header(path: Path) -> None:
    """Raises ValueError where a file does not begin like an image; reads little of it.

    The pixels are only read when the image is used, where `decode_image` checks them.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_range(image)
    except decoding_errors() as error:
        raise _unreadable(str(path), error) from error


def crop(
    image: np.ndarray, box: tuple[int, int, int, int], name: str = "image"
) -> np.ndarray:
    """Cuts (left, top, right, bottom) out of an image, clipped to its edges.

    Args:
        image: uint8 [H,W,3].
        box: in pixels; right and bottom are just outside.
        name: what to call the image in an error.

    Returns:
        uint8 [h,w,3], its own memory.

    Raises:
        ValueError: nothing of the box lies inside the image.
    """
    height, width = image.shape[:2]
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = min(box[2], width), min(box[3], height)
    if left >= right or top >= bottom:
        raise ValueError(
            f"box {box} lies outside {name} of {width}x{height} pixels; correct the "
            "bounding box, or load the images uncropped"
        )
    return image[top:bottom, left:right].copy()


def resize(
    image: np.ndarray, image_size: tuple[int, int], fit: Fit = "stretch"
) -> np.ndarray:
    """Resizes one image, bilinear with antialiasing, as torchvision's Resize does.

    Args:
        image: uint8 [h,w,3].
        image_size: (H, W) in pixels.
        fit: "stretch" ignores the aspect ratio (QPM's cropped setting); "centre_crop"
            keeps it: the image is scaled until it covers the size, and what overlaps
            is cut evenly on both sides; "imagenet_crop" scales it 8/7 as far and cuts
            so much more, as resizing to 256 and cutting out 224.

    Returns:
        uint8 [H,W,3]; the same array where it has the size already.

    Raises:
        ValueError: an unknown fit.
    """
    from PIL import Image

    if fit not in FITS:
        raise ValueError(f"fit must be one of {', '.join(FITS)}, got {fit!r}")
    height, width = image_size
    share = seen_share(fit)
    if image.shape[:2] == (height, width) and share == 1:
        return image
    box = None
    if fit != "stretch":
        box = _covering_box(image.shape[:2], image_size, share)
    resized = Image.fromarray(image).resize(
        (width, height), Image.Resampling.BILINEAR, box=box
    )
    return np.asarray(resized)


def seen_share(fit: Fit) -> float:
    """Returns which share of the largest fitting side is kept, 1 but for ImageNet's."""
    return 7 / 8 if fit == "imagenet_crop" else 1.0


def is_image_name(name: str) -> bool:
    """Tells whether a file name looks like an image; hidden files never do."""
    path = PurePosixPath(name)
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _check_range(image: "Image.Image") -> None:
    """Raises ValueError where nobody knows which number is white."""
    sixteen_bits = image.format in ("PNG", "PPM")  # Pillow may call them "I", too
    if image.mode == "F" or (image.mode == "I" and not sixteen_bits):
        raise ValueError(
            f"it is greyscale of 32 bits (mode {image.mode}), of which it is not known "
            "what is white; save it with 8 or 16 bits"
        )


def _to_rgb(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    if image.mode.startswith("I"):  # greyscale of 16 bits
        values = np.asarray(image).astype(np.int64)
        image = Image.fromarray(np.clip(values // 257, 0, 255).astype(np.uint8))
    if image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def decoding_errors() -> tuple[type[BaseException], ...]:
    """Returns what Pillow raises where a file is broken, or no image."""
    import struct

    from PIL import Image

    return (
        OSError,
        SyntaxError,
        ValueError,
        TypeError,
        RuntimeError,
        struct.error,
        EOFError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    )


def _unreadable(name: str, error: BaseException) -> ValueError:
    return ValueError(
        f"image {name} cannot be decoded ({error}); replace it with an intact image "
        "file, or remove it"
    )


def _covering_box(
    size: tuple[int, ...], image_size: tuple[int, int], share: float
) -> tuple[float, float, float, float]:
    scale = share * min(size[0] / image_size[0], size[1] / image_size[1])
    height, width = image_size[0] * scale, image_size[1] * scale
    # Rounding may put a side that fits exactly a hair outside, which Pillow refuses.
    top, left = max(0.0, (size[0] - height) / 2), max(0.0, (size[1] - width) / 2)
    return left, top, min(left + width, size[1]), min(top + height, size[0])
