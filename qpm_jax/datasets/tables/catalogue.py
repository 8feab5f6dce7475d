"""Every table by its name: `names()` and `load(name, root)`."""

from collections.abc import Callable
from pathlib import Path

from qpm_jax.datasets.tables import ask_ubuntu, digits, flags, mnist
from qpm_jax.datasets.tables.table import Table, TextTable
from qpm_jax.nearest_names import did_you_mean

_LOADERS: dict[str, Callable[[str | Path | None], Table | TextTable]] = {
    "ask_ubuntu": ask_ubuntu.load,
    "digits": digits.load,
    "flags": flags.load,
    "flags_counts": flags.load_counts,
    "mnist": mnist.load,
}


def names() -> tuple[str, ...]:
    """Returns the names that `load` knows, in alphabetical order."""
    return tuple(sorted(_LOADERS))


def load(name: str, root: str | Path | None = None) -> Table | TextTable:
    """Reads a table.

    Args:
        name: one of `names()`.
        root: folder of its files; None takes the folder of that data set in data/ of
            the folder that QPM_JAX_SHARED names. What to download is in the error.

    Returns:
        The table, or the texts of one.

    Raises:
        ValueError: for an unknown name (the nearest are named), or when files are
            missing or damaged.
    """
    if name not in _LOADERS:
        raise ValueError(
            f"name is {name!r}; there is no such table.{did_you_mean(name, names())}"
            f" There are: {', '.join(names())}."
        )
    return _LOADERS[name](root)
