"""What a data set knows of its images beyond their class: attributes, masks, classes.

Only for measuring; nothing is trained on it. Everything is None where a data set does
not know it.
"""

import numpy as np
from jaxtyping import Float, Int

from qpm_jax import metrics
from qpm_jax.datasets import Dataset
from qpm_jax.datasets.dataset import Split
from qpm_jax.datasets.image_files import Fit, seen_share
from qpm_jax.metrics.shapes import check_similarity


def class_similarity(
    dataset: Dataset, given: Float[np.ndarray, "C C"] | None = None
) -> Float[np.ndarray, "C C"] | None:
    """Returns how alike the classes are in truth.

    Args:
      dataset: Its class attributes are compared.
      given: Takes their place, such as similarities from a taxonomy.

    Returns:
      The similarities; None without attributes, or where no classes share one.

    Raises:
      ValueError: `given` is not symmetric or not of the data set's classes.
    """
    if given is None:
        if dataset.class_attributes is None:
            return None
        given = metrics.class_attribute_similarity(dataset.class_attributes)
    else:
        given = check_similarity(given, dataset.num_classes)
    off_diagonal = given[~np.eye(len(given), dtype=bool)]
    return given if off_diagonal.size and off_diagonal.max() > 0 else None


def image_attributes(dataset: Dataset, split: Split) -> Int[np.ndarray, "N A"] | None:
    """Returns which attributes each image shows: 1, 0, or -1 where its part is hidden.

    Needs class attributes of 0 and 1 that hold for every image of a class, masks of the
    parts, and names of attributes that begin with their part's, as "beak: hooked" or
    "wing colour: red". CUB's attributes are means over annotators, so they do not do.
    """
    attributes, masks = dataset.class_attributes, split.part_masks
    if attributes is None or masks is None or not np.isin(attributes, (0, 1)).all():
        return None
    parts = np.array(
        [_part_of(name, dataset.part_names) for name in dataset.attribute_names]
    )
    if parts.min() < 0:
        return None
    seen = np.any(masks, axis=(2, 3))[:, parts]
    return np.where(seen, attributes[split.labels], -1).astype(np.int8)


def _part_of(attribute: str, parts: tuple[str, ...]) -> int:
    """Returns which part the attribute's name begins with; -1 where with none."""
    starts = (attribute.startswith((f"{part}:", f"{part} ")) for part in parts)
    return next((index for index, fits in enumerate(starts) if fits), -1)


def mask_names(dataset: Dataset) -> tuple[str, ...]:
    """Names the masks that `masks_on_maps` gives."""
    return ("object", "object, widened", *dataset.part_names)


def masks_on_maps(
    split: Split,
    indices: Int[np.ndarray, " B"],
    image_size: tuple[int, int],
    fit: Fit,
    size: tuple[int, int],
) -> Float[np.ndarray, "B H W M"] | None:
    """Returns how much of each position the object and its parts cover.

    Args:
      split: Its part masks; their union is the object.
      indices: Which images.
      image_size: (height, width) the network sees.
      fit: How the images are brought to that size.
      size: (H, W) of the maps.

    Returns:
      Shares of the object; then 1 where it or a neighbouring position has any of it
      (the published masks); then shares of each part.
    """
    if split.part_masks is None:
        return None
    parts = _seen_by_network(split.part_masks[indices] != 0, image_size, fit)
    count, num_parts = parts.shape[:2]
    every = metrics.coverage_on_map(parts.reshape(-1, *parts.shape[2:]), size)
    by_part = np.moveaxis(every.reshape(count, num_parts, *size), 1, -1)
    whole = metrics.coverage_on_map(parts.any(axis=1), size)
    widened = metrics.dilate(whole > 0)
    return np.concatenate([whole[..., None], widened[..., None], by_part], axis=-1)


def _seen_by_network(
    masks: np.ndarray, image_size: tuple[int, int], fit: Fit
) -> np.ndarray:
    """Returns the masks without what cropping to the network's aspect ratio cuts."""
    if fit == "stretch":
        return masks
    height, width = masks.shape[2:]
    scale = seen_share(fit) * min(height / image_size[0], width / image_size[1])
    kept = round(image_size[0] * scale), round(image_size[1] * scale)
    top, left = (height - kept[0]) // 2, (width - kept[1]) // 2
    return masks[:, :, top : top + kept[0], left : left + kept[1]]
