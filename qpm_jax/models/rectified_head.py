"""The head of CHiQPM: QPM's, with features below their mean counted as absent.

F = max(0, (f − mean)/max(std, 1e-6)) (CHiQPM, arXiv 2511.20779): a class score is a sum
of what is there, never of what is missing.
"""

import jax
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from qpm_jax.models.heads import BinaryHead


class RectifiedHead(BinaryHead):
    """`BinaryHead` with a ReLU on the normalised features."""

    __hash__ = BinaryHead.__hash__
    __eq__ = BinaryHead.__eq__

    def __call__(
        self, features: Float[ArrayLike, "N F"], train: bool = False
    ) -> tuple[Float[Array, "N C"], Float[Array, "N n"]]:
        """Returns the class scores and what they are sums of.

        Args:
          features: [N, F] pooled features.
          train: with True, dropout draws from the stream "dropout" (needs `apply`).

        Returns:
          logits [N, C] and the rectified features [N, n], not negative.

        Raises:
          ValueError: where `selected`, `mean` or `std` do not fit F.
        """
        present = jax.nn.relu(self.normalised(features, train))
        return self.scores(present), present
