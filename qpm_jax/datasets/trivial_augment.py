"""TrivialAugmentWide (Müller and Hutter, 2021) on the device, as QPM trains with it.

One of 14 operations an image, at one of 31 strengths, both drawn evenly; operations,
ranges and rounding follow torchvision's on 8-bit images, with black outside.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from qpm_jax.datasets.colour import blend_colours
from qpm_jax.datasets.warp import inverse_affine, warp_nearest

OPERATIONS = (
    "identity",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
    "brightness",
    "saturation",
    "contrast",
    "sharpness",
    "posterize",
    "solarize",
    "autocontrast",
    "equalize",
)
STRENGTHS = 31

Images = Float[Array, "N H W 3"]
Scalars = Float[Array, " N"]


def trivial_augment_wide(key: PRNGKeyArray, images: Images) -> Images:
    """Applies one random operation at a random strength to each image.

    Args:
        key: decides operation, strength and direction.
        images: float in [0,1].

    Returns:
        float in [0,1], same shape.
    """
    operation_key, strength_key, sign_key = jax.random.split(key, 3)
    count = (len(images),)
    operation = jax.random.randint(operation_key, count, 0, len(OPERATIONS))
    strength = jax.random.randint(strength_key, count, 0, STRENGTHS) / (STRENGTHS - 1)
    sign = jax.random.rademacher(sign_key, count, images.dtype)
    return apply_operations(images, operation, strength.astype(images.dtype), sign)


def apply_operations(
    images: Images, operation: Int[Array, " N"], strength: Scalars, sign: Scalars
) -> Images:
    """Applies the given operation to each image.

    Args:
        images: float in [0,1].
        operation: position in OPERATIONS of each image's operation.
        strength: 0 to 1 of the operation's range.
        sign: 1 or -1, the direction where the operation has one.

    Returns:
        float in [0,1], same shape.
    """
    is_a = {name: operation == index for index, name in enumerate(OPERATIONS)}
    signed = strength * sign
    moved = warp_nearest(images, _geometry(images, is_a, signed))
    factor = 1 + 0.99 * signed
    colours = (
        jnp.where(is_a[name], factor, 1.0)
        for name in ("brightness", "contrast", "saturation")
    )
    changed = blend_colours(moved, *colours)
    others = {
        "sharpness": lambda: sharpen(images, factor),
        "posterize": lambda: posterize(images, 8 - jnp.round(6 * strength)),
        "solarize": lambda: solarize(images, 1 - strength),
        "autocontrast": lambda: autocontrast(images),
        "equalize": lambda: _equalize_some(images, is_a["equalize"]),
    }
    for name, apply in others.items():
        changed = jnp.where(is_a[name][:, None, None, None], apply(), changed)
    return changed


def _geometry(
    images: Images, is_a: dict[str, Bool[Array, " N"]], signed: Scalars
) -> Float[Array, "N 2 3"]:
    height, width = images.shape[1:3]
    shear_x = jnp.where(is_a["shear_x"], 0.99 * signed, 0.0)
    shear_y = jnp.where(is_a["shear_y"], 0.99 * signed, 0.0)
    pixels = jnp.trunc(32 * signed)
    # torchvision shears about the upper left corner: what moves it is a shift
    right = jnp.where(is_a["translate_x"], pixels, -shear_x * height / 2)
    down = jnp.where(is_a["translate_y"], pixels, -shear_y * width / 2)
    angle = jnp.where(is_a["rotate"], jnp.deg2rad(135.0) * signed, 0.0)
    return inverse_affine(angle, shear=(shear_x, shear_y), shift=(right, down))


def sharpen(images: Images, factor: Scalars) -> Images:
    """Blends with a smoothed image: factor 0 is smooth, 1 unchanged, 2 sharp.

    Args:
        images: float in [0,1].
        factor: an image.

    Returns:
        float in [0,1]; the outermost pixels stay.
    """
    inner = images[:, 1:-1, 1:-1]
    rows = images[:, :-2] + images[:, 1:-1] + images[:, 2:]
    total = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    smooth = images.at[:, 1:-1, 1:-1].set((total + 4 * inner) / 13)
    factor = factor[:, None, None, None]
    return jnp.clip(factor * images + (1 - factor) * smooth, 0, 1)


def posterize(images: Images, bits: Scalars) -> Images:
    """Keeps the given number of leading bits of each 8-bit value."""
    step = jnp.exp2(8 - bits)[:, None, None, None]
    return jnp.floor(_levels(images) / step) * step / 255


def solarize(images: Images, threshold: Scalars) -> Images:
    """Inverts the values at or above a threshold in [0,1]."""
    bright = images >= threshold[:, None, None, None]
    return jnp.where(bright, 1 - images, images)


def autocontrast(images: Images) -> Images:
    """Stretches each colour channel to the whole range; a flat channel stays."""
    low = images.min(axis=(1, 2), keepdims=True)
    span = images.max(axis=(1, 2), keepdims=True) - low
    return jnp.where(span > 0, (images - low) / jnp.where(span > 0, span, 1), images)


def equalize(images: Images) -> Images:
    """Gives each colour channel as even a histogram of 8-bit values as it can have.

    As PIL does: value v becomes (b(v) + step // 2) // step, where b(v) counts the
    pixels below v and step is b(largest value) // 255; a channel of step 0 stays.
    """
    return jax.vmap(_equalize_one)(images)


def _equalize_some(images: Images, chosen: Bool[Array, " N"]) -> Images:
    # counting is by far the dearest operation and one image in 14 needs it
    return jax.lax.map(
        lambda pair: jax.lax.cond(pair[1], _equalize_one, lambda image: image, pair[0]),
        (images, chosen),
    )


def _equalize_one(image: Float[Array, "H W 3"]) -> Float[Array, "H W 3"]:
    levels = _levels(image).reshape(-1, 3).astype(jnp.int32).T
    histogram = jax.vmap(lambda row: jnp.zeros(256, jnp.int32).at[row].add(1))(levels)
    below = jnp.cumsum(histogram, axis=1) - histogram  # pixels darker than a value
    brightest = levels.max(axis=1, keepdims=True)
    step = jnp.take_along_axis(below, brightest, axis=1) // 255
    table = jnp.minimum((below + step // 2) // jnp.maximum(step, 1), 255)
    table = jnp.where(step > 0, table, jnp.arange(256))
    mapped = jnp.take_along_axis(table, levels, axis=1)
    return mapped.T.reshape(image.shape).astype(image.dtype) / 255


def _levels(images: Float[Array, "*N H W 3"]) -> Float[Array, "*N H W 3"]:
    return jnp.round(images * 255)
