"""Mixed precision: the backbone computes in bfloat16, everything kept is float32.

Parameters, their gradients, the optimiser's state, running statistics, pooled features,
the head and the losses stay float32; only what the backbone computes in between is
rounded. Bfloat16 has float32's range, so the loss needs no scaling (Kalamkar et al.
2019, arXiv 1905.12322).
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from qpm_jax.config_keys import check_among
from qpm_jax.training.state import Parameters

DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}


def inputs_in(
    precision: str, params: Parameters, images: Float[Array, "N h w 3"]
) -> tuple[Parameters, Float[Array, "N h w 3"]]:
    """Returns what the network is applied to.

    Args:
      precision: a key of `DTYPES`.
      params: float32, `backbone` and, where it learns, `head`.
      images: float32, normalised.

    Returns:
      The parameters, the backbone's in that precision, and the images in it. Gradients
      by the parameters that came are float32.
    """
    dtype = DTYPES[precision]

    def cast(leaf: Any) -> Any:
        is_real = jnp.issubdtype(leaf.dtype, jnp.floating)
        return leaf.astype(dtype) if is_real else leaf

    backbone = jax.tree.map(cast, params["backbone"])
    return {**params, "backbone": backbone}, images.astype(dtype)


def check(precision: str) -> None:
    """Raises ValueError where there is no such precision."""
    check_among("precision", [precision], tuple(DTYPES))
