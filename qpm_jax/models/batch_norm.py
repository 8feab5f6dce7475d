"""Batch normalisation with the running statistics PyTorch keeps.

Ioffe and Szegedy 2015 (arXiv 1502.03167). Like `torch.nn.BatchNorm2d`, and unlike
Flax's, it normalises by the batch's population variance but keeps the unbiased one:
fine-tuned statistics then agree with those of the published training code.
"""

import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float


class BatchNorm(nn.Module):
    """Each channel to mean 0 and variance 1, then scaled and shifted.

    Attributes:
      momentum: share of the running statistics kept at a step (PyTorch's momentum is
        the rest, 0.1).
      epsilon: added to the variance.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "N H W D"], train: bool = False
    ) -> Float[Array, "N H W D"]:
        """Normalises by the running statistics, or, in training, the batch's own."""
        shape = (inputs.shape[-1],)
        mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
        variance = self.variable("batch_stats", "var", jnp.ones, shape)
        scale = self.param("scale", nn.initializers.ones, shape)
        bias = self.param("bias", nn.initializers.zeros, shape)
        if not train:
            center, spread = mean.value, variance.value
        else:
            center, spread = _moments(inputs)
            if not self.is_initializing():
                count = inputs.size // inputs.shape[-1]
                unbiased = spread * (count / max(count - 1, 1))
                mean.value = self._kept(mean.value, center)
                variance.value = self._kept(variance.value, unbiased)
        factor = scale * lax.rsqrt(spread + self.epsilon)
        return ((inputs - center) * factor + bias).astype(inputs.dtype)

    def _kept(self, running: Array, batch: Array) -> Array:
        return self.momentum * running + (1.0 - self.momentum) * batch


def _moments(inputs: Float[Array, "N H W D"]) -> tuple[Array, Array]:
    """Mean and population variance of each channel, in one pass over the inputs."""
    values = inputs.astype(jnp.promote_types(inputs.dtype, jnp.float32))
    axes = tuple(range(values.ndim - 1))
    center = values.mean(axes)
    return center, jnp.maximum(jnp.square(values).mean(axes) - jnp.square(center), 0.0)
