"""What timm calls the arrays of networks of inverted residuals with ReLU6."""

from collections.abc import Iterator, Sequence

from qpm_jax.models.inverted_residual import Stage
from qpm_jax.models.layouts import (
    C1HW,
    OI11,
    OIHW,
    Source,
    batch_norm,
    dense_head,
    kernel,
)

_PARTS = {"conv_pw": "expand", "conv_dw": "depthwise", "conv_pwl": "project"}
# A first block that expands nothing is another class there, with names of its own.
_PARTS_UNEXPANDED = {"conv_dw": "depthwise", "conv_pw": "project"}


def inverted_residuals(stages: Sequence[Sequence[int]]) -> Iterator[Source]:
    """Yields where every array comes from, from the stem to the head.

    Args:
      stages: the fields of a `Stage` each.
    """
    yield kernel("conv_stem", OIHW, "stem")
    yield from batch_norm("bn1", "stem_norm")
    rows = [Stage(*stage) for stage in stages]
    places = [(s, i) for s, row in enumerate(rows) for i in range(row.repeats)]
    for number, (stage, index) in enumerate(places):
        key, block = f"blocks.{stage}.{index}", f"block{number:02d}"
        parts = _PARTS_UNEXPANDED if rows[stage].expansion == 1 else _PARTS
        for norm, (name, part) in enumerate(parts.items(), start=1):
            layout = C1HW if part == "depthwise" else OI11
            yield kernel(f"{key}.{name}", layout, block, part)
            yield from batch_norm(f"{key}.bn{norm}", block, f"{part}_norm")
    yield kernel("conv_head", OI11, "head")
    yield from batch_norm("bn2", "head_norm")
    yield from dense_head("classifier")
