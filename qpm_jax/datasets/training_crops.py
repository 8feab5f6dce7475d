"""Where a training image is cut out of its photo, drawn on the host while it is read.

As QPM trains: photos that are not cropped to their object are resized by their shorter
side and cut at random, ImageNet's by torchvision's random resized crop.
"""

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from jaxtyping import UInt8

if TYPE_CHECKING:
    from PIL import Image

Crop = Literal["none", "random", "random_resized"]
CROPS: tuple[str, ...] = get_args(Crop)

# torchvision's defaults: share of the photo's area, width over height, attempts.
_AREA = (0.08, 1.0)
_ASPECT = (3 / 4, 4 / 3)
_ATTEMPTS = 10

Box = tuple[int, int, int, int]


def training_crop(
    image: UInt8[np.ndarray, "h w 3"],
    image_size: tuple[int, int],
    crop: Crop,
    padding: int,
    random: np.random.Generator,
) -> UInt8[np.ndarray, "H W 3"]:
    """Cuts a training image of the given size out of a photo.

    Args:
        image: uint8 [h,w,3], any size.
        image_size: (H, W) in pixels.
        crop: "random" resizes the photo until it just covers the size and cuts the size
            out at random; "random_resized" resizes a random part of the photo, 8 to
            100 % of its area with aspect ratios of 3/4 to 4/3.
        padding: pixels of black that "random" adds on each side before cutting.
        random: decides where.

    Returns:
        uint8 [H,W,3].

    Raises:
        ValueError: an unknown crop.
    """
    from PIL import Image

    photo = Image.fromarray(image)
    if crop == "random":
        return _random_crop(photo, image_size, padding, random)
    if crop == "random_resized":
        box = random_resized_box(image.shape[:2], random)
        return _resized(photo, image_size, box)
    raise ValueError(f"crop must be one of {', '.join(CROPS[1:])}, got {crop!r}")


def random_resized_box(size: tuple[int, ...], random: np.random.Generator) -> Box:
    """Draws (left, top, right, bottom) of torchvision's random resized crop.

    Args:
        size: (height, width) of the photo in pixels.
        random: decides.

    Returns:
        A box inside the photo; its largest central part of an allowed aspect ratio
        where no draw fits.
    """
    height, width = size[:2]
    for _ in range(_ATTEMPTS):
        area = height * width * random.uniform(*_AREA)
        aspect = np.exp(random.uniform(*np.log(_ASPECT)))
        across, down = round(np.sqrt(area * aspect)), round(np.sqrt(area / aspect))
        if 0 < across <= width and 0 < down <= height:
            left = int(random.integers(width - across + 1))
            top = int(random.integers(height - down + 1))
            return left, top, left + across, top + down
    across = max(1, min(width, round(height * _ASPECT[1])))
    down = max(1, min(height, round(width / _ASPECT[0])))
    left, top = (width - across) // 2, (height - down) // 2
    return left, top, left + across, top + down


def _random_crop(
    photo: "Image.Image",
    image_size: tuple[int, int],
    padding: int,
    random: np.random.Generator,
) -> UInt8[np.ndarray, "H W 3"]:
    height, width = image_size
    scale = max(height / photo.height, width / photo.width)
    covering = (
        max(height, int(photo.height * scale)),
        max(width, int(photo.width * scale)),
    )
    if (photo.height, photo.width) != covering:
        photo = photo.resize((covering[1], covering[0]), resample=_bilinear())
    top = int(random.integers(covering[0] + 2 * padding - height + 1)) - padding
    left = int(random.integers(covering[1] + 2 * padding - width + 1)) - padding
    # Pillow fills what lies outside with black
    return np.asarray(photo.crop((left, top, left + width, top + height)))


def _resized(
    photo: "Image.Image", image_size: tuple[int, int], box: Box
) -> UInt8[np.ndarray, "H W 3"]:
    height, width = image_size
    return np.asarray(photo.resize((width, height), resample=_bilinear(), box=box))


def _bilinear() -> "Image.Resampling":
    from PIL import Image

    return Image.Resampling.BILINEAR
