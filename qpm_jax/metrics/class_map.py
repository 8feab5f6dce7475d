"""Where a class is seen: the feature maps, summed with the class's weights.

The class activation map of Zhou et al. (2016, arXiv 1512.04150). With a linear head on
pooled maps its mean over positions is the class's score, so it is no approximation.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int


def class_map(
    feature_maps: Float[ArrayLike, "N H W F"],
    weights: Float[ArrayLike, "C F"],
    classes: Int[ArrayLike, " N"],
) -> Float[Array, "N H W"]:
    """Returns the map of one class a sample; pure and jittable, float32.

    Args:
        feature_maps: maps before pooling of the features that `weights` weigh.
        weights: class weights; of QPM divided by the features' standard deviations
            where the positions' parts in the score are wanted.
        classes: which class, for each sample.
    """
    rows = jnp.take(jnp.asarray(weights, jnp.float32), jnp.asarray(classes), axis=0)
    return jnp.einsum(
        "nhwf,nf->nhw",
        jnp.asarray(feature_maps, jnp.float32),
        rows,
        precision=jax.lax.Precision.HIGHEST,
    )
