"""Images of the run's test split to try the demo with, where the data is at hand."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from qpm_jax.datasets.dataset import Split
from qpm_jax.phases import data
from qpm_jax.phases import workdir as folders
from qpm_jax.run import Run


@dataclass(frozen=True)
class Example:
    """A test image with the name of its class."""

    image: UInt8[np.ndarray, "H W 3"]
    class_name: str


def run_examples(run: Run, count: int = 8) -> tuple[Example, ...]:
    """Returns test images of the data set the run was trained on.

    Args:
      run: A trained run.
      count: At most so many; 0 does not load the data set.

    Returns:
      Images of different classes; none where the data set cannot be loaded here, or
      has other classes by now.
    """
    if count < 1:
        return ()
    config = folders.read_config(run.workdir)
    try:
        dataset = data.load(config)
        if dataset.class_names != run.class_names:
            return ()
        return pick(dataset.test, dataset.class_names, count)
    except (ValueError, OSError, ImportError):
        return ()


def pick(split: Split, class_names: tuple[str, ...], count: int) -> tuple[Example, ...]:
    """Returns the first image of each of `count` classes, spread over all of them."""
    labels, first = np.unique(split.labels, return_index=True)
    places = np.linspace(0, len(labels) - 1, min(count, len(labels)))
    taken = np.unique(places.round().astype(int)).tolist() if len(labels) else []
    return tuple(
        Example(np.asarray(split.images[int(first[i])]), class_names[int(labels[i])])
        for i in taken
    )
