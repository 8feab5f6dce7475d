"""Where every quantity of a convolutional network stands among a program's variables.

docs/networks.md, Convolution. N images of [H, W, D], C channels of filters [k, k, D], a
pooled map [h, w, C] with q positions a window, O outputs.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rule_limits import position_limit
from qpm_jax.networks.programs.columns import Counter, LayerColumns


@dataclass(frozen=True, eq=False)
class ConvColumns:
    """All variables of a program, as arrays of indices; empty where it has none.

    Attributes:
        filters: [C, kkD], F.
        biases: [C], b.
        absolute: [C, kkD], t ≥ |F|.
        alive: [C], channel switch, p.
        gates: [h, w, C], e, whether an entry of the pooled map may differ from zero.
        values: [N, H, W, C], z.
        active: [N, H, W, C], max(0, z).
        on: [N, H, W, C], the binary of the ReLU, a.
        pooled: [N, h, w, C], m.
        chosen: [N, h, w, C, q], which position of a window is the largest, g; empty
            with average pooling.
        readout: the readout's layer, inputs in the order of `pooled`; empty in a
            program of the convolution alone.
        losses: [N, 1] or [N, O]; likewise.
        used: [h·w], whether a position of the pooled map is read, where a rule limits
            their number; likewise.
        positive: [C, kkD], s, whether a weight is not negative, in a program with
            signs; otherwise this and the two that follow are empty.
        bias_positive: [C], the same of the biases.
        bias_size: [C], b⁺ ≥ max(b, 0).
        number: V.
    """

    filters: Int[np.ndarray, "C kkD"]
    biases: Int[np.ndarray, " C"]
    absolute: Int[np.ndarray, "C kkD"]
    alive: Int[np.ndarray, " C"]
    gates: Int[np.ndarray, "..."]
    values: Int[np.ndarray, "N H W C"]
    active: Int[np.ndarray, "N H W C"]
    on: Int[np.ndarray, "N H W C"]
    pooled: Int[np.ndarray, "N h w C"]
    chosen: Int[np.ndarray, "..."]
    readout: LayerColumns
    losses: Int[np.ndarray, "N K"]
    used: Int[np.ndarray, " S"]
    positive: Int[np.ndarray, "..."]
    bias_positive: Int[np.ndarray, "..."]
    bias_size: Int[np.ndarray, "..."]
    number: int


def conv_columns(
    problem: ConvProblem,
    outputs: int,
    *,
    signs: bool = False,
    only_shapes: bool = False,
) -> ConvColumns:
    """Numbers all variables.

    Args:
        problem: the problem.
        outputs: O, or 0 for the convolution alone.
        signs: whether weights and biases have binaries for their signs.
        only_shapes: whether only the arrays' shapes and `number` count.

    Returns:
        The indices.
    """
    taken = Counter(only_shapes=only_shapes)
    instances, height, width, _ = problem.images.shape
    channels, shape = problem.channels, problem.pooled_shape
    maps = (instances, height, width, channels)
    inside = (problem.window**2,) if problem.pooling == "max" else (0,)
    gates = shape if problem.gate_price else (0,)
    filters = (channels, problem.patch_size)
    limited = outputs and position_limit(problem) is not None
    parts = (1 if problem.label_encoding == "one_hot" else outputs) if outputs else 0
    return ConvColumns(
        filters=taken(filters),
        biases=taken((channels,)),
        absolute=taken(filters),
        alive=taken((channels,)),
        gates=taken(gates),
        values=taken(maps),
        active=taken(maps),
        on=taken(maps),
        pooled=taken((instances, *shape)),
        chosen=taken((instances, *shape, *inside)),
        readout=_readout(problem, taken, outputs),
        losses=taken((instances, parts)),
        used=taken((shape[0] * shape[1] if limited else 0,)),
        positive=taken(filters if signs else (0,)),
        bias_positive=taken((channels if signs else 0,)),
        bias_size=taken((channels if signs else 0,)),
        number=taken.number,
    )


def _readout(problem: ConvProblem, taken: Counter, outputs: int) -> LayerColumns:
    instances, inputs = len(problem.labels), int(np.prod(problem.pooled_shape))
    bits = len(problem.family.coefficients)
    weights = (outputs, inputs)
    none = np.zeros((0, 0), int)
    return LayerColumns(
        weights=taken(weights),
        biases=taken((outputs,)),
        absolute=taken(weights),
        squares=taken(weights if problem.l2 else (0, 0)),
        bits=taken((*weights, bits)),
        products=taken((instances, *weights, bits)),
        values=taken((instances, outputs)),
        active=none,
        on=none,
        alive=none,
        kept=none,
        passed=none,
        handed=none,
    )
