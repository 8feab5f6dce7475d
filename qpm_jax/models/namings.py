"""Which names a model's published arrays have: one or more tables for each model."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from qpm_jax.models import (
    names_mobilenet_v2,
    torch_names_convnext,
    torch_names_efficientnet_lite,
    torch_names_swin,
    torch_names_vit,
)
from qpm_jax.models.layouts import Source
from qpm_jax.models.resnet import BasicBlock, Bottleneck
from qpm_jax.models.swin import SWIN_S_DEPTHS, SWIN_T_DEPTHS
from qpm_jax.models.torch_names_resnet import resnet

# Ends of keys that carry no weights: counters beside batch normalisation, tables that
# follow from the window size, and the token of a pretraining task.
_WITHOUT_WEIGHTS = (
    "num_batches_tracked",
    "relative_position_index",
    "attn_mask",
    "mask_token",
)


@dataclass(frozen=True)
class Naming:
    """One table of names.

    Attributes:
      origin: whose names they are.
      sources: yields where every array comes from; the head's bias is the last.
    """

    origin: str
    sources: Callable[[], Iterator[Source]]


def _resnet(block: Any, depths: tuple[int, ...]) -> tuple[Naming, ...]:
    return (
        Naming("torchvision and timm", partial(resnet, block, depths, "fc")),
        Naming("the published QPM code", partial(resnet, block, depths, "linear")),
    )


def _swin(depths: tuple[int, ...]) -> tuple[Naming, ...]:
    return (
        Naming("torchvision", partial(torch_names_swin.torchvision, depths)),
        Naming("timm", partial(torch_names_swin.timm, depths)),
        Naming("its authors", partial(torch_names_swin.original, depths)),
    )


_DINOV2 = (Naming("DINOv2 and timm", torch_names_vit.dinov2),)
# PyTorch's names; the first table of each model is what it is exported with.
TORCH = {
    "convnext_t": (
        Naming("torchvision", torch_names_convnext.torchvision),
        Naming("timm", torch_names_convnext.timm),
    ),
    "efficientnet_lite0": (
        Naming(
            "efficientnet_pytorch", torch_names_efficientnet_lite.efficientnet_pytorch
        ),
        Naming("timm", torch_names_efficientnet_lite.timm),
    ),
    "mobilenet_v2": (
        Naming("torchvision", names_mobilenet_v2.torchvision),
        Naming("timm", names_mobilenet_v2.timm),
    ),
    "resnet18": _resnet(BasicBlock, (2, 2, 2, 2)),
    "resnet34": _resnet(BasicBlock, (3, 4, 6, 3)),
    "resnet50": _resnet(Bottleneck, (3, 4, 6, 3)),
    "swin_s": _swin(SWIN_S_DEPTHS),
    "swin_t": _swin(SWIN_T_DEPTHS),
    "vit_b_14_dinov2": _DINOV2,
    "vit_s_14_dinov2": _DINOV2,
}
# All that files come in.
IN_FILES = {
    **TORCH,
    "mobilenet_v2_tf": (Naming("folded arrays", names_mobilenet_v2.folded),),
}


def carries_weights(key: str) -> bool:
    """Whether an array of this name holds anything a network needs."""
    return not key.endswith(_WITHOUT_WEIGHTS)


def sources_for(namings: Iterable[Naming], arrays: Mapping[str, Any]) -> list[Source]:
    """Returns the table that explains most of the arrays.

    Args:
      namings: tables of one model.
      arrays: named as in one of them, or nearly.

    Returns:
      The table's sources; without the head's where the arrays have nothing of one.
    """

    def explained(naming: Naming) -> int:
        return sum(source.key in arrays for source in naming.sources())

    chosen = max(namings, key=explained)
    sources = list(chosen.sources())
    head = [source for source in sources if source.path[1] == "head"]
    if not any(source.key in arrays for source in head):
        return [source for source in sources if source not in head]
    return sources
