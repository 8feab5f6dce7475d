"""Batches as grain pipelines: any step at once, the same whatever came before.

A training run resumes at step s by asking for batch s; nothing else is to be restored.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from qpm_jax.datasets.dataset import Split
from qpm_jax.datasets.image_files import Fit, resize

if TYPE_CHECKING:
    import grain

Batch = dict[str, np.ndarray]


def training_batches(
    split: Split,
    batch_size: int,
    image_size: tuple[int, int],
    seed: int,
    fit: Fit = "stretch",
) -> "grain.MapDataset[Batch]":
    """Returns endless shuffled batches; item `step` is that training step's batch.

    Every epoch has its own order, and each image comes once in it; a batch may reach
    from one epoch into the next, so all batches are full.

    Args:
        split: what to train on, N images.
        batch_size: images a batch, B; may exceed N.
        image_size: (H, W) in pixels; other images are resized to it.
        seed: 0 to 2³²-1; the same seed gives the same batches.
        fit: see `resize`.

    Returns:
        A random-access pipeline of {"image": uint8 [B,H,W,3], "label": int32 [B],
        "index": int32 [B] (position in the split)}.

    Raises:
        ValueError: an empty split, or a batch_size, image_size or seed out of range.
    """
    _check_arguments(split, batch_size, image_size)
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be 0 to 2**32 - 1, got {seed}")
    import grain

    order = grain.MapDataset.range(len(split)).seed(seed).shuffle().repeat()
    return order.batch(batch_size).map(
        lambda indices: gather(split, indices, image_size, fit)
    )


def evaluation_batches(
    split: Split,
    batch_size: int,
    image_size: tuple[int, int],
    fit: Fit = "stretch",
    num_threads: int = 2,
) -> Iterator[Batch]:
    """Iterates once over a split in order; all batches have the same shape.

    Args:
        split: what to evaluate, N images.
        batch_size: images a batch, B.
        image_size: (H, W) in pixels; other images are resized to it.
        fit: see `resize`.
        num_threads: threads that prepare batches ahead.

    Returns:
        Iterator over batches as in `training_batches`, with "valid": bool [B]. The last
        batch is filled up with its last image, whose copies are not valid.

    Raises:
        ValueError: an empty split, or a batch_size or image_size out of range.
    """
    _check_arguments(split, batch_size, image_size)
    import grain

    batches = (
        grain.MapDataset.range(len(split))
        .batch(batch_size, drop_remainder=False)
        .map(lambda i: _padded(gather(split, i, image_size, fit), batch_size))
    )
    return iterate_from(batches, num_threads=num_threads)


def iterate_from(
    batches: "grain.MapDataset[Batch]", first_step: int = 0, num_threads: int = 2
) -> Iterator[Batch]:
    """Iterates from a step on, while threads prepare the next batches.

    Decoding and resizing leave Python's lock, so threads help; twice as many batches
    as threads are held.

    Args:
        batches: from `training_batches`.
        first_step: the step to begin with.
        num_threads: how many batches are prepared at the same time.

    Returns:
        An iterator over the same batches as `batches[first_step]`, ...

    Raises:
        ValueError: a first_step below 0, or num_threads below 1.
    """
    if first_step < 0 or num_threads < 1:
        raise ValueError(
            "first_step must be at least 0 and num_threads at least 1, got "
            f"{first_step} and {num_threads}"
        )
    import grain

    options = grain.ReadOptions(
        num_threads=num_threads, prefetch_buffer_size=2 * num_threads
    )
    return iter(batches[first_step:].to_iter_dataset(options))


def gather(
    split: Split,
    indices: Sequence[int] | np.ndarray,
    image_size: tuple[int, int],
    fit: Fit = "stretch",
) -> Batch:
    """Returns the batch of the given positions of a split.

    Args:
        split: N images.
        indices: whole numbers [B], each in 0..N-1.
        image_size: (H, W) in pixels.
        fit: see `resize`.

    Returns:
        {"image": uint8 [B,H,W,3], "label": int32 [B], "index": int32 [B]}.
    """
    indices = np.asarray(indices, np.int32)
    images = split.images
    if isinstance(images, np.ndarray) and images.shape[1:3] == tuple(image_size):
        pixels = images[indices]
    else:
        pixels = np.stack([resize(images[int(i)], image_size, fit) for i in indices])
    return {"image": pixels, "label": split.labels[indices], "index": indices}


def _padded(batch: Batch, batch_size: int) -> Batch:
    count = len(batch["index"])
    positions = np.minimum(np.arange(batch_size), count - 1)
    padded = {name: values[positions] for name, values in batch.items()}
    return {**padded, "valid": np.arange(batch_size) < count}


def _check_arguments(
    split: Split, batch_size: int, image_size: tuple[int, int]
) -> None:
    if len(split) == 0:
        raise ValueError("split has no images; there is nothing to batch")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if len(image_size) != 2 or min(image_size) < 1:
        raise ValueError(
            f"image_size must be (height, width) in pixels, got {image_size}"
        )
