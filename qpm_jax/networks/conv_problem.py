"""What a convolutional network is trained for: images, family, objective.

arXiv 2504.14356, docs/networks.md, Convolution, reconstructed:

    (1/N) Σ_i loss_i + λ₁ (Σ|F| + Σ|w|) + λ₂ Σ w² + μ_c · channels + μ_g · open gates

with filters F and biases in [−U, U] and readout weights w in a `WeightFamily`. Filters
have no squares to pay for, ours: they are few, and a shared price lets them die out.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.class_labels import checked_labels
from qpm_jax.networks import problem_checks as checks
from qpm_jax.networks.conv_network import (
    POOLINGS,
    ConvNetwork,
    conv_outputs,
)
from qpm_jax.networks.conv_rules import ConvRule, check_conv_rules
from qpm_jax.networks.labels import class_codes, hinge_losses
from qpm_jax.networks.weight_family import WeightFamily, weight_family


@dataclass(frozen=True, eq=False)
class ConvProblem:
    """Find the network of least objective.

    Attributes:
        images: float64 [N, H, W, D]; [N, H, W] is one channel.
        labels: int64 [N], 0 … classes−1, every class with an image.
        num_classes: how many.
        channels: C, filters at most.
        filter_size: k, odd.
        pooling: "max" or "average".
        window: side of a pooling window; H and W must be multiples.
        family: values of the readout's weights.
        label_encoding: "one_hot" or "binary".
        l1: λ₁ ≥ 0.
        l2: λ₂ ≥ 0, on the readout alone.
        channel_price: μ_c ≥ 0, for every channel that is switched on.
        gate_price: μ_g ≥ 0, for every entry of the pooled map that is not gated off;
            with 0 there are no gates.
        weight_limit: U.
        rules: constraints that a user adds, see `conv_rules`.

    Raises:
        ValueError: when one is malformed; the message names it.
    """

    images: Float[np.ndarray, "N H W D"]
    labels: Int[np.ndarray, " N"]
    num_classes: int
    channels: int = 2
    filter_size: int = 3
    pooling: str = "max"
    window: int = 2
    family: WeightFamily = field(
        default_factory=lambda: weight_family("grid", 0.0625, 4)
    )
    label_encoding: str = "one_hot"
    l1: float = 0.002
    l2: float = 0.0
    channel_price: float = 0.0
    gate_price: float = 0.0
    weight_limit: float = 1.0
    rules: tuple[ConvRule, ...] = ()

    def __post_init__(self) -> None:
        """Turns the fields into checked host arrays."""
        images = checks.checked_images(self.images)
        labels, classes = checked_labels(self.labels, len(images), self.num_classes)
        checks.check_whole(channels=self.channels, window=self.window)
        checks.check_whole(filter_size=self.filter_size)
        _check_sizes(images, self.filter_size, self.window)
        if self.pooling not in POOLINGS:
            raise ValueError(
                f"pooling is {self.pooling!r}; choose one of {', '.join(POOLINGS)}."
            )
        checks.check_prices(
            l1=self.l1,
            l2=self.l2,
            channel_price=self.channel_price,
            gate_price=self.gate_price,
        )
        checks.check_limit("weight_limit", self.weight_limit)
        class_codes(classes, self.label_encoding)
        kept: dict[str, Any] = {
            "images": images,
            "labels": labels,
            "num_classes": classes,
        }
        for name, value in kept.items():
            object.__setattr__(self, name, value)
        readout = (self.codes.shape[1], *self.pooled_shape)
        rules = check_conv_rules(self.rules, self.filter_shape, readout)
        object.__setattr__(self, "rules", rules)

    @property
    def codes(self) -> Float[np.ndarray, "classes O"]:
        """The classes' codes."""
        return class_codes(self.num_classes, self.label_encoding)

    @property
    def pooled_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the pooled map."""
        _, height, width, _ = self.images.shape
        return height // self.window, width // self.window, self.channels

    @property
    def patch_size(self) -> int:
        """Weights of a filter, k·k·D."""
        return self.filter_size**2 * self.images.shape[3]

    @property
    def filter_shape(self) -> tuple[int, int, int, int]:
        """Shape of the filters, [C, k, k, D]."""
        size = self.filter_size
        return self.channels, size, size, self.images.shape[3]

    def network(
        self,
        filters: Float[np.ndarray, "..."],
        filter_biases: Float[np.ndarray, " C"],
        readout: Float[np.ndarray, "..."],
        readout_biases: Float[np.ndarray, " O"],
    ) -> ConvNetwork:
        """A network of the problem's shapes from arrays of any shape."""
        return ConvNetwork(
            np.reshape(filters, self.filter_shape),
            filter_biases,
            np.reshape(readout, (len(readout_biases), *self.pooled_shape)),
            readout_biases,
            self.pooling,
            self.window,
        )

    def loss(self, network: ConvNetwork) -> float:
        """The mean loss, by exact forward evaluation."""
        reached = conv_outputs(network, self.images)
        parts = hinge_losses(reached, self.labels, self.label_encoding)
        return float(parts.sum() / len(self.labels))

    def penalty(self, network: ConvNetwork) -> float:
        """What weights, channels and gates cost."""
        size = np.abs(network.filters).sum() + np.abs(network.readout).sum()
        read: Any = network.readout.any(axis=0)
        seen: Any = network.filters.any(axis=(1, 2, 3)) | (network.filter_biases != 0)
        return float(
            self.l1 * size
            + self.l2 * (network.readout**2).sum()
            + self.channel_price * (read.any(axis=(0, 1)) | seen).sum()
            + self.gate_price * read.sum()
        )

    def objective(self, network: ConvNetwork) -> float:
        """The objective, by exact forward evaluation; least is best.

        Args:
            network: of the problem's shapes.
        """
        return self.loss(network) + self.penalty(network)


def _check_sizes(images: np.ndarray, filter_size: int, window: int) -> None:
    if filter_size % 2 == 0:
        raise ValueError(f"filter_size is {filter_size}; it must be odd.")
    if images.shape[1] % window or images.shape[2] % window:
        raise ValueError(
            f"window is {window}, but images are {images.shape[1]}×{images.shape[2]};"
            " both sides must be multiples of it. Pad or crop the images."
        )
