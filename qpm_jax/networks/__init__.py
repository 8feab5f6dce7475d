"""ReLU networks trained by mixed-integer programming.

Ataei, Hasaj, Gipp, Forouzi, arXiv 2504.14356: weights, neurons and layers are chosen by
one program. Below the estimators are arrays: a `NetworkProblem` says what is wanted, a
`ReLUNetwork` is an answer, judged by exact forward evaluation.
"""

from qpm_jax.networks.network import (
    ReLUNetwork,
    outputs,
    parameter_reduction,
    preactivations,
    sparsity,
    used_neurons,
)
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.rules import FeatureLimit, LinearRule, Monotone, WeightSign
from qpm_jax.networks.simplify import ordered, simplified
from qpm_jax.networks.weight_family import WeightFamily, weight_family

__all__ = [
    "FeatureLimit",
    "LinearRule",
    "Monotone",
    "NetworkProblem",
    "ReLUNetwork",
    "WeightFamily",
    "WeightSign",
    "ordered",
    "outputs",
    "parameter_reduction",
    "preactivations",
    "simplified",
    "sparsity",
    "used_neurons",
    "weight_family",
]
