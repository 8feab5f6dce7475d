"""The dense network of phase 1: a backbone, pooled features and one linear layer.

As published (docs/formulas.md, Model and head and Training): dropout 0.2 on the pooled
features, a linear head with bias.
"""

from flax import linen as nn
from jaxtyping import Array, Float

from qpm_jax.models.heads import pooled


class Classifier(nn.Module):
    """A backbone and a dense head; its parameters are {"backbone": …, "head": …}.

    Attributes:
      backbone: images[N,h,w,3] -> non-negative feature maps[N,H,W,F].
      num_classes: number of classes C.
      dropout: share of the pooled features set to zero in training.
    """

    backbone: nn.Module
    num_classes: int
    dropout: float = 0.2

    def setup(self) -> None:
        """Names the head, so that its kernel[F,C] and bias[C] lie under "head"."""
        self.head = nn.Dense(self.num_classes)
        self.feature_dropout = nn.Dropout(self.dropout)

    def __call__(
        self, images: Float[Array, "N h w 3"], train: bool = False
    ) -> tuple[
        Float[Array, "N C"],
        Float[Array, "N F"],
        Float[Array, "N H W F"],
    ]:
        """Classifies images that are normalised as the backbone expects.

        Args:
          images: [N, h, w, 3] float.
          train: with True, dropout draws from the stream "dropout" and batch
            normalisation uses and updates the batch's statistics ("batch_stats").

        Returns:
          logits [N, C], features [N, F] (spatial means of the maps, before dropout)
          and the feature maps [N, H, W, F].
        """
        feature_maps = self.backbone(images, train)
        features = pooled(feature_maps)
        dropped = self.feature_dropout(features, deterministic=not train)
        return self.head(dropped), features, feature_maps
