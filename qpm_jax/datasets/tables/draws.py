"""Class-balanced training draws, and labels that are wrong on purpose.

Tule, Le, Say, arXiv 2112.00434, Table I: all training sizes fit draws that are as even
as the classes allow, such as AskUbuntu's 23 = 4·5 + 3 where the smallest class has 3.
Testing is on all rows that remain.
"""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Int

# What a seed is used for, so that draws and corruptions do not share random numbers.
_SHARES, _ROWS, _CORRUPTION = 0, 1, 2


def class_sizes(
    available: Int[ArrayLike, " C"], size: int, seed: int = 0
) -> Int[np.ndarray, " C"]:
    """How many rows of every class make a draw as even as possible.

    Every class gives the same number, or all it has where it has less; what then still
    lacks is one each from classes chosen at random.

    Args:
        available: rows of every class.
        size: rows to draw in all, at least one a class.
        seed: 0 or more.

    Returns:
        int64 [C], adding up to `size`.

    Raises:
        ValueError: when `size` is less than a row a class or more than there is.
    """
    counts = np.asarray(available, np.int64)
    if not len(counts) <= size <= counts.sum():
        raise ValueError(
            f"size is {size}; it must lie in {len(counts)} … {counts.sum()}: at least"
            " one row a class, and no more than there are."
        )
    levels = np.arange(counts.max() + 1)
    level = int(levels[np.minimum.outer(levels, counts).sum(axis=1) <= size][-1])
    sizes = np.minimum(level, counts)
    larger = np.flatnonzero(counts > level)
    generator = np.random.default_rng([seed, _SHARES])
    sizes[generator.permutation(larger)[: size - sizes.sum()]] += 1
    if sizes.min() == 0:
        empty = int(sizes.argmin())
        raise ValueError(
            f"available has no row of class {empty}; draw from rows that have all"
            " classes."
        )
    return sizes


def balanced_draw(
    labels: Int[ArrayLike, " N"],
    num_classes: int,
    size: int,
    seed: int,
    pool: Bool[ArrayLike, " N"] | None = None,
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " M"]]:
    """Draws training rows, as even over the classes as their rows allow.

    Draws of one seed are nested where the classes share alike: a larger one has all
    rows of a smaller one.

    Args:
        labels: whole numbers [N], 0 … C−1.
        num_classes: C.
        size: n, rows to draw.
        seed: 0 or more; the same seed draws the same rows.
        pool: the rows to draw from, such as the official training part; None for all.

    Returns:
        Ascending rows of the draw, and those that remain: all others, also of outside
        the pool.

    Raises:
        ValueError: when the pool cannot give such a draw.
    """
    classes = np.asarray(labels, np.int64)
    allowed = np.ones(len(classes), bool) if pool is None else np.asarray(pool, bool)
    if allowed.shape != classes.shape:
        raise ValueError(
            f"pool has shape {allowed.shape}; it must be {classes.shape}, one for each"
            " label."
        )
    available = np.bincount(classes[allowed], minlength=num_classes)
    sizes = class_sizes(available, size, seed)
    generator = np.random.default_rng([seed, _ROWS])
    order = generator.permutation(len(classes))
    order = order[allowed[order]]
    order = order[np.argsort(classes[order], kind="stable")]  # class by class, shuffled
    place = np.arange(len(order)) - np.repeat(
        np.cumsum(available) - available, available
    )
    training = np.zeros(len(classes), bool)
    training[order[place < sizes[classes[order]]]] = True
    return np.flatnonzero(training), np.flatnonzero(~training)


def corrupt_labels(
    labels: Int[ArrayLike, " n"], num_classes: int, fraction: float, seed: int
) -> Int[np.ndarray, " n"]:
    """Gives a share of the labels another class, each of the others as likely.

    Args:
        labels: whole numbers [n], 0 … C−1.
        num_classes: C, 2 or more.
        fraction: share of the labels, in [0, 1]; the number is rounded, halves up.
        seed: 0 or more.

    Returns:
        int64 [n], different from `labels` in exactly that number of places.

    Raises:
        ValueError: when the fraction lies outside [0, 1] or there is no other class.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction is {fraction!r}; it must lie in 0 … 1.")
    if num_classes < 2:
        raise ValueError(
            f"num_classes is {num_classes!r}; it must be 2 or more: a label needs"
            " another class to go to."
        )
    wrong = np.array(labels, np.int64)
    generator = np.random.default_rng([seed, _CORRUPTION])
    count = int(np.floor(fraction * len(wrong) + 0.5))
    chosen = generator.permutation(len(wrong))[:count]
    shift = generator.integers(1, num_classes, size=count)
    wrong[chosen] = (wrong[chosen] + shift) % num_classes
    return wrong
