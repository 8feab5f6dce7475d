"""ReLU networks trained by mixed-integer programming.

Ataei, Hasaj, Gipp, Forouzi, arXiv 2504.14356: weights, neurons and layers are chosen by
one program. `MILPNetworkClassifier` and `MILPConvClassifier` are scikit-learn
estimators. Below them are arrays: a `NetworkProblem` says what is wanted, `solve`
returns a `NetworkSolution` with a `ReLUNetwork`, judged by exact forward evaluation;
`build_dense` gives the program. `ConvProblem`, `solve_conv`, `ConvNetwork` and
`build_conv` are the same for images.
"""

import importlib
from typing import TYPE_CHECKING, Any

from qpm_jax.networks.bounds.by_neurons.bound import neuron_bound
from qpm_jax.networks.bounds.conv_intervals import ConvBounds, conv_interval_bounds
from qpm_jax.networks.bounds.conv_tightening import tightened_conv_bounds
from qpm_jax.networks.bounds.intervals import interval_bounds
from qpm_jax.networks.bounds.path_bound import path_bound
from qpm_jax.networks.bounds.tightening import tightened_bounds
from qpm_jax.networks.conv_network import ConvNetwork, conv_outputs
from qpm_jax.networks.conv_picture import conv_picture
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rules import FilterSign, PositionLimit, ReadoutSign
from qpm_jax.networks.conv_solve import solve_conv
from qpm_jax.networks.local_search.neighbourhood_search import search
from qpm_jax.networks.network import (
    ReLUNetwork,
    outputs,
    parameter_reduction,
    preactivations,
    sparsity,
    used_neurons,
)
from qpm_jax.networks.picture import network_picture
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.conv_program import (
    ConvProgram,
    build_conv,
    build_conv_layer,
    conv_program_size,
)
from qpm_jax.networks.programs.conv_values import read_conv, write_conv
from qpm_jax.networks.programs.dense_program import DenseProgram, build_dense
from qpm_jax.networks.programs.program_values import read_network, write_network
from qpm_jax.networks.rules import FeatureLimit, LinearRule, Monotone, WeightSign
from qpm_jax.networks.simplify import ordered, simplified
from qpm_jax.networks.solution import NetworkSolution
from qpm_jax.networks.solve import solve
from qpm_jax.networks.verification import (
    Verification,
    adversarial_margin,
    certified_radius,
)
from qpm_jax.networks.weight_family import WeightFamily, weight_family

if TYPE_CHECKING:
    from qpm_jax.networks.classifier import MILPNetworkClassifier
    from qpm_jax.networks.conv_classifier import MILPConvClassifier

# scikit-learn is imported with the first estimator.
_ESTIMATORS = {
    "MILPConvClassifier": "conv_classifier",
    "MILPNetworkClassifier": "classifier",
}

__all__ = [
    "ConvBounds",
    "ConvNetwork",
    "ConvProblem",
    "ConvProgram",
    "DenseProgram",
    "FeatureLimit",
    "FilterSign",
    "LinearRule",
    "MILPConvClassifier",
    "MILPNetworkClassifier",
    "Monotone",
    "NetworkProblem",
    "NetworkSolution",
    "PositionLimit",
    "ReLUNetwork",
    "ReadoutSign",
    "Verification",
    "WeightFamily",
    "WeightSign",
    "adversarial_margin",
    "build_conv",
    "build_conv_layer",
    "build_dense",
    "certified_radius",
    "conv_interval_bounds",
    "conv_outputs",
    "conv_picture",
    "conv_program_size",
    "interval_bounds",
    "network_picture",
    "neuron_bound",
    "ordered",
    "outputs",
    "parameter_reduction",
    "path_bound",
    "preactivations",
    "read_conv",
    "read_network",
    "search",
    "simplified",
    "solve",
    "solve_conv",
    "sparsity",
    "tightened_bounds",
    "tightened_conv_bounds",
    "used_neurons",
    "weight_family",
    "write_conv",
    "write_network",
]


def __getattr__(name: str) -> Any:
    """Imports an estimator on first use."""
    if name in _ESTIMATORS:
        module = importlib.import_module(f"qpm_jax.networks.{_ESTIMATORS[name]}")
        return getattr(module, name)
    raise AttributeError(f"module 'qpm_jax.networks' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(__all__) | set(globals()))
