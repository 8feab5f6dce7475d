"""What the arrays of ConvNeXt-T are called in torchvision and in timm."""

from collections.abc import Iterator

from qpm_jax.models.convnext import DEPTHS
from qpm_jax.models.layouts import (
    AS_IS,
    C1HW,
    C11,
    OIHW,
    OUT_IN,
    Source,
    affine,
    dense_head,
    layer_norm,
    parameter,
)


def torchvision() -> Iterator[Source]:
    """Yields where every array comes from, in torchvision's names."""
    yield from affine("features.0.0", OIHW, "stem")
    yield from layer_norm("features.0.1", "stem_norm")
    for stage, depth in enumerate(DEPTHS, start=1):
        if stage > 1:
            key = f"features.{2 * stage - 2}"
            yield from layer_norm(f"{key}.0", f"stage{stage}_norm")
            yield from affine(f"{key}.1", OIHW, f"stage{stage}_patches")
        for number in range(depth):
            key = f"features.{2 * stage - 1}.{number}"
            place = f"stage{stage}_block{number + 1}"
            yield from affine(f"{key}.block.0", C1HW, place, "depthwise")
            yield from layer_norm(f"{key}.block.2", place, "norm")
            yield from affine(f"{key}.block.3", OUT_IN, place, "expand")
            yield from affine(f"{key}.block.5", OUT_IN, place, "project")
            yield parameter(f"{key}.layer_scale", C11, place, "layer_scale", "scale")
    yield from layer_norm("classifier.0", "norm")
    yield from dense_head("classifier.2")


def timm() -> Iterator[Source]:
    """Yields where every array comes from, in timm's names."""
    yield from affine("stem.0", OIHW, "stem")
    yield from layer_norm("stem.1", "stem_norm")
    for stage, depth in enumerate(DEPTHS, start=1):
        key = f"stages.{stage - 1}"
        if stage > 1:
            yield from layer_norm(f"{key}.downsample.0", f"stage{stage}_norm")
            yield from affine(f"{key}.downsample.1", OIHW, f"stage{stage}_patches")
        for number in range(depth):
            block, place = f"{key}.blocks.{number}", f"stage{stage}_block{number + 1}"
            yield from affine(f"{block}.conv_dw", C1HW, place, "depthwise")
            yield from layer_norm(f"{block}.norm", place, "norm")
            yield from affine(f"{block}.mlp.fc1", OUT_IN, place, "expand")
            yield from affine(f"{block}.mlp.fc2", OUT_IN, place, "project")
            yield parameter(f"{block}.gamma", AS_IS, place, "layer_scale", "scale")
    yield from layer_norm("head.norm", "norm")
    yield from dense_head("head.fc")
