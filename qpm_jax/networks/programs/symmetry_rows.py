"""One order of the neurons of a layer instead of all n!.

docs/networks.md (i) asks for p_j ≥ p_{j+1} and for falling sums of incoming weights.
Together they would forbid a used neuron of negative sum beside one that is off, so the
sums are compared among used neurons only:

    Σ_k w_jk ≥ Σ_k w_{j+1,k} − m U (1 − p_{j+1}).
"""

from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.columns import NetworkColumns
from qpm_jax.networks.programs.pruning_rows import weight_limit
from qpm_jax.networks.programs.rows import Rows, make_rows
from qpm_jax.networks.rules import LinearRule


def symmetry_rows(
    problem: NetworkProblem, columns: NetworkColumns, layer: int
) -> list[Rows]:
    """Rows that order the neurons of a hidden layer.

    Args:
        problem: the problem.
        columns: its variables.
        layer: a hidden one.

    Returns:
        None where a neighbouring layer may be skipped, whose identity ties neurons to
        places, and none where a `LinearRule` may single neurons out.
    """
    here, after = columns.layers[layer], columns.layers[layer + 1]
    tied = here.passed.size or after.passed.size
    singled = any(isinstance(rule, LinearRule) for rule in problem.rules)
    if tied or singled or len(here.alive) < 2:
        return []
    first, second = here.weights[:-1], here.weights[1:]
    most = 2 * weight_limit(problem, layer) * first.shape[1]
    return [
        make_rows([(here.alive[:-1], 1.0), (here.alive[1:], -1.0)], lower=0.0),
        make_rows(
            [(here.alive[1:], -most)],
            lower=-most,
            sums=[(first, 1.0), (second, -1.0)],
        ),
    ]
