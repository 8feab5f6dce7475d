"""What the arrays of MobileNetV2 are called: in torchvision, in timm, and folded."""

from collections.abc import Iterator

from qpm_jax.models.layouts import (
    AS_IS,
    C1HW,
    HW1C,
    OI11,
    OIHW,
    ONE_ONE_IO,
    Layout,
    Source,
    batch_norm,
    dense_head,
    kernel,
)
from qpm_jax.models.mobilenet_v2 import STAGES
from qpm_jax.models.timm_names_mobile import inverted_residuals

EXPANSIONS = tuple(stage[0] for stage in STAGES for _ in range(stage[2]))


def torchvision() -> Iterator[Source]:
    """Yields where every array comes from, in torchvision's names."""
    yield kernel("features.0.0", OIHW, "stem")
    yield from batch_norm("features.0.1", "stem_norm")
    for number, expansion in enumerate(EXPANSIONS):
        key, block = f"features.{number + 1}.conv", f"block{number:02d}"
        first = 0 if expansion == 1 else 1
        if expansion != 1:
            yield kernel(f"{key}.0.0", OI11, block, "expand")
            yield from batch_norm(f"{key}.0.1", block, "expand_norm")
        yield kernel(f"{key}.{first}.0", C1HW, block, "depthwise")
        yield from batch_norm(f"{key}.{first}.1", block, "depthwise_norm")
        yield kernel(f"{key}.{first + 1}", OI11, block, "project")
        yield from batch_norm(f"{key}.{first + 2}", block, "project_norm")
    last = len(EXPANSIONS) + 1
    yield kernel(f"features.{last}.0", OI11, "head")
    yield from batch_norm(f"features.{last}.1", "head_norm")
    yield from dense_head("classifier.1")


def timm() -> Iterator[Source]:
    """Yields where every array comes from, in timm's names."""
    return inverted_residuals(STAGES)


def folded() -> Iterator[Source]:
    """Yields where every folded array comes from: conv + bias, HWIO, depthwise HW1C."""
    yield from _folded("stem", AS_IS, "backbone", "stem")
    for number, expansion in enumerate(EXPANSIONS):
        block = f"block{number:02d}"
        layouts = {"expand": ONE_ONE_IO, "depthwise": HW1C, "project": ONE_ONE_IO}
        if expansion == 1:
            del layouts["expand"]
        for part, layout in layouts.items():
            yield from _folded(f"{block}/{part}", layout, "backbone", block, part)
    yield from _folded("head", ONE_ONE_IO, "backbone", "head")
    yield from _folded("logits", AS_IS, "head")


def _folded(key: str, layout: Layout, *path: str) -> Iterator[Source]:
    yield Source(f"{key}/w", ("params", *path, "kernel"), layout)
    yield Source(f"{key}/b", ("params", *path, "bias"))
