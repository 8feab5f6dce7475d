"""A ReLU network trained by mixed-integer programming, as a scikit-learn estimator.

arXiv 2504.14356; the program is described in `dense_program`, the way to good solutions
in `solve`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float
from sklearn.utils.validation import (
    check_is_fitted,
    validate_data,  # type: ignore[missing-module-attribute]
)

from qpm_jax.networks.labels import scores
from qpm_jax.networks.network import (
    ReLUNetwork,
    outputs,
    parameter_reduction,
    sparsity,
)
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.program_classifier import ProgramClassifier
from qpm_jax.networks.rules import Rule
from qpm_jax.networks.scaling import warn_if_unscaled
from qpm_jax.networks.solution import NetworkSolution
from qpm_jax.networks.solve import solve
from qpm_jax.networks.weight_family import weight_family

if TYPE_CHECKING:
    from qpm_jax.networks.flax_network import DenseReLUNetwork


class MILPNetworkClassifier(ProgramClassifier):
    """A small ReLU network whose weights and neurons one program chooses.

    `fit` minimises the mean hinge loss plus prices of weights, neurons and layers, and
    bounds how much better any network of the family could be. Features should be
    standardised.

    Attributes (after `fit`):
        weights_: L + 1 float64 arrays [out, in], skipped layers left out.
        biases_: as many float64 arrays [out].
        network_: the `ReLUNetwork`, of the widths asked for.
        sparsity_: share of weights below 1e-6 in size.
        parameter_reduction_: share of weights and biases that go with idle neurons.
        objective_: of the training data, by exact forward evaluation; least is best.
        bound_: no network of the family has less.
        gap_: |bound − objective| / |objective|.
        status_: why it ended, as in `NetworkSolution`; "warm_start" where time was over
            before anything better than the start was found.
        solve_seconds_: how long it took, all included.
        history_: (seconds, objective, bound) at every improvement, when it is found.
        classes_: [C], the labels, sorted.
        codes_: float64 [C, O], what every output should be for every class: the
            identity for "one_hot", ±1 for "binary". Verification asks for it.
        n_features_in_: F.
        feature_names_in_: [F], where X had names.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.preprocessing import scale
        >>> from qpm_jax.networks import MILPNetworkClassifier
        >>> lengths, species = load_iris(return_X_y=True)
        >>> model = MILPNetworkClassifier(time_limit=2).fit(scale(lengths), species)
        >>> [each.shape for each in model.weights_]
        [(4, 4), (3, 4)]
        >>> model.score(scale(lengths), species) > 0.9
        True
    """

    def __init__(
        self,
        hidden: Sequence[int] = (4,),
        l1: float = 0.01,
        label_encoding: str = "one_hot",
        deep_weights: str = "grid",
        relu: str = "big_m",
        solver: str = "highs",
        time_limit: float = 60.0,
        gap: float = 0.01,
        threads: int | None = None,
        *,
        l2: float = 0.0,
        neuron_price: float = 0.0,
        layer_price: float = 0.0,
        weight_limit: float = 3.0,
        grid_step: float = 0.5,
        grid_bits: int = 3,
        rules: Sequence[Rule] = (),
        tightening: float = 0.0,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        """Keeps the settings; `fit` checks them.

        Args:
            hidden: width of every hidden layer.
            l1: λ₁, the price of a weight's size.
            label_encoding: "one_hot", an output a class and the multi-class hinge, or
                "binary", ⌈log₂ C⌉ outputs.
            deep_weights: values of weights behind the first layer: "grid", "ternary",
                or "bilinear", any up to 2, for solvers that take products.
            relu: "big_m", "indicator" (scip, gurobi) or "partitioned".
            solver: "highs", "scip" or "gurobi", for the whole program.
            time_limit: seconds.
            gap: relative gap at which to stop, 0 for a proof.
            threads: of the solver, None for its default.
            l2: λ₂, the price of a weight's square.
            neuron_price: of every neuron that is switched on.
            layer_price: of every hidden layer; with it, a layer as wide as the one
                before may be skipped.
            weight_limit: U, the largest first-layer weight and bias.
            grid_step: distance of the values of "grid".
            grid_bits: bits of a weight of "grid".
            rules: further linear constraints, such as `WeightSign`.
            tightening: share of the time left after the search that goes into tighter
                big-M values.
            random_state: seed; None takes another every time.
        """
        self.hidden = hidden
        self.l1 = l1
        self.label_encoding = label_encoding
        self.deep_weights = deep_weights
        self.relu = relu
        self.solver = solver
        self.time_limit = time_limit
        self.gap = gap
        self.threads = threads
        self.l2 = l2
        self.neuron_price = neuron_price
        self.layer_price = layer_price
        self.weight_limit = weight_limit
        self.grid_step = grid_step
        self.grid_bits = grid_bits
        self.rules = rules
        self.tightening = tightening
        self.random_state = random_state

    def fit(self, X: Float[ArrayLike, "N F"], y: ArrayLike) -> Self:
        """Trains the network.

        Args:
            X: [N, F], finite numbers; a warning names the ratio where they are not
                scaled.
            y: [N], labels: numbers or strings.

        Returns:
            The estimator itself. After Ctrl-C it has the best network so far and the
            `status_` "interrupted".

        Raises:
            ValueError: a malformed X or y, one class, or a setting out of range.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        labels = self._numbered(y)
        features = np.asarray(X)
        warn_if_unscaled(features)
        problem = NetworkProblem(
            features,
            labels,
            len(self.classes_),
            tuple(self.hidden) if np.ndim(self.hidden) else self.hidden,  # type: ignore[bad-argument-type]
            weight_family(self.deep_weights, self.grid_step, self.grid_bits),
            self.label_encoding,
            self.l1,
            self.l2,
            self.neuron_price,
            self.layer_price,
            self.weight_limit,
            tuple(self.rules),
        )
        result = solve(
            problem,
            self.relu,
            self.solver,
            self.time_limit,
            self.gap,
            self.threads,
            self._seed(),
            tightening=self.tightening,
        )
        return self._keep(problem, result)

    def to_flax(self) -> "tuple[DenseReLUNetwork, dict[str, Any]]":
        """The network as a Flax module and its variables.

        Returns:
            A module whose `apply(variables, X)` gives scores [N, C] in double precision
            with the same winners as `predict`.
        """
        from qpm_jax.networks.flax_network import to_flax

        check_is_fitted(self)
        return to_flax(self.network_, self.codes_)

    def _scores(self, X: ArrayLike) -> Float[np.ndarray, "N C"]:
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        return scores(outputs(self.network_, np.asarray(rows)), self.codes_)

    def _keep(
        self, problem: NetworkProblem, result: NetworkSolution[ReLUNetwork]
    ) -> Self:
        network = result.network
        stays = np.append(~network.skipped, True)
        self.network_, self.codes_ = network, problem.codes
        self.weights_ = [
            w for w, kept in zip(network.weights, stays, strict=True) if kept
        ]
        self.biases_ = [
            b for b, kept in zip(network.biases, stays, strict=True) if kept
        ]
        self.sparsity_ = sparsity(network)
        self.parameter_reduction_ = parameter_reduction(network)
        return self._keep_result(result)
