"""A convolutional network trained by mixed-integer programming, as an estimator.

arXiv 2504.14356; the program is described in `conv_program`, the way to good solutions
in `conv_solve`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float
from sklearn.utils.validation import check_is_fitted

from qpm_jax.networks.conv_network import (
    conv_outputs,
    conv_parameter_reduction,
    conv_sparsity,
)
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rules import ConvRule
from qpm_jax.networks.conv_solve import solve_conv
from qpm_jax.networks.labels import scores
from qpm_jax.networks.problem_checks import checked_images
from qpm_jax.networks.program_classifier import ProgramClassifier
from qpm_jax.networks.scaling import warn_if_large
from qpm_jax.networks.weight_family import weight_family

if TYPE_CHECKING:
    from qpm_jax.networks.flax_conv import ConvReLUNetwork


class MILPConvClassifier(ProgramClassifier):
    """A convolution, ReLU, pooling and a sparse readout, trained as one program.

    Images are [N, H, W] or [N, H, W, D] with pixels around 0 … 1.

    Attributes (after `fit`), beside those of `ProgramClassifier`:
        weights_: filters [C, k, k, D], and the readout [O, h, w, C].
        biases_: [C] and [O].
        network_: the `ConvNetwork`.
        sparsity_: share of weights below 1e-6 in size.
        parameter_reduction_: share of weights and biases that go with channels and
            entries of the pooled map that nothing reads.

    Example:
        >>> from sklearn.datasets import load_digits
        >>> from qpm_jax.networks import MILPConvClassifier
        >>> digits = load_digits()
        >>> model = MILPConvClassifier(restarts=1, time_limit=6)
        >>> model = model.fit(digits.images[:300] / 16, digits.target[:300])
        >>> [each.shape for each in model.weights_]
        [(2, 3, 3, 1), (10, 4, 4, 2)]
        >>> model.score(digits.images[:300] / 16, digits.target[:300]) > 0.8
        True
    """

    def __init__(
        self,
        channels: int = 2,
        l1: float = 0.002,
        label_encoding: str = "one_hot",
        deep_weights: str = "grid",
        relu: str = "big_m",
        solver: str = "highs",
        time_limit: float = 60.0,
        gap: float = 0.01,
        threads: int | None = None,
        *,
        filter_size: int = 3,
        pooling: str = "max",
        window: int = 2,
        l2: float = 0.02,
        channel_price: float = 0.0,
        gate_price: float = 0.0,
        weight_limit: float = 1.0,
        grid_step: float = 0.0625,
        grid_bits: int = 4,
        restarts: int = 8,
        dropout: float = 0.0,
        rules: Sequence[ConvRule] = (),
        tightening: float = 0.0,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        """Keeps the settings; `fit` checks them.

        Args:
            channels: filters at most.
            l1: λ₁, the price of a weight's size.
            label_encoding: "one_hot" or "binary".
            deep_weights: values of the readout's weights: "grid", "ternary", or
                "bilinear", any up to 2.
            relu: "big_m", "indicator" (scip, gurobi) or "partitioned".
            solver: "highs", "scip" or "gurobi", for the whole program where it is small
                enough to be given to one.
            time_limit: seconds.
            gap: relative gap at which to stop, 0 for a proof.
            threads: of the solver, None for its default.
            filter_size: side of a filter, odd.
            pooling: "max" or "average".
            window: side of a pooling window.
            l2: λ₂, the price of a readout weight's square.
            channel_price: of every channel that is switched on.
            gate_price: of every entry of the pooled map that is not gated off.
            weight_limit: U, the largest filter entry and bias.
            grid_step: distance of the values of "grid".
            grid_bits: bits of a weight of "grid".
            restarts: networks trained to start from.
            dropout: of that training.
            rules: further linear constraints, such as `FilterSign`.
            tightening: share of the time left after the search that goes into tighter
                big-M values, where the whole program is given to the solver.
            random_state: seed; None takes another every time.
        """
        self.channels = channels
        self.l1 = l1
        self.label_encoding = label_encoding
        self.deep_weights = deep_weights
        self.relu = relu
        self.solver = solver
        self.time_limit = time_limit
        self.gap = gap
        self.threads = threads
        self.filter_size = filter_size
        self.pooling = pooling
        self.window = window
        self.l2 = l2
        self.channel_price = channel_price
        self.gate_price = gate_price
        self.weight_limit = weight_limit
        self.grid_step = grid_step
        self.grid_bits = grid_bits
        self.restarts = restarts
        self.dropout = dropout
        self.rules = rules
        self.tightening = tightening
        self.random_state = random_state

    def fit(self, X: Float[ArrayLike, "N H W D"], y: ArrayLike) -> Self:
        """Trains the network.

        Args:
            X: [N, H, W] or [N, H, W, D], finite; a warning names the size of pixels far
                above 1.
            y: [N], labels: numbers or strings.

        Returns:
            The estimator itself. After Ctrl-C it has the best network so far and the
            `status_` "interrupted".

        Raises:
            ValueError: malformed X or y, one class, or a setting out of range.
        """
        images = checked_images(X)
        if np.shape(y) != (len(images),):
            raise ValueError(
                f"y has shape {np.shape(y)}; it must be [{len(images)}], a label for"
                " each image."
            )
        labels = self._numbered(y)
        warn_if_large(images)
        problem = ConvProblem(
            images,
            labels,
            len(self.classes_),
            self.channels,
            self.filter_size,
            self.pooling,
            self.window,
            weight_family(self.deep_weights, self.grid_step, self.grid_bits),
            self.label_encoding,
            self.l1,
            self.l2,
            self.channel_price,
            self.gate_price,
            self.weight_limit,
            tuple(self.rules),
        )
        result = solve_conv(
            problem,
            self.relu,
            self.solver,
            self.time_limit,
            self.gap,
            self.threads,
            self._seed(),
            restarts=self.restarts,
            dropout=self.dropout,
            tightening=self.tightening,
        )
        network = result.network
        self.network_, self.codes_ = network, problem.codes
        self._shape = images.shape[1:]
        self.weights_ = [network.filters, network.readout]
        self.biases_ = [network.filter_biases, network.readout_biases]
        self.sparsity_ = conv_sparsity(network)
        self.parameter_reduction_ = conv_parameter_reduction(network)
        return self._keep_result(result)

    def to_flax(self) -> "tuple[ConvReLUNetwork, dict[str, Any]]":
        """The network as a Flax module and its variables.

        Returns:
            A module whose `apply(variables, X)`, X [N, H, W, D], gives scores in double
            precision with the same winners as `predict`.
        """
        from qpm_jax.networks.flax_conv import conv_to_flax

        check_is_fitted(self)
        return conv_to_flax(self.network_, self.codes_)

    def _scores(self, X: ArrayLike) -> Float[np.ndarray, "N C"]:
        check_is_fitted(self)
        images = checked_images(X)
        if images.shape[1:] != self._shape:
            raise ValueError(
                f"X has images of shape {images.shape[1:]}; the network was fitted to"
                f" {self._shape}."
            )
        return scores(conv_outputs(self.network_, images), self.codes_)
