"""What a network is trained for: the data, the family of networks, and the objective.

arXiv 2504.14356, docs/networks.md (a), reconstructed:

    (1/N) Σ_i loss_i + λ₁ Σ|w| + λ₂ Σ w² + μ_n · neurons + μ_l · hidden layers

over networks of given widths, first-layer weights and all biases in [−U, U], deeper
weights in a `WeightFamily`. Biases are free of charge.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.class_labels import checked_labels
from qpm_jax.networks import problem_checks as checks
from qpm_jax.networks.labels import class_codes, hinge_losses
from qpm_jax.networks.network import ReLUNetwork, outputs
from qpm_jax.networks.rules import Rule, check_rules
from qpm_jax.networks.simplify import switched_on
from qpm_jax.networks.weight_family import WeightFamily, weight_family


@dataclass(frozen=True, eq=False)
class NetworkProblem:
    """Find the network of least objective.

    Attributes:
        features: float64 [N, F].
        labels: int64 [N], 0 … C−1, every class with an instance.
        num_classes: C.
        hidden: widths of the hidden layers, at least one.
        family: values of the weights behind the first layer.
        label_encoding: "one_hot" or "binary".
        l1: λ₁ ≥ 0.
        l2: λ₂ ≥ 0.
        neuron_price: μ_n ≥ 0, for every neuron that is switched on.
        layer_price: μ_l ≥ 0, for every hidden layer that is not skipped.
        weight_limit: U.
        rules: further linear constraints.

    Raises:
        ValueError: when one is malformed; the message names it.
    """

    features: Float[np.ndarray, "N F"]
    labels: Int[np.ndarray, " N"]
    num_classes: int
    hidden: tuple[int, ...] = (4,)
    family: WeightFamily = field(default_factory=lambda: weight_family("grid"))
    label_encoding: str = "one_hot"
    l1: float = 0.01
    l2: float = 0.0
    neuron_price: float = 0.0
    layer_price: float = 0.0
    weight_limit: float = 3.0
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        """Turns the fields into checked host arrays."""
        features = checks.checked_features(self.features)
        labels, classes = checked_labels(self.labels, len(features), self.num_classes)
        hidden = checks.checked_hidden(self.hidden)
        checks.check_prices(
            l1=self.l1,
            l2=self.l2,
            neuron_price=self.neuron_price,
            layer_price=self.layer_price,
        )
        checks.check_limit("weight_limit", self.weight_limit)
        width = class_codes(classes, self.label_encoding).shape[1]
        rules = check_rules(self.rules, (features.shape[1], *hidden, width))
        kept: dict[str, Any] = {
            "features": features,
            "labels": labels,
            "num_classes": classes,
            "hidden": hidden,
            "rules": rules,
        }
        for name, value in kept.items():
            object.__setattr__(self, name, value)

    @property
    def codes(self) -> Float[np.ndarray, "C O"]:
        """The classes' codes."""
        return class_codes(self.num_classes, self.label_encoding)

    @property
    def widths(self) -> tuple[int, ...]:
        """F, the hidden widths, and the number O of outputs."""
        return (self.features.shape[1], *self.hidden, self.codes.shape[1])

    def loss(self, network: ReLUNetwork) -> float:
        """The mean loss, by exact forward evaluation."""
        reached = outputs(network, self.features)
        parts = hinge_losses(reached, self.labels, self.label_encoding)
        return float(parts.sum() / len(self.labels))

    def penalty(self, network: ReLUNetwork) -> float:
        """What weights, neurons and layers cost."""
        size = sum(float(np.abs(each).sum()) for each in network.weights)
        square = sum(float((each**2).sum()) for each in network.weights)
        neurons = sum(int(each.sum()) for each in switched_on(network))
        layers = int((~network.skipped).sum())
        return float(
            self.l1 * size
            + self.l2 * square
            + self.neuron_price * neurons
            + self.layer_price * layers
        )

    def objective(self, network: ReLUNetwork) -> float:
        """The objective, by exact forward evaluation; least is best.

        Args:
            network: of the problem's widths.
        """
        return self.loss(network) + self.penalty(network)
