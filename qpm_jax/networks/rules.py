"""Linear logic constraints that a user may add to a network, as plain facts.

The source names logic constraints as what the exact form allows; these four are the
project's own choice. `rule_rows` writes them as rows, `repair` bends a network to them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class WeightSign:
    """Every first-layer weight of a feature is ≥ 0, or ≤ 0.

    Attributes:
        feature: its index.
        sign: 1 or −1.
    """

    feature: int
    sign: int = 1


@dataclass(frozen=True)
class FeatureLimit:
    """At most so many features have a weight that is not zero.

    Attributes:
        most: 0 … F.
    """

    most: int


@dataclass(frozen=True)
class Monotone:
    """An output never falls (or never rises) as a feature grows.

    Every neuron is given a direction in the feature, and weights between neurons the
    sign that follows. For one hidden layer that is every network whose paths from the
    feature to the output all agree in sign.

    Attributes:
        feature: its index.
        output: index of the output, which is the class in "one_hot".
        increasing: whether it never falls.
    """

    feature: int
    output: int
    increasing: bool = True


@dataclass(frozen=True, eq=False)
class LinearRule:
    """`lower ≤ Σ coefficients · W ≤ upper` for the weights of one layer.

    It may single out neurons, so symmetry is not broken where there is one.

    Attributes:
        layer: 0 for the first.
        coefficients: float64 [out, in].
        lower: −inf for none.
        upper: inf for none.
    """

    layer: int
    coefficients: Float[np.ndarray, "out in"]
    lower: float = -np.inf
    upper: float = np.inf


Rule = WeightSign | FeatureLimit | Monotone | LinearRule


def check_rules(rules: Any, widths: tuple[int, ...]) -> tuple[Rule, ...]:
    """Checks rules against a network's widths.

    Args:
        rules: the rules.
        widths: F, the hidden widths, O.

    Returns:
        The rules as a tuple.

    Raises:
        ValueError: when a rule names what is not there.
    """
    kept = tuple(rules)
    for rule in kept:
        if isinstance(rule, WeightSign | Monotone):
            _in_range("feature", rule.feature, widths[0])
        if isinstance(rule, WeightSign):
            if rule.sign not in (-1, 1):
                raise ValueError(f"sign is {rule.sign!r}; it must be 1 or -1.")
        elif isinstance(rule, FeatureLimit):
            _in_range("most", rule.most, widths[0] + 1)
        elif isinstance(rule, Monotone):
            _in_range("output", rule.output, widths[-1])
        elif isinstance(rule, LinearRule):
            _in_range("layer", rule.layer, len(widths) - 1)
            wanted = (widths[rule.layer + 1], widths[rule.layer])
            if np.shape(rule.coefficients) != wanted or rule.lower > rule.upper:
                raise ValueError(
                    f"coefficients has shape {np.shape(rule.coefficients)}, lower is"
                    f" {rule.lower} and upper {rule.upper}; layer {rule.layer} has"
                    f" shape {wanted}, and lower must not exceed upper."
                )
        else:
            raise ValueError(
                f"rules holds a {type(rule).__name__}; give WeightSign, FeatureLimit,"
                " Monotone or LinearRule."
            )
    return kept


def _in_range(name: str, value: Any, end: int) -> None:
    if not isinstance(value, int | np.integer) or not 0 <= value < end:
        raise ValueError(f"{name} is {value!r}; it must be 0 … {end - 1}.")
