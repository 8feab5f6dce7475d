"""What the arrays of a ResNet are called in torchvision, timm and the authors' files.

torchvision and timm agree; the code published with QPM calls the head "linear".
"""

from collections.abc import Iterator, Sequence

from qpm_jax.models.layouts import OI11, OIHW, Source, batch_norm, dense_head, kernel
from qpm_jax.models.resnet import BasicBlock, Bottleneck


def resnet(
    block: type[BasicBlock | Bottleneck], depths: Sequence[int], head: str
) -> Iterator[Source]:
    """Yields where every array comes from.

    Args:
      block: `BasicBlock` or `Bottleneck`.
      depths: blocks in each of the four stages.
      head: what the linear layer is called.
    """
    yield kernel("conv1", OIHW, "stem")
    yield from batch_norm("bn1", "stem_norm")
    layouts = (OI11, OIHW, OI11) if block is Bottleneck else (OIHW, OIHW)
    for stage, depth in enumerate(depths, start=1):
        for number in range(depth):
            key, place = f"layer{stage}.{number}", f"stage{stage}_block{number + 1}"
            for part, layout in enumerate(layouts, start=1):
                yield kernel(f"{key}.conv{part}", layout, place, f"conv{part}")
                yield from batch_norm(f"{key}.bn{part}", place, f"norm{part}")
            # The first stage of basic blocks keeps its inputs' shape.
            if number == 0 and (stage > 1 or block is Bottleneck):
                yield kernel(f"{key}.downsample.0", OI11, place, "shortcut")
                yield from batch_norm(f"{key}.downsample.1", place, "shortcut_norm")
    yield from dense_head(head)
