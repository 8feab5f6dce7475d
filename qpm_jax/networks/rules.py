"""Linear logic constraints that a user may add to a network, as plain facts.

The source names logic constraints as what the exact form allows; these four are the
project's own choice. `rule_rows` writes them as rows, `repair` bends a network to them.
"""

import itertools
from collections.abc import Sequence
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

    It may single out neurons or channels, so symmetry is not broken where there is one.

    Attributes:
        layer: 0 for the first; of a convolution 0 for the filters, 1 for the readout.
        coefficients: float64, of the shape of the layer's weights: [out, in], of a
            convolution [C, k, k, D] or [O, h, w, C].
        lower: −inf for none.
        upper: inf for none.
    """

    layer: int
    coefficients: Float[np.ndarray, "..."]
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
            check_range("feature", rule.feature, widths[0])
        if isinstance(rule, WeightSign):
            check_sign(rule.sign)
        elif isinstance(rule, FeatureLimit):
            check_range("most", rule.most, widths[0] + 1)
        elif isinstance(rule, Monotone):
            check_range("output", rule.output, widths[-1])
        elif isinstance(rule, LinearRule):
            shapes = [(out, into) for into, out in itertools.pairwise(widths)]
            check_linear(rule, shapes)
        else:
            raise ValueError(
                f"rules holds a {type(rule).__name__}; give WeightSign, FeatureLimit,"
                " Monotone or LinearRule."
            )
    return kept


def check_linear(rule: LinearRule, shapes: Sequence[tuple[int, ...]]) -> None:
    """Refuses a rule that does not fit the weights.

    Args:
        rule: the rule.
        shapes: of the weights of every layer.

    Raises:
        ValueError: when it names another layer, shape, or an empty range.
    """
    check_range("layer", rule.layer, len(shapes))
    wanted = tuple(shapes[rule.layer])
    if np.shape(rule.coefficients) != wanted or rule.lower > rule.upper:
        raise ValueError(
            f"coefficients has shape {np.shape(rule.coefficients)}, lower is"
            f" {rule.lower} and upper {rule.upper}; layer {rule.layer} has"
            f" shape {wanted}, and lower must not exceed upper."
        )


def check_sign(sign: Any) -> None:
    """Refuses what is no sign.

    Args:
        sign: 1 or −1.

    Raises:
        ValueError: for anything else.
    """
    if sign not in (-1, 1):
        raise ValueError(f"sign is {sign!r}; it must be 1 or -1.")


def check_range(name: str, value: Any, end: int) -> None:
    """Refuses what is no whole number below an end.

    Args:
        name: what the error calls it.
        value: 0 … end − 1.
        end: one more than the largest.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(value, int | np.integer) or not 0 <= value < end:
        raise ValueError(f"{name} is {value!r}; it must be 0 … {end - 1}.")
