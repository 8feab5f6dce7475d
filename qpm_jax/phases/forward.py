"""A streamed forward pass: every batch's outputs in turn, never all maps at once."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from qpm_jax import distributed
from qpm_jax.datasets.dataset import Split
from qpm_jax.datasets.normalise import normalise
from qpm_jax.phases.setting import Channels, Setting
from qpm_jax.training.agreement import leave_if_asked
from qpm_jax.training.progress import track


class Outputs(NamedTuple):
    """What a network says of one padded batch of all hosts.

    Logits and maps are divided by rows over the devices; features, which every class's
    sum needs all of, lie whole on each.

    Attributes:
      batch: The batch itself; `label`, `index` and `valid` are NumPy.
      logits: [B, C].
      features: [B, F].
      maps: [B, H, W, F].
    """

    batch: dict[str, Any]
    logits: Float[Array, "B C"]
    features: Float[Array, "B F"]
    maps: Float[Array, "B H W F"]


def infer(
    network: nn.Module, mean: Channels, std: Channels, variables: Any, images: Array
) -> tuple[Array, Array, Array]:
    """Returns (logits, features, maps) of uint8 images [B, H, W, 3] at test time."""
    outputs: Any = network.apply(variables, normalise(images, mean, std), train=False)
    return outputs


def stream(
    setting: Setting, network: nn.Module, variables: Any, split: Split, title: str
) -> Iterator[Outputs]:
    """Yields the network's outputs over a split in order, with a progress bar.

    Raises:
      Stopped: There are several hosts, and one of them was asked to end.
    """
    rows = distributed.along_rows(setting.mesh)
    function = jax.jit(
        partial(infer, network, setting.mean, setting.std),
        out_shardings=(rows, distributed.replicated(setting.mesh), rows),
    )
    batches = -(-len(split.labels) // setting.evaluation_batch_size)
    passed = track(setting.in_order(split), batches, title)
    for number, batch in enumerate(passed):
        leave_if_asked(number)
        yield Outputs(batch, *function(variables, batch["image"]))
