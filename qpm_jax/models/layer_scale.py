"""A trained factor for each channel of a residual branch (arXiv 2103.17239)."""

from flax import linen as nn
from jaxtyping import Array, Float


class LayerScale(nn.Module):
    """Multiplies each channel by its own factor, small at the start of training.

    Attributes:
      initial: the factors' first value.
    """

    initial: float

    @nn.compact
    def __call__(self, inputs: Float[Array, "*N D"]) -> Float[Array, "*N D"]:
        """Returns the scaled inputs."""
        start = nn.initializers.constant(self.initial)
        return inputs * self.param("scale", start, (inputs.shape[-1],))
