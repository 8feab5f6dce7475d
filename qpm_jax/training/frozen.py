"""What does not train: the variables whose name a regular expression matches."""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import flax.linen as nn

from qpm_jax.models.batch_norm import BatchNorm


def is_frozen(frozen: str, path: Sequence[str]) -> bool:
    """Whether `frozen` matches a variable's name from the start.

    Args:
      frozen: Regular expression; empty matches nothing.
      path: Of the variable in its collection, such as backbone, stem_norm, mean.
    """
    return bool(frozen) and re.match(frozen, "/".join(path)) is not None


def held_statistics(frozen: str) -> AbstractContextManager[None]:
    """Within it, frozen batch normalisations work in training as in the test.

    Those whose running mean and variance `frozen` matches normalise by them and leave
    them as they are, as PyTorch's do in evaluation mode.

    Args:
      frozen: As of `is_frozen`, such as "backbone/block0[0-2]/".
    """

    def call(
        run: Callable[..., Any],
        arguments: tuple[Any, ...],
        named: dict[str, Any],
        context: nn.module.InterceptorContext,
    ) -> Any:
        module = context.module
        if isinstance(module, BatchNorm) and context.method_name == "__call__":
            names = ((*module.path, name) for name in ("mean", "var"))
            if all(is_frozen(frozen, name) for name in names):
                return run(arguments[0], train=False)
        return run(*arguments, **named)

    return nn.intercept_methods(call) if frozen else nullcontext()
