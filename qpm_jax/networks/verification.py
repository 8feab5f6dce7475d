"""How far an input of a trained network can move before another class wins, exactly.

An open point of the source (docs/networks.md, Open points: no adversarial robustness,
although the exact form admits it); the formulation is the project's own.
`certified_radius` minimises the ℓ∞ distance at which another class scores as high as
the label, `adversarial_margin` the label's lead within a box.
"""

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax import solvers
from qpm_jax.networks.attack import Attack, closest_attack
from qpm_jax.networks.conv_network import ConvNetwork
from qpm_jax.networks.labels import scores
from qpm_jax.networks.network import ReLUNetwork
from qpm_jax.networks.programs.relu_rows import ENCODINGS
from qpm_jax.networks.programs.unfolded import (
    UnfoldedNetwork,
    leads_over_rivals,
    unfolded,
)
from qpm_jax.networks.programs.verification_program import BoxProgram, build_box

# A box is a little larger than an attack's distance, as solvers have tolerances.
_ROOM, _END = 1.01, 1e-6


@dataclass(frozen=True, eq=False)
class Verification:
    """What can happen to an answer.

    Attributes:
        value: the least distance, or the least lead, that was found; the largest
            distance asked for where no rival can win within it.
        bound: it is proven not to be less.
        counterexample: float64, an input that shows the value, of the point's shape;
            None where there is none.
        rival: the class that wins there, −1 where there is none.
        status: "optimal", "gap_reached", "time_limit" or "robust": no rival within the
            largest distance.
        seconds: wall-clock time.
    """

    value: float
    bound: float
    counterexample: Float[np.ndarray, "..."] | None
    rival: int
    status: str
    seconds: float


def certified_radius(
    network: ReLUNetwork | ConvNetwork,
    point: Float[ArrayLike, "..."],
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
        network: a dense one, or a convolution with its pooling.
        point: an input: [F], or an image [H, W, D], also [H, W] where D is 1.
        label: a class; None for the one the network gives.
        codes: [C, O], what every output should be for every class: `codes_` of an
            estimator; None for one-hot.
        largest: the largest distance of interest; big-M values grow with it.
        relu: "big_m", "partitioned" (not with max-pooling), or "indicator" for scip
            and gurobi.
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
    started = time.perf_counter()
    plain, centre, codes, own = _checked(network, point, label, codes, largest, relu)
    found = int(_scores(plain, centre, codes).argmax())
    if found != own:
        return Verification(0.0, 0.0, centre, found, "optimal", 0.0)
    leads, start = leads_over_rivals(plain, codes, own), centre.ravel()
    attack = closest_attack(plain.layers, leads, start, largest)
    within = largest if attack is None else min(largest, _ROOM * attack.distance + _END)
    box = build_box(plain.layers, leads, start, within, relu, least_size=True)
    answer = solvers.solve(box.program, solver, time_limit, gap, threads)
    seconds = time.perf_counter() - started
    if answer.status == "infeasible" and attack is None:
        return Verification(largest, largest, None, -1, "robust", seconds)
    read = _read(box, answer, centre.shape, floor=0.0, none=largest)
    return replace(_closer(read, attack, centre.shape), seconds=seconds)


def adversarial_margin(
    network: ReLUNetwork | ConvNetwork,
    point: Float[ArrayLike, "..."],
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
        network: a dense one, or a convolution with its pooling.
        point: an input: [F], or an image [H, W, D], also [H, W] where D is 1.
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
    plain, centre, codes, own = _checked(network, point, label, codes, radius, relu)
    leads, start = leads_over_rivals(plain, codes, own), centre.ravel()
    box = build_box(plain.layers, leads, start, radius, relu, least_size=False)
    answer = solvers.solve(box.program, solver, time_limit, gap, threads)
    return _read(box, answer, centre.shape, floor=-np.inf, none=np.inf)


def _closer(
    read: Verification, attack: Attack | None, shape: tuple[int, ...]
) -> Verification:
    """What the program found, or the attack where that is closer."""
    if attack is None or read.value <= attack.distance:
        return read
    return replace(
        read,
        value=attack.distance,
        bound=min(read.bound, attack.distance),
        counterexample=attack.where.reshape(shape),
        rival=attack.rival,
    )


def _read(
    box: BoxProgram,
    answer: solvers.Solution,
    shape: tuple[int, ...],
    floor: float,
    none: float,
) -> Verification:
    bound = max(floor, answer.bound)
    if not answer.found:
        return Verification(none, bound, None, -1, answer.status, answer.seconds)
    rival = int(box.rivals[answer.values[box.chosen].argmax()])
    where = answer.values[box.inputs].reshape(shape)
    return Verification(
        answer.objective, bound, where, rival, answer.status, answer.seconds
    )


def _scores(
    network: UnfoldedNetwork, point: np.ndarray, codes: np.ndarray
) -> Float[np.ndarray, " C"]:
    """By the network's own forward evaluation."""
    return scores(network.outputs(point.reshape(1, *network.shapes[0])), codes)[0]


def _checked(
    network: Any,
    point: Any,
    label: Any,
    codes: Any,
    radius: Any,
    relu: str,
) -> tuple[UnfoldedNetwork, np.ndarray, np.ndarray, int]:
    plain = unfolded(network)
    centre, number = np.asarray(point, np.float64), len(plain.biases)
    if centre.shape not in plain.shapes or not np.isfinite(centre).all():
        raise ValueError(
            f"point has shape {centre.shape}; it must be {plain.shapes[0]}, finite"
            " numbers."
        )
    if not isinstance(radius, int | float | np.floating) or not 0 < radius < np.inf:
        raise ValueError(f"radius is {radius!r}; it must be a positive number.")
    if relu not in ENCODINGS:
        raise ValueError(f"relu is {relu!r}; choose one of {', '.join(ENCODINGS)}.")
    if relu == "partitioned" and any(each.pieces > 2 for each in plain.layers):
        raise ValueError(
            "relu is 'partitioned', which is for the maximum of 0 and one sum;"
            " max-pooling has a window's sums: choose big_m or indicator."
        )
    matrix = np.eye(number) if codes is None else np.asarray(codes, np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != number or len(matrix) < 2:
        raise ValueError(
            f"codes has shape {matrix.shape}; it must be [C, {number}], C of 2 or more."
        )
    if label is None:
        label = _scores(plain, centre, matrix).argmax()
    if not 0 <= int(label) < len(matrix):
        raise ValueError(f"label is {label!r}; it must be 0 … {len(matrix) - 1}.")
    return plain, centre, matrix, int(label)
