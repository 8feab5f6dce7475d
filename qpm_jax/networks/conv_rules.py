"""Linear constraints that a user may add to a convolutional network, as plain facts.

Ours, as those of dense networks (`rules`); `LinearRule` is the same for both. A sign is
a bound of the variables, the rest are rows (`conv_rule_rows`); `conv_repaired` bends a
network to them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from qpm_jax.networks.rules import LinearRule, check_linear, check_range, check_sign


@dataclass(frozen=True)
class FilterSign:
    """Every entry of the filters is ≥ 0, or ≤ 0; their biases are free.

    Attributes:
        sign: 1 or −1.
    """

    sign: int = 1


@dataclass(frozen=True)
class ReadoutSign:
    """Every readout weight of an output is ≥ 0, or ≤ 0; its bias is free.

    Attributes:
        output: its index, which is the class in "one_hot".
        sign: 1 or −1.
    """

    output: int
    sign: int = 1


@dataclass(frozen=True)
class PositionLimit:
    """At most so many positions of the pooled map are read, by any output.

    A position counts once for all its channels.

    Attributes:
        most: 0 … h·w.
    """

    most: int


ConvRule = FilterSign | ReadoutSign | PositionLimit | LinearRule


def check_conv_rules(
    rules: Any, filters: tuple[int, ...], readout: tuple[int, ...]
) -> tuple[ConvRule, ...]:
    """Checks rules against the shapes of a network.

    Args:
        rules: the rules.
        filters: [C, k, k, D].
        readout: [O, h, w, C].

    Returns:
        The rules as a tuple.

    Raises:
        ValueError: when a rule names what is not there.
    """
    kept = tuple(rules)
    for rule in kept:
        if isinstance(rule, FilterSign | ReadoutSign):
            check_sign(rule.sign)
        if isinstance(rule, ReadoutSign):
            check_range("output", rule.output, readout[0])
        elif isinstance(rule, PositionLimit):
            check_range("most", rule.most, int(np.prod(readout[1:3])) + 1)
        elif isinstance(rule, LinearRule):
            check_linear(rule, (filters, readout))
        elif not isinstance(rule, FilterSign):
            raise ValueError(
                f"rules holds a {type(rule).__name__}; give FilterSign, ReadoutSign,"
                " PositionLimit or LinearRule."
            )
    return kept
