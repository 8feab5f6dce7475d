"""Image files, whatever their format, as uint8 RGB arrays, decoded when asked for."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
)


@dataclass(frozen=True)
class ImageSource:
    """Where one image lies and what part of it is wanted.

    Attributes:
        name: path inside the container, as errors call the image.
        box: (left, top, right, bottom) in pixels to cut out, clipped to the image;
            None takes the whole image.
    """

    name: str
    box: tuple[int, int, int, int] | None = None


class LazyImages:
    """A sequence of images that decodes each on first use and keeps it while it fits.

    Args:
        container: a folder or a .zip archive.
        sources: the images in it, in order.
        cache_bytes: how much decoded image data to keep, in bytes; once it is full,
            further images are decoded anew each time.
    """

    def __init__(
        self, container: Path, sources: Sequence[ImageSource], cache_bytes: int = 2**31
    ) -> None:
        self.container = container
        self.sources = tuple(sources)
        self._read = container_reader(container)
        self._cache: dict[int, np.ndarray] = {}
        self._free_bytes = cache_bytes

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, index: int) -> np.ndarray:
        """Returns image `index`, read-only uint8 [H,W,3]; errors name its file."""
        # Python's own error ends a for loop over a sequence
        position = range(len(self))[index]
        image = self._cache.get(position)
        if image is None:
            image = self._decode(self.sources[position])
            image.setflags(write=False)
            # threads may race here: the budget is then missed by an image or two
            if image.nbytes <= self._free_bytes:
                self._free_bytes -= image.nbytes
                self._cache[position] = image
        return image

    def _decode(self, source: ImageSource) -> np.ndarray:
        where = f"{self.container}/{source.name}"
        image = decode_image(self._read(source.name), where)
        return image if source.box is None else crop(image, source.box, where)


def container_reader(container: Path) -> Callable[[str], bytes]:
    """Returns the function that reads a file of a folder or .zip archive by its name.

    Raises:
        ValueError: from the returned function, where the file cannot be read.
    """
    if container.suffix.lower() != ".zip":
        return lambda name: _read_bytes(lambda: (container / name).read_bytes(), name)
    import zipfile

    archive = zipfile.ZipFile(container)
    return lambda name: _read_bytes(lambda: archive.read(name), name)


def _read_bytes(read: Callable[[], bytes], name: str) -> bytes:
    try:
        return read()
    except (OSError, KeyError) as error:
        raise ValueError(
            f"image {name} cannot be read ({error}); it was there when the data set "
            "was listed: restore it, or load the data set again"
        ) from error


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
        ValueError: the bytes are no complete image.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.array(_to_rgb(ImageOps.exif_transpose(image)))
    except _decoding_errors() as error:
        raise _unreadable(name, error) from error


def check_header(path: Path) -> None:
    """Raises ValueError where a file does not begin like an image; reads little of it.

    The pixels are only read when the image is used, where `decode_image` checks them.
    """
    from PIL import Image

    try:
        with Image.open(path):
            pass
    except _decoding_errors() as error:
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


def is_image_name(name: str) -> bool:
    """Tells whether a file name looks like an image; hidden files never do."""
    path = PurePosixPath(name)
    return path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")


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


def _decoding_errors() -> tuple[type[BaseException], ...]:
    from PIL import Image

    # SyntaxError and struct-like errors come out of PIL's parsers of broken files
    return (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    )


def _unreadable(name: str, error: BaseException) -> ValueError:
    return ValueError(
        f"image {name} cannot be decoded ({error}); replace it with an intact image "
        "file, or remove it"
    )
