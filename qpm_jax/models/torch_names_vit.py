"""What the arrays of a DINOv2 transformer are called, in its own files and in timm."""

from collections.abc import Iterator

from qpm_jax.models.layouts import (
    AS_IS,
    OIHW,
    ONE_TD,
    OUT_IN,
    Layout,
    Source,
    affine,
    dense_head,
    layer_norm,
    parameter,
)
from qpm_jax.models.vit import DEPTH

_ONE_ONE_D = Layout(
    lambda shape: (1, 1, *shape), lambda array: array[0, 0], lambda a: a[None, None]
)


def dinov2() -> Iterator[Source]:
    """Yields where every array comes from."""
    yield parameter("cls_token", _ONE_ONE_D, "class_token")
    yield parameter("pos_embed", ONE_TD, "positions")
    yield from affine("patch_embed.proj", OIHW, "patches")
    for number in range(DEPTH):
        key, place = f"blocks.{number}", f"block{number + 1:02d}"
        yield from layer_norm(f"{key}.norm1", place, "norm1")
        yield from affine(f"{key}.attn.qkv", OUT_IN, place, "attention", "qkv")
        yield from affine(f"{key}.attn.proj", OUT_IN, place, "attention", "proj")
        yield parameter(f"{key}.ls1.gamma", AS_IS, place, "layer_scale1", "scale")
        yield from layer_norm(f"{key}.norm2", place, "norm2")
        yield from affine(f"{key}.mlp.fc1", OUT_IN, place, "expand")
        yield from affine(f"{key}.mlp.fc2", OUT_IN, place, "project")
        yield parameter(f"{key}.ls2.gamma", AS_IS, place, "layer_scale2", "scale")
    yield from layer_norm("norm", "norm")
    yield from dense_head("head")
