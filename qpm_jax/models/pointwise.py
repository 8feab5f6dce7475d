"""1×1 convolution as one matrix product over all positions.

XLA's convolution on a CPU transposes both sides for the weight gradient of a 1×1
kernel, three to fifteen times the cost of the plain product it is.
"""

from typing import Any

from flax import linen as nn
from jaxtyping import Array, Float


class PointwiseConv(nn.Module):
    """A 1×1 convolution; its kernel is [D, E], its bias, if any, [E].

    Attributes:
      features: number of output channels E.
      use_bias: whether a bias is added.
      kernel_init: initialiser of the kernel.
    """

    features: int
    use_bias: bool = True
    kernel_init: Any = nn.initializers.variance_scaling(
        2.0, "fan_out", "truncated_normal"
    )

    @nn.compact
    def __call__(self, inputs: Float[Array, "N H W D"]) -> Float[Array, "N H W E"]:
        """Returns the mixed channels of every position."""
        channels = inputs.shape[-1]
        kernel = self.param("kernel", self.kernel_init, (channels, self.features))
        # Two axes, not four: else the gradient contracts three axes and copies first.
        outputs = inputs.reshape(-1, channels) @ kernel
        if self.use_bias:
            outputs += self.param("bias", nn.initializers.zeros, (self.features,))
        return outputs.reshape(*inputs.shape[:-1], self.features)
