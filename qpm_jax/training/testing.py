"""A pass over the test images while a phase trains; it ends early where it is asked to.

The hosts of a job look at the same batch together, so they also leave together.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import jax

from qpm_jax.training.agreement import any_host, asks
from qpm_jax.training.steps import Batch, Recipe, test_step


def test_figures(
    test_function: Callable[[Any, Batch], dict[str, Any]],
    variables: Any,
    batches: Iterable[Batch],
) -> dict[str, float]:
    """Returns `loss` and `accuracy` (a fraction) over all valid images."""
    sums = {"loss": 0.0, "correct": 0.0, "count": 0.0}
    for batch in batches:
        result = test_function(variables, _device_part(batch))
        sums = {name: sums[name] + float(result[name]) for name in sums}
    count = max(sums["count"], 1.0)
    return {"loss": sums["loss"] / count, "accuracy": sums["correct"] / count}


test_figures.__test__ = False  # type: ignore[attr-defined]


def _device_part(batch: Batch) -> Batch:
    return {name: batch[name] for name in ("image", "label", "valid") if name in batch}


class AskedToEnd(Exception):
    """The end was asked for in the middle of a pass over the test images."""


def tester(
    recipe: Recipe,
    test_batches: Callable[[], Iterable[Batch]],
    should_stop: Callable[[int], bool],
) -> Callable[[Any], dict[str, float]]:
    """Returns a function of the variables: the figures over the test images.

    Args:
      recipe: Of the phase.
      test_batches: Function that starts a pass over the test images.
      should_stop: As of `train`; asked before each batch by its number.

    Returns:
      A function, compiled once, that raises `AskedToEnd` where `should_stop` said so.
    """
    test_function = jax.jit(partial(test_step, recipe.network, recipe.mean, recipe.std))

    def unless_asked() -> Iterator[Batch]:
        for number, batch in enumerate(test_batches()):
            if asks(number) and any_host(should_stop(number))[0]:
                raise AskedToEnd
            yield batch

    return lambda variables: test_figures(test_function, variables, unless_asked())
