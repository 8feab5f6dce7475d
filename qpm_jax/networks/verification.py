"""How far an input of a trained network can move before another class wins, exactly.

An open point of the source (docs/networks.md, Open points: no adversarial robustness,
although the exact form admits it); the formulation is the project's own.
`certified_radius` minimises the ℓ∞ distance at which another class scores as high as
the label, `adversarial_margin` the label's lead within a box.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax import solvers
from qpm_jax.networks.labels import scores
from qpm_jax.networks.network import ReLUNetwork, outputs
from qpm_jax.networks.programs.relu_rows import ENCODINGS
from qpm_jax.networks.programs.verification_program import BoxProgram, build_box


@dataclass(frozen=True, eq=False)
class Verification:
    """What can happen to an answer.

    Attributes:
        value: the least distance, or the least lead, that was found; the largest
            distance asked for where no rival can win within it.
        bound: it is proven not to be less.
        counterexample: float64 [F], an input that shows the value; None where there is
            none.
        rival: the class that wins there, −1 where there is none.
        status: "optimal", "gap_reached", "time_limit" or "robust": no rival within the
            largest distance.
        seconds: wall-clock time.
    """

    value: float
    bound: float
    counterexample: Float[np.ndarray, " F"] | None
    rival: int
    status: str
    seconds: float


def certified_radius(
    network: ReLUNetwork,
    point: Float[ArrayLike, " F"],
    label: int | None = None,
    codes: Float[np.ndarray, "C O"] | None = None,
    largest: float = 1.0,
    relu: str = "big_m",
    solver: str = "highs",
    time_limit: float = 60.0,
    gap: float = 0.0,
    threads: int | None = None,
) -> Verification:
    """The least ℓ∞ distance at which another class scores as high.

    Args:
        network: a dense one.
        point: [F], an input.
        label: a class; None for the one the network gives.
        codes: [C, O], what every output should be for every class: `codes_` of an
            estimator; None for one-hot.
        largest: the largest distance of interest; big-M values grow with it.
        relu: "big_m", "partitioned", or "indicator" for scip and gurobi.
        solver: "highs", "scip" or "gurobi".
        time_limit: seconds.
        gap: relative gap at which to stop.
        threads: of the solver, None for its default.

    Returns:
        The radius. `bound` is the certified one: within less, the answer cannot change.
        An answer that is wrong already has radius 0.

    Raises:
        ValueError: when an argument is malformed.
    """
    centre, codes, own = _checked(network, point, label, codes, largest, relu)
    found = scores(outputs(network, centre[None]), codes)[0]
    if found.argmax() != own:
        return Verification(0.0, 0.0, centre, int(found.argmax()), "optimal", 0.0)
    box = build_box(network, codes, centre, own, largest, relu, least_size=True)
    answer = solvers.solve(box.program, solver, time_limit, gap, threads)
    if answer.status == "infeasible":
        return Verification(largest, largest, None, -1, "robust", answer.seconds)
    return _read(box, answer, floor=0.0, none=largest)


def adversarial_margin(
    network: ReLUNetwork,
    point: Float[ArrayLike, " F"],
    radius: float,
    label: int | None = None,
    codes: Float[np.ndarray, "C O"] | None = None,
    relu: str = "big_m",
    solver: str = "highs",
    time_limit: float = 60.0,
    gap: float = 0.0,
    threads: int | None = None,
) -> Verification:
    """The least lead of a class over its best rival among inputs within a distance.

    Args:
        network: a dense one.
        point: [F], an input.
        radius: the ℓ∞ distance.
        label: a class; None for the one the network gives.
        codes: as in `certified_radius`.
        relu: likewise.
        solver: likewise.
        time_limit: seconds.
        gap: relative gap at which to stop.
        threads: of the solver, None for its default.

    Returns:
        The lead; a positive `bound` certifies the answer in the whole box.

    Raises:
        ValueError: when an argument is malformed.
    """
    centre, codes, own = _checked(network, point, label, codes, radius, relu)
    box = build_box(network, codes, centre, own, radius, relu, least_size=False)
    answer = solvers.solve(box.program, solver, time_limit, gap, threads)
    return _read(box, answer, floor=-np.inf, none=np.inf)


def _read(
    box: BoxProgram, answer: solvers.Solution, floor: float, none: float
) -> Verification:
    bound = max(floor, answer.bound)
    if not answer.found:
        return Verification(none, bound, None, -1, answer.status, answer.seconds)
    rival = int(box.rivals[answer.values[box.chosen].argmax()])
    where = answer.values[box.inputs]
    return Verification(
        answer.objective, bound, where, rival, answer.status, answer.seconds
    )


def _checked(
    network: Any,
    point: Any,
    label: Any,
    codes: Any,
    radius: Any,
    relu: str,
) -> tuple[np.ndarray, np.ndarray, int]:
    if not isinstance(network, ReLUNetwork):
        raise ValueError(
            f"network is a {type(network).__name__}; it must be a ReLUNetwork, such as"
            " `network_` of a MILPNetworkClassifier. Convolutions are not verified."
        )
    centre = np.asarray(point, np.float64)
    inputs, number = network.weights[0].shape[1], len(network.biases[-1])
    if centre.shape != (inputs,) or not np.isfinite(centre).all():
        raise ValueError(
            f"point has shape {centre.shape}; it must be {(inputs,)}, finite numbers."
        )
    if not isinstance(radius, int | float | np.floating) or not 0 < radius < np.inf:
        raise ValueError(f"radius is {radius!r}; it must be a positive number.")
    if relu not in ENCODINGS:
        raise ValueError(f"relu is {relu!r}; choose one of {', '.join(ENCODINGS)}.")
    matrix = np.eye(number) if codes is None else np.asarray(codes, np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != number or len(matrix) < 2:
        raise ValueError(
            f"codes has shape {matrix.shape}; it must be [C, {number}], C of 2 or more."
        )
    if label is None:
        label = scores(outputs(network, centre[None]), matrix)[0].argmax()
    if not 0 <= int(label) < len(matrix):
        raise ValueError(f"label is {label!r}; it must be 0 … {len(matrix) - 1}.")
    return centre, matrix, int(label)
