"""Random changes of training images on the device: pure, batched, from explicit keys.

The default is QPM's recipe for cropped photos, mirror and colour jitter of 0.1, with a
shift by up to 4 pixels of this project; TrivialAugmentWide is added by
`trivial_augment`. What is published for each set is in `configs/published.py`.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, PRNGKeyArray

from qpm_jax.datasets.colour import blend_colours, principal_light
from qpm_jax.datasets.training_crops import CROPS, Crop
from qpm_jax.datasets.trivial_augment import trivial_augment_wide
from qpm_jax.datasets.warp import inverse_affine, warp_bilinear


@dataclass(frozen=True)
class AugmentationPolicy:
    """Which changes are made and how strongly; plain values, as a config holds them.

    Attributes:
        flip: mirror left to right with probability 1/2.
        crop_padding: pixels; shift by up to that many in each direction, the border
            repeated as a mirror would (as padding and cropping at random). With the
            crop "random", the black border that the cut may reach into.
        jitter: brightness, contrast and saturation are each multiplied by a factor
            between 1-jitter and 1+jitter; 0 to 1.
        rotation: degrees; rotate about the centre by up to that many either way.
        scale: relative; enlarge or shrink by a factor between 1-scale and 1+scale.
        trivial_augment: one random operation more, of TrivialAugmentWide.
        erasing: probability of covering a random rectangle with the mean colour.
        lighting: standard deviation of random light along ImageNet's principal
            colours; 0.05 is QPM's for ImageNet.
        crop: which part of a photo an image is, drawn while it is read; see
            `training_crops`. "none" takes all of it, as for photos cropped before.

    Raises:
        ValueError: a value out of its range, or crop_padding with a crop that has none.
    """

    flip: bool = True
    crop_padding: int = 4
    jitter: float = 0.1
    rotation: float = 0.0
    scale: float = 0.0
    trivial_augment: bool = False
    erasing: float = 0.0
    lighting: float = 0.0
    crop: Crop = "none"

    def __post_init__(self) -> None:
        limits = {
            "crop_padding": 4096,
            "jitter": 1.0,
            "rotation": 180.0,
            "scale": 0.9,
            "erasing": 1.0,
            "lighting": 1.0,
        }
        for name, limit in limits.items():
            value = getattr(self, name)
            if not 0 <= value <= limit:
                raise ValueError(
                    f"augmentation {name} must be 0 (off) to {limit}, got {value}"
                )
        if self.crop_padding != int(self.crop_padding):
            raise ValueError(
                "augmentation crop_padding must be a whole number of pixels, got "
                f"{self.crop_padding}"
            )
        if self.crop not in CROPS:
            raise ValueError(
                f"augmentation crop must be one of {', '.join(CROPS)}, got "
                f"{self.crop!r}"
            )
        if self.crop == "random_resized" and self.crop_padding:
            raise ValueError(
                "augmentation crop_padding must be 0 with the crop random_resized, "
                f"which lies inside the photo, got {self.crop_padding}"
            )

    @property
    def shift(self) -> int:
        """Pixels to shift by on the device; none where the host cuts at random."""
        return int(self.crop_padding) if self.crop == "none" else 0


def augment(
    key: PRNGKeyArray, images: Float[ArrayLike, "N H W 3"], policy: AugmentationPolicy
) -> Float[Array, "N H W 3"]:
    """Changes each image at random, each in its own way.

    The order is geometry, colour jitter, light, TrivialAugmentWide, erasing; what the
    policy leaves out costs nothing. Its crop has been made while the images were read.

    Args:
        key: decides everything; the same key gives the same images.
        images: float in [0,1].
        policy: static under jit.

    Returns:
        float in [0,1], same shape.

    Raises:
        ValueError: images that are not float [N,H,W,3], or a crop_padding that is not
            smaller than the images.
    """
    images = jnp.asarray(images)
    _check(images, policy)
    shift_key, affine_key, colour_key, trivial_key, erase_key = jax.random.split(key, 5)
    if policy.flip or policy.shift:
        images = _flip_and_shift(shift_key, images, policy)
    if policy.rotation or policy.scale:
        images = _rotate_and_scale(affine_key, images, policy)
    if policy.jitter:
        images = colour_jitter(colour_key, images, policy.jitter)
    if policy.lighting:
        # a key of its own, so that images without it stay what they were
        light_key = jax.random.fold_in(key, 5)
        images = principal_light(light_key, images, policy.lighting)
    if policy.trivial_augment:
        images = trivial_augment_wide(trivial_key, images)
    if policy.erasing:
        images = random_erasing(erase_key, images, policy.erasing)
    return images


def colour_jitter(
    key: PRNGKeyArray, images: Float[Array, "N H W 3"], strength: float
) -> Float[Array, "N H W 3"]:
    """Multiplies brightness, contrast and saturation by factors around 1.

    As torchvision's ColorJitter but in one step: the three changes are linear and
    commute, so its random order only matters where values are cut off in between; here
    they are cut off once, at the end.

    Args:
        key: decides the factors, one of each kind an image.
        images: float in [0,1].
        strength: factors lie in [1-strength, 1+strength].

    Returns:
        float in [0,1], same shape.
    """
    low, high = 1 - strength, 1 + strength
    factors = jax.random.uniform(key, (3, len(images)), images.dtype, low, high)
    return blend_colours(images, *factors)


def random_erasing(
    key: PRNGKeyArray, images: Float[Array, "N H W 3"], probability: float
) -> Float[Array, "N H W 3"]:
    """Covers a rectangle with the image's mean colour (Zhong et al., 2017).

    The rectangle takes 2 % to 33 % of the image, with aspect ratios of 0.3 to 3.3, cut
    off at the border where it does not fit.

    Args:
        key: decides which images, where and how large.
        images: float in [0,1].
        probability: share of the images to change.

    Returns:
        float, same shape.
    """
    count, height, width, _ = images.shape
    draws = jax.random.uniform(key, (5, count, 1, 1))
    side = jnp.sqrt(0.02 + 0.31 * draws[0])
    aspect = jnp.exp((2 * draws[1] - 1) * jnp.log(3.3) / 2)
    tall, wide = side * aspect * height, side / aspect * width
    rows, columns = jnp.arange(height)[:, None], jnp.arange(width)
    covered = (jnp.abs(rows + 0.5 - draws[2] * height) < tall / 2) & (
        jnp.abs(columns + 0.5 - draws[3] * width) < wide / 2
    )
    covered &= draws[4] < probability
    mean = images.mean(axis=(1, 2), keepdims=True)
    return jnp.where(covered[..., None], mean, images)


def _flip_and_shift(
    key: PRNGKeyArray, images: Float[Array, "N H W 3"], policy: AugmentationPolicy
) -> Float[Array, "N H W 3"]:
    count, height, width, _ = images.shape
    flip_key, shift_key = jax.random.split(key)
    padding = policy.shift
    offsets = jax.random.randint(shift_key, (2, count, 1), -padding, padding + 1)
    rows = _mirrored(jnp.arange(height) + offsets[0], height)
    columns = _mirrored(jnp.arange(width) + offsets[1], width)
    if policy.flip:
        flipped = jax.random.bernoulli(flip_key, 0.5, (count, 1))
        columns = jnp.where(flipped, width - 1 - columns, columns)
    # one gather does both, several times faster on CPUs than a slice an image
    return jax.vmap(lambda i, r, c: i[r[:, None], c[None, :]])(images, rows, columns)


def _mirrored(positions: Int[Array, "N L"], size: int) -> Int[Array, "N L"]:
    positions = jnp.abs(positions)
    return jnp.where(positions >= size, 2 * (size - 1) - positions, positions)


def _rotate_and_scale(
    key: PRNGKeyArray, images: Float[Array, "N H W 3"], policy: AugmentationPolicy
) -> Float[Array, "N H W 3"]:
    angle, size = jax.random.uniform(key, (2, len(images)), minval=-1, maxval=1)
    matrices = inverse_affine(
        angle=jnp.deg2rad(policy.rotation * angle), scale=1 + policy.scale * size
    )
    return warp_bilinear(images, matrices)


def _check(images: Array, policy: AugmentationPolicy) -> None:
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"images must be [N,H,W,3], got {list(images.shape)}")
    if not jnp.issubdtype(images.dtype, jnp.floating):
        raise ValueError(
            f"images must be float in [0,1], got {images.dtype}; divide uint8 by 255"
        )
    if policy.shift >= min(images.shape[1:3]):
        raise ValueError(
            f"crop_padding {policy.crop_padding} must be smaller than the images of "
            f"{images.shape[1]}x{images.shape[2]} pixels"
        )
