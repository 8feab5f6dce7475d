"""Progress bars for people: on a terminal only, silent in logs and pipes.

Of several hosts the first one shows them.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from tqdm import tqdm

from qpm_jax.distributed import is_first

Item = TypeVar("Item")


def bar(total: int, description: str, initial: int = 0) -> tqdm:
    """Returns a bar to update by hand; it shows nothing where stderr is no terminal."""
    return tqdm(
        total=total,
        initial=initial,
        desc=description,
        disable=not _shown(),
        dynamic_ncols=True,
        leave=True,
    )


def track(items: Iterable[Item], total: int | None, description: str) -> Iterator[Item]:
    """Yields `items` while a bar counts them."""
    yield from tqdm(
        items,
        total=total,
        desc=description,
        disable=not _shown(),
        dynamic_ncols=True,
        leave=False,
    )


def show(progress: tqdm, **figures: Any) -> None:
    """Writes figures such as loss and accuracy behind the bar."""
    progress.set_postfix({k: f"{v:.3g}" for k, v in figures.items()}, refresh=False)


def _shown() -> bool:
    return sys.stderr.isatty() and is_first()
