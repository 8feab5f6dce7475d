"""QPM's fixed binary head, and the network of phase 2 that ends in it.

A class is the sum of its few normalised features: z = (f[selected] − mean)/max(std,
1e-6), logits = z Wᵀ (docs/formulas.md, Model and head). Nothing here is trained;
gradients pass through to the features.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

SMALLEST_STD = 1e-6


class BinaryHead(nn.Module):
    """The interpretable head: selected features, normalised, summed by class.

    It owns no parameters, so it may be called directly, `head(features)`, as well as
    through `head.apply({}, features)`. Two heads with the same numbers are equal and
    hash alike, so modules that hold one work as static arguments.

    `mean` and `std` of length n belong to the columns of z and are used as they are;
    of length F they are indexed by `selected`. Where n = F both readings are possible
    and, as in the published layer, they are used as they are: give them in the order
    of `selected` (no difference for a sorted selection, as `assignment.solve` returns).

    Attributes:
      selected: [n] int, indices of the features kept (n_f* of them).
      assignment: [C, n] bool or 0/1 (or -1, 0, 1), W; columns follow `selected`.
      mean: [n] or [F], means of the features over the training set.
      std: [n] or [F], their population standard deviations.
      dropout: share of the pooled features set to zero in training.
    """

    selected: Int[ArrayLike, " n"]
    assignment: Bool[ArrayLike, "C n"]
    mean: Float[ArrayLike, " n_or_F"]
    std: Float[ArrayLike, " n_or_F"]
    dropout: float = 0.1

    def __post_init__(self) -> None:
        """Checks that the four arrays belong together."""
        _check_arrays(self.selected, self.assignment, self.mean, self.std)
        super().__post_init__()

    def _content(self) -> tuple[Any, ...]:
        arrays = (self.selected, self.assignment, self.mean, self.std)
        described = tuple(
            (np.shape(array), np.asarray(array, np.float32).tobytes())
            for array in arrays
        )
        return (type(self), *described, self.dropout, self.name)

    def __hash__(self) -> int:
        return hash(self._content())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BinaryHead) and self._content() == other._content()

    def __call__(
        self, features: Float[ArrayLike, "N F"], train: bool = False
    ) -> tuple[Float[Array, "N C"], Float[Array, "N n"]]:
        """Returns the class scores and what they are sums of.

        Args:
          features: [N, F] pooled features.
          train: with True, dropout draws from the stream "dropout" (needs `apply`).

        Returns:
          logits [N, C] and the normalised features z [N, n].

        Raises:
          ValueError: where `selected`, `mean` or `std` do not fit F.
        """
        normalised = self.normalised(features, train)
        return self.scores(normalised), normalised

    def normalised(
        self, features: Float[ArrayLike, "N F"], train: bool = False
    ) -> Float[Array, "N n"]:
        """Returns z [N, n] of the pooled features, after dropout in training."""
        features = jnp.asarray(features)
        if train and self.dropout > 0:
            features = _drop(self.make_rng("dropout"), features, self.dropout)
        return normalise_features(features, self.selected, self.mean, self.std)

    def scores(self, values: Float[Array, "N n"]) -> Float[Array, "N C"]:
        """Returns each class's sum of its features' values; gradients pass."""
        weights = jax.lax.stop_gradient(jnp.asarray(self.assignment, values.dtype))
        # Accelerators would round z, and no longer add up what explanations show.
        return jnp.matmul(values, weights.T, precision=jax.lax.Precision.HIGHEST)


def pooled(feature_maps: Float[Array, "N H W F"]) -> Float[Array, "N F"]:
    """Returns the features: the maps' spatial means, in float32 or finer."""
    precise = jnp.promote_types(feature_maps.dtype, jnp.float32)
    return feature_maps.mean(axis=(1, 2), dtype=precise)


def normalise_features(
    features: Float[Array, "N F"],
    selected: Int[ArrayLike, " n"],
    mean: Float[ArrayLike, " n_or_F"],
    std: Float[ArrayLike, " n_or_F"],
) -> Float[Array, "N n"]:
    """Computes z = (f[selected] − mean) / max(std, 1e-6).

    Args:
      features: [N, F].
      selected: [n] indices into the features.
      mean: [n] in the order of `selected`, or [F].
      std: as `mean`.

    Returns:
      z [N, n]; gradients reach the features only.

    Raises:
      ValueError: where an index or a length does not fit F.
    """
    indices = np.asarray(selected)
    columns = features.shape[-1]
    if indices.max() >= columns:
        raise ValueError(
            f"features: {columns} columns, but `selected` holds {indices.max()};"
            " give all of the backbone's features"
        )
    center = _of_selected("mean", mean, indices, columns)
    scale = jnp.maximum(_of_selected("std", std, indices, columns), SMALLEST_STD)
    center, scale = jax.lax.stop_gradient((center, scale))
    return (features[..., indices] - center) / scale


def _of_selected(
    name: str, values: ArrayLike, indices: np.ndarray, columns: int
) -> Float[Array, " n"]:
    values = jnp.asarray(values, jnp.float32)
    if values.shape[0] == len(indices):
        return values
    if values.shape[0] != columns:
        raise ValueError(
            f"{name}: length {values.shape[0]}, allowed are {len(indices)} (one a"
            f" selected feature) and {columns} (one a feature)"
        )
    return values[indices]


def _drop(key: Array, features: Float[Array, "N F"], rate: float) -> Array:
    kept = jax.random.bernoulli(key, 1.0 - rate, features.shape)
    return jnp.where(kept, features / (1.0 - rate), 0.0)


def _check_arrays(
    selected: ArrayLike, assignment: ArrayLike, mean: ArrayLike, std: ArrayLike
) -> None:
    indices = np.asarray(selected)
    if indices.ndim != 1 or indices.size == 0 or indices.dtype.kind not in "iu":
        raise ValueError(
            f"selected: shape {indices.shape}, dtype {indices.dtype}; allowed is a"
            " non-empty list of feature indices [n]"
        )
    if indices.min() < 0 or len(np.unique(indices)) != len(indices):
        raise ValueError(
            "selected: negative or repeated indices; allowed are different indices"
            " from 0 on"
        )
    shape = np.shape(assignment)
    if len(shape) != 2 or shape[1] != len(indices):
        raise ValueError(
            f"assignment: shape {shape}, allowed is [C, {len(indices)}], one column a"
            " selected feature"
        )
    for name, values in (("mean", mean), ("std", std)):
        if np.ndim(values) != 1 or np.shape(values) != np.shape(mean):
            raise ValueError(
                f"{name}: shape {np.shape(values)}; allowed is [n] or [F], the same"
                f" for mean and std (mean has {np.shape(mean)})"
            )


class QPMNetwork(nn.Module):
    """The interpretable network: a backbone and a fixed binary head.

    Its parameters are {"backbone": …} only, so those of phase 1 drop in.

    Attributes:
      backbone: images[N,h,w,3] -> non-negative feature maps[N,H,W,F].
      head: the binary head.
    """

    backbone: nn.Module
    head: BinaryHead

    def __call__(
        self, images: Float[Array, "N h w 3"], train: bool = False
    ) -> tuple[
        Float[Array, "N C"],
        Float[Array, "N n"],
        Float[Array, "N H W n"],
    ]:
        """Classifies images by the selected features.

        Args:
          images: [N, h, w, 3] float, normalised as the backbone expects.
          train: with True, dropout draws from the stream "dropout" and batch
            normalisation uses and updates the batch's statistics ("batch_stats").

        Returns:
          logits [N, C], normalised features z [N, n] and the maps of the selected
          features [N, H, W, n].
        """
        feature_maps = self.backbone(images, train)
        logits, normalised = self.head(pooled(feature_maps), train)
        return logits, normalised, feature_maps[..., np.asarray(self.head.selected)]
