"""What multipliers bound where neurons gain a little more than they cost."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.bounds.by_neurons.dual_program import Multipliers
from qpm_jax.networks.bounds.by_neurons.output_choices import OutputChoices


@dataclass(frozen=True, eq=False)
class Certificate:
    """Multipliers, and by how much neurons break them at most.

    All multipliers times θ bound as well. The largest gain G of a neuron without the
    price κ of its output weights is convex in θ and 0 at 0, so with G ≤ κ − π ‖v‖₁ + e
    it is at most θ (κ − π ‖v‖₁ + e), which the scaled prices cover for
    θ ≤ κ / (κ + e).

    Attributes:
        multipliers: α, π and the constant.
        ratios: float64 [K], e / κ at most, inf where nothing is known.
    """

    multipliers: Multipliers
    ratios: Float[np.ndarray, " K"]

    def line(self, totals: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
        """The bounds that it had if no neuron gained more than it costs."""
        line = self.multipliers.constant + self.multipliers.size_price * totals
        return np.maximum(line, 0.0)

    def bounds(
        self, choices: OutputChoices, totals: Float[np.ndarray, " T"]
    ) -> Float[np.ndarray, " T"]:
        """Lower bounds for networks of given totals of output weights.

        Args:
            choices: those that the ratios are of.
            totals: T = Σ_j ‖v_j‖₁, which no neuron's ‖v‖₁ is above.

        Returns:
            θ (constant + π T), θ by the worst neuron that there can be.
        """
        there = choices.sizes[:, None] <= totals + 1e-9
        worst = np.where(there, self.ratios[:, None], 0.0).max(axis=0, initial=0.0)
        return self.line(totals) / (1.0 + worst)
