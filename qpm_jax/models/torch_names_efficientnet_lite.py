"""What the arrays of EfficientNet-Lite0 are called in PyTorch."""

from collections.abc import Iterator

from qpm_jax.models.efficientnet_lite import STAGES
from qpm_jax.models.layouts import (
    C1HW,
    OI11,
    OIHW,
    Source,
    batch_norm,
    dense_head,
    kernel,
)
from qpm_jax.models.timm_names_mobile import inverted_residuals


def timm() -> Iterator[Source]:
    """Yields where every array comes from, in the names of timm's port."""
    return inverted_residuals(STAGES)


def efficientnet_pytorch() -> Iterator[Source]:
    """Yields where every array comes from, in the names of that package and its kin."""
    yield kernel("_conv_stem", OIHW, "stem")
    yield from batch_norm("_bn0", "stem_norm")
    expansions = [stage[0] for stage in STAGES for _ in range(stage[2])]
    for number, expansion in enumerate(expansions):
        key, block = f"_blocks.{number}", f"block{number:02d}"
        if expansion != 1:
            yield kernel(f"{key}._expand_conv", OI11, block, "expand")
            yield from batch_norm(f"{key}._bn0", block, "expand_norm")
        yield kernel(f"{key}._depthwise_conv", C1HW, block, "depthwise")
        yield from batch_norm(f"{key}._bn1", block, "depthwise_norm")
        yield kernel(f"{key}._project_conv", OI11, block, "project")
        yield from batch_norm(f"{key}._bn2", block, "project_norm")
    yield kernel("_conv_head", OI11, "head")
    yield from batch_norm("_bn1", "head_norm")
    yield from dense_head("_fc")
