"""Images of any size to one size, on the host, before they are put in a batch."""

from typing import Literal

import numpy as np

Fit = Literal["stretch", "centre_crop"]


def resize(
    image: np.ndarray, image_size: tuple[int, int], fit: Fit = "stretch"
) -> np.ndarray:
    """Resizes one image, bilinear with antialiasing, as torchvision's Resize does.

    Args:
        image: uint8 [h,w,3].
        image_size: (H, W) in pixels.
        fit: "stretch" ignores the aspect ratio (QPM's cropped setting); "centre_crop"
            keeps it: the image is scaled until it covers the size, and what overlaps
            is cut evenly on both sides.

    Returns:
        uint8 [H,W,3]; the same array where it has the size already.

    Raises:
        ValueError: an unknown fit.
    """
    from PIL import Image

    if fit not in ("stretch", "centre_crop"):
        raise ValueError(f'fit must be "stretch" or "centre_crop", got {fit!r}')
    height, width = image_size
    if image.shape[:2] == (height, width):
        return image
    box = None if fit == "stretch" else _covering_box(image.shape[:2], image_size)
    resized = Image.fromarray(image).resize(
        (width, height), Image.Resampling.BILINEAR, box=box
    )
    return np.asarray(resized)


def _covering_box(
    size: tuple[int, ...], image_size: tuple[int, int]
) -> tuple[float, float, float, float]:
    scale = min(size[0] / image_size[0], size[1] / image_size[1])
    height, width = image_size[0] * scale, image_size[1] * scale
    top, left = (size[0] - height) / 2, (size[1] - width) / 2
    return left, top, left + width, top + height
