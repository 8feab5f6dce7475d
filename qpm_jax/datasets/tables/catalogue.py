"""Every table by its name: `names()` and `load(name, root)`."""

import difflib
from collections.abc import Callable
from pathlib import Path

from qpm_jax.datasets.tables import ask_ubuntu, digits, flags, mnist
from qpm_jax.datasets.tables.table import Table, TextTable

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
        near = difflib.get_close_matches(str(name), names(), n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(
            f"name is {name!r}; there is no such table.{hint} There are:"
            f" {', '.join(names())}."
        )
    return _LOADERS[name](root)
