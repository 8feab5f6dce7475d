"""The linear program over the multipliers, whose rows are neurons.

Maximise Σ μ − U Σ_o q_o + π T subject to Σ μ ≤ 1/N for every loss, q_o ≥ |Σ_i α_io|,
and for every neuron at hand Σ_i α_i · v ReLU(w · x_i + b) + π ‖v‖₁ ≤ its price.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.bounds.by_neurons.output_choices import OutputChoices
from qpm_jax.networks.labels import output_signs
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.inner_solve import inner_solve
from qpm_jax.networks.programs.rows import make_rows, stacked
from qpm_jax.solvers import MixedIntegerProgram

# π is a price, at most what the dearest neuron costs; this keeps the program bounded.
_LARGEST_PRICE = 1e3


@dataclass(frozen=True, eq=False)
class Hinges:
    """The rows 1 − m · f(x_i) ≤ ξ of the losses.

    Attributes:
        instance: int64 [R], i.
        loss: int64 [R], which loss, all parts of an instance together.
        margin: float64 [R, O], m.
    """

    instance: Int[np.ndarray, " R"]
    loss: Int[np.ndarray, " R"]
    margin: Float[np.ndarray, "R O"]


@dataclass(frozen=True, eq=False)
class Neurons:
    """M neurons.

    Attributes:
        weights: float64 [M, F], w.
        biases: float64 [M], b.
        choice: int64 [M], the output weights.
    """

    weights: Float[np.ndarray, "M F"]
    biases: Float[np.ndarray, " M"]
    choice: Int[np.ndarray, " M"]

    def __add__(self, other: "Neurons") -> "Neurons":
        """Both one after the other."""
        return Neurons(
            np.concatenate([self.weights, other.weights]),
            np.concatenate([self.biases, other.biases]),
            np.concatenate([self.choice, other.choice]),
        )

    def __getitem__(self, which: np.ndarray) -> "Neurons":
        """Some of them."""
        return Neurons(self.weights[which], self.biases[which], self.choice[which])


@dataclass(frozen=True, eq=False)
class Multipliers:
    """What bounds a network if no neuron gains more than it costs.

    Attributes:
        slopes: float64 [N, O], α.
        size_price: π.
        constant: Σ μ − U Σ_o |Σ_i α_io|.
    """

    slopes: Float[np.ndarray, "N O"]
    size_price: float
    constant: float


def hinges(problem: NetworkProblem) -> Hinges:
    """The hinges of all instances."""
    labels, outputs = problem.labels, problem.widths[-1]
    instances = np.arange(len(labels))
    if problem.label_encoding == "binary":
        signs = output_signs(problem.codes)[labels]
        instance, output = np.indices(signs.shape).reshape(2, -1)
        margin = signs.reshape(-1, 1) * np.eye(outputs)[output]
        return Hinges(instance, np.arange(signs.size), margin)
    instance, rival = np.nonzero(labels[:, None] != np.arange(outputs))
    margin = np.eye(outputs)[labels[instance]] - np.eye(outputs)[rival]
    return Hinges(instance, instances[instance], margin)


def neuron_prices(
    problem: NetworkProblem, choices: OutputChoices, neurons: Neurons
) -> Float[np.ndarray, " M"]:
    """What neurons cost, their output weights included."""
    weights = neurons.weights
    inward = problem.l1 * np.abs(weights).sum(axis=1)
    inward = inward + problem.l2 * (weights**2).sum(axis=1)
    return inward + choices.prices[neurons.choice]


def activations(problem: NetworkProblem, neurons: Neurons) -> Float[np.ndarray, "N M"]:
    """ReLU(w · x + b) of every instance."""
    return np.maximum(problem.features @ neurons.weights.T + neurons.biases, 0.0)


def best_multipliers(
    problem: NetworkProblem,
    choices: OutputChoices,
    rows: Hinges,
    neurons: Neurons,
    total: float,
    time_limit: float,
) -> Multipliers | None:
    """The multipliers of the largest bound that these neurons allow.

    Args:
        problem: the problem.
        choices: of output weights.
        rows: the hinges.
        neurons: those that count.
        total: T, or inf for any, which makes π 0.
        time_limit: seconds.

    Returns:
        Multipliers that keep the limits of μ exactly; None where there was no time.
    """
    program = _program(problem, choices, rows, neurons, total)
    answer = inner_solve(program, time_limit)
    if answer.status != "optimal":
        return None
    number = len(rows.instance)
    return _exact(problem, rows, answer.values[:number], float(answer.values[number]))


def _exact(
    problem: NetworkProblem, rows: Hinges, values: np.ndarray, size_price: float
) -> Multipliers:
    """Multipliers within their limits, which a solver keeps up to a tolerance."""
    count = len(problem.labels)
    each = np.maximum(values, 0.0)
    together = np.bincount(rows.loss, each)
    each = each / np.maximum(1.0, together * count)[rows.loss]
    slopes = np.zeros((count, problem.widths[-1]))
    np.add.at(slopes, rows.instance, each[:, None] * rows.margin)
    free = problem.weight_limit * np.abs(slopes.sum(axis=0)).sum()
    return Multipliers(slopes, size_price, float(each.sum() - free))


def _program(
    problem: NetworkProblem,
    choices: OutputChoices,
    rows: Hinges,
    neurons: Neurons,
    total: float,
) -> MixedIntegerProgram:
    """Columns: μ [R], π, q [O]."""
    number, outputs = len(rows.instance), problem.widths[-1]
    mu, pi = np.arange(number), number
    q = number + 1 + np.arange(outputs)
    variables = number + 1 + outputs
    reach = activations(problem, neurons)
    reads = choices.weights[neurons.choice] @ rows.margin.T
    losses = int(rows.loss.max()) + 1
    order = np.argsort(rows.loss, kind="stable")
    # every loss has as many hinges: rivals, or one
    groups = mu[order].reshape(losses, -1)
    both = np.stack([rows.margin.T, -rows.margin.T])
    shape = (len(neurons.choice), number)
    parts = [
        make_rows([], upper=1.0 / len(problem.labels), sums=[(groups, 1.0)]),
        make_rows(
            [(np.broadcast_to(q, (2, outputs)), -1.0)],
            upper=0.0,
            sums=[(np.broadcast_to(mu, both.shape), both)],
        ),
        make_rows(
            [(np.full(shape[0], pi), choices.sizes[neurons.choice])],
            upper=neuron_prices(problem, choices, neurons),
            sums=[(np.broadcast_to(mu, shape), reach[rows.instance].T * reads)],
        ),
    ]
    matrix, low, high = stacked(parts, variables)
    cost = np.zeros(variables)
    cost[mu], cost[pi], cost[q] = (
        1.0,
        0.0 if np.isinf(total) else total,
        -problem.weight_limit,
    )
    lower, upper = np.zeros(variables), np.full(variables, np.inf)
    free = 0.0 if np.isinf(total) else _LARGEST_PRICE
    lower[pi], upper[pi] = -free, free
    whole = np.zeros(variables, bool)
    return MixedIntegerProgram(
        cost, matrix, low, high, lower, upper, whole, maximise=True
    )
