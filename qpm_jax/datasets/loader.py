"""Batches as grain pipelines: any step at once, the same whatever came before.

A training run resumes at step s by asking for batch s; nothing else is to be restored.
Several hosts read a batch together, each its own rows of it; the batch is the same for
any number of them.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from qpm_jax.datasets.dataset import Split
from qpm_jax.datasets.image_files import Fit, resize, seen_share
from qpm_jax.datasets.training_crops import CROPS, Crop, training_crop
from qpm_jax.datasets.worker_processes import read_in_processes

if TYPE_CHECKING:
    import grain

Batch = dict[str, np.ndarray]


def training_batches(
    split: Split,
    batch_size: int,
    image_size: tuple[int, int],
    seed: int,
    fit: Fit = "stretch",
    crop: Crop = "none",
    padding: int = 0,
    shard_index: int = 0,
    shard_count: int = 1,
) -> "grain.MapDataset[Batch]":
    """Returns endless shuffled batches; item `step` is that training step's batch.

    Every epoch has its own order, and each image comes once in it; a batch may reach
    from one epoch into the next, so all batches are full.

    Args:
        split: what to train on, N images.
        batch_size: images a batch of all hosts together, B; may exceed N.
        image_size: (H, W) in pixels; other images are resized to it.
        seed: 0 to 2³²-1; the same seed gives the same batches.
        fit: see `resize`; for what `crop` leaves as it is.
        crop: "none", or a part of each image drawn anew, see `training_crop`.
        padding: of the crop "random", in pixels.
        shard_index: which host this is, 0 to shard_count-1; it gets the rows from
            shard_index·B/shard_count on.
        shard_count: hosts that read each batch together; it must divide the batch size.

    Returns:
        A random-access pipeline of {"image": uint8 [b,H,W,3], "label": int32 [b],
        "index": int32 [b] (position in the split)} with b = B/shard_count.

    Raises:
        ValueError: an empty split, or an argument out of range.
    """
    _check_arguments(split, batch_size, image_size)
    rows = _shard_rows(batch_size, shard_index, shard_count)
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be 0 to 2**32 - 1, got {seed}")
    if crop not in CROPS:
        raise ValueError(f"crop must be one of {', '.join(CROPS)}, got {crop!r}")
    import grain

    def read(step: int, indices: np.ndarray) -> Batch:
        if crop == "none":
            return gather(split, indices[rows], image_size, fit)
        places = range(step * batch_size, (step + 1) * batch_size)[rows]
        images = [
            training_crop(
                split.images[int(index)],
                image_size,
                crop,
                padding,
                np.random.default_rng([seed, place]),
            )
            for index, place in zip(indices[rows], places, strict=True)
        ]
        return _batch(split, np.stack(images), indices[rows])

    order = grain.MapDataset.range(len(split)).seed(seed).shuffle().repeat()
    return order.batch(batch_size).map_with_index(read)


def evaluation_batches(
    split: Split,
    batch_size: int,
    image_size: tuple[int, int],
    fit: Fit = "stretch",
    num_threads: int = 2,
    num_workers: int = 0,
    shard_index: int = 0,
    shard_count: int = 1,
) -> Iterator[Batch]:
    """Iterates once over a split in order; all batches have the same shape.

    Args:
        split: what to evaluate, N images.
        batch_size: images a batch of all hosts together, B.
        image_size: (H, W) in pixels; other images are resized to it.
        fit: see `resize`.
        num_threads: see `iterate_from`.
        num_workers: see `iterate_from`.
        shard_index: see `training_batches`.
        shard_count: see `training_batches`; every host gets as many batches.

    Returns:
        Iterator over batches as in `training_batches`, with "valid": bool. The last
        batch is filled up with the last image, whose copies are not valid.

    Raises:
        ValueError: an empty split, or an argument out of range.
    """
    _check_arguments(split, batch_size, image_size)
    rows = _shard_rows(batch_size, shard_index, shard_count)
    import grain

    def read(indices: np.ndarray) -> Batch:
        places = np.arange(batch_size)[rows]
        chosen = indices[np.minimum(places, len(indices) - 1)]
        once, copies = np.unique(chosen, return_inverse=True)
        batch = gather(split, once, image_size, fit)
        padded = {name: values[copies] for name, values in batch.items()}
        return {**padded, "valid": places < len(indices)}

    order = grain.MapDataset.range(len(split))
    batches = order.batch(batch_size, drop_remainder=False).map(read)
    return iterate_from(batches, 0, num_threads, num_workers)


def iterate_from(
    batches: "grain.MapDataset[Batch]",
    first_step: int = 0,
    num_threads: int = 2,
    num_workers: int = 0,
) -> Iterator[Batch]:
    """Iterates from a step on, while threads or processes prepare the next batches.

    Decoding and resizing leave Python's lock, so threads help; twice as many batches
    as threads are held. Where many cores wait for that lock, processes help more; each
    decodes every image anew. The batches are the same with either.

    Args:
        batches: from `training_batches`.
        first_step: the step to begin with.
        num_threads: how many batches are prepared at the same time.
        num_workers: processes that prepare batches instead; 0 leaves it to threads.

    Returns:
        An iterator over the same batches as `batches[first_step]`, ...; its `close()`
        ends threads and processes, which the end of the program does as well.

    Raises:
        ValueError: a first_step or num_workers below 0, or num_threads below 1.
    """
    if first_step < 0 or num_threads < 1 or num_workers < 0:
        raise ValueError(
            "first_step must be at least 0, num_threads at least 1 and num_workers at "
            f"least 0, got {first_step}, {num_threads} and {num_workers}"
        )
    if num_workers:
        return read_in_processes(batches, first_step, num_workers)
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
    alike = isinstance(images, np.ndarray) and images.shape[1:3] == tuple(image_size)
    if alike and seen_share(fit) == 1:
        pixels = images[indices]
    else:
        pixels = np.stack([resize(images[int(i)], image_size, fit) for i in indices])
    return _batch(split, pixels, indices)


def _batch(split: Split, images: np.ndarray, indices: np.ndarray) -> Batch:
    indices = np.asarray(indices, np.int32)
    return {"image": images, "label": split.labels[indices], "index": indices}


def _shard_rows(batch_size: int, shard_index: int, shard_count: int) -> slice:
    """Returns which rows of every batch are this host's."""
    if not 0 <= shard_index < shard_count:
        raise ValueError(
            f"shard_index must be 0 to shard_count - 1, got {shard_index} of "
            f"{shard_count}"
        )
    if batch_size % shard_count:
        raise ValueError(
            f"batch_size {batch_size} must be divisible by the {shard_count} hosts "
            f"that share each batch; take {-(-batch_size // shard_count) * shard_count}"
        )
    share = batch_size // shard_count
    return slice(shard_index * share, (shard_index + 1) * share)


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
