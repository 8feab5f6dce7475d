"""What the arrays of a Swin are called: torchvision, timm, and Microsoft's files.

The latter two differ in where a merging is counted and in the head's name.
"""

from collections.abc import Iterator, Sequence

from qpm_jax.models.layouts import (
    AS_IS,
    OIHW,
    OUT_IN,
    Source,
    affine,
    dense_head,
    kernel,
    layer_norm,
    parameter,
)


def torchvision(depths: Sequence[int]) -> Iterator[Source]:
    """Yields where every array comes from, in torchvision's names."""
    yield from affine("features.0.0", OIHW, "stem")
    yield from layer_norm("features.0.2", "stem_norm")
    for stage, depth in enumerate(depths, start=1):
        if stage > 1:
            yield from _merging(f"features.{2 * stage - 2}", stage)
        for number in range(depth):
            key = f"features.{2 * stage - 1}.{number}"
            place = f"stage{stage}_block{number + 1}"
            yield from _block(key, place, ("mlp.0", "mlp.3"))
    yield from layer_norm("norm", "norm")
    yield from dense_head("head")


def timm(depths: Sequence[int]) -> Iterator[Source]:
    """Yields where every array comes from, in timm's names."""
    return _layers(depths, merging_before=0, head="head.fc")


def original(depths: Sequence[int]) -> Iterator[Source]:
    """Yields where every array comes from, in the names of the published files."""
    return _layers(depths, merging_before=1, head="head")


def _layers(depths: Sequence[int], merging_before: int, head: str) -> Iterator[Source]:
    yield from affine("patch_embed.proj", OIHW, "stem")
    yield from layer_norm("patch_embed.norm", "stem_norm")
    for stage, depth in enumerate(depths, start=1):
        key = f"layers.{stage - 1}"
        if stage > 1:
            counted = f"layers.{stage - 1 - merging_before}"
            yield from _merging(f"{counted}.downsample", stage)
        for number in range(depth):
            place = f"stage{stage}_block{number + 1}"
            yield from _block(f"{key}.blocks.{number}", place, ("mlp.fc1", "mlp.fc2"))
    yield from layer_norm("norm", "norm")
    yield from dense_head(head)


def _merging(key: str, stage: int) -> Iterator[Source]:
    place = f"stage{stage}_merging"
    yield from layer_norm(f"{key}.norm", place, "norm")
    yield kernel(f"{key}.reduction", OUT_IN, place, "reduction")


def _block(key: str, place: str, mlp: tuple[str, str]) -> Iterator[Source]:
    yield from layer_norm(f"{key}.norm1", place, "norm1")
    table = f"{key}.attn.relative_position_bias_table"
    yield parameter(table, AS_IS, place, "attention", "position_bias")
    yield from affine(f"{key}.attn.qkv", OUT_IN, place, "attention", "qkv")
    yield from affine(f"{key}.attn.proj", OUT_IN, place, "attention", "proj")
    yield from layer_norm(f"{key}.norm2", place, "norm2")
    yield from affine(f"{key}.{mlp[0]}", OUT_IN, place, "expand")
    yield from affine(f"{key}.{mlp[1]}", OUT_IN, place, "project")
