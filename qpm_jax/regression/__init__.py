"""Binarized regression: ternary linear classifiers by integer programming.

Tule, Le, Say, arXiv 2112.00434 (IEEE SSCI 2022). `BinarizedRegressionClassifier` and
`PseudoBooleanRegressionClassifier` are scikit-learn estimators, as is the baseline
`TernaryGradientDescentClassifier`. Below them are arrays: a `RegressionProblem`,
`solve` and `solve_pbo`, which return a `RegressionSolution`, and the programs
themselves, which `write_opb` keeps for any pseudo-Boolean solver, whose answer
`read_opb_answer` reads. `certify` says how many features may flip before a prediction
changes.
"""

import importlib
from typing import TYPE_CHECKING, Any

from qpm_jax.regression.mip import solve
from qpm_jax.regression.mip_program import build_mip
from qpm_jax.regression.pbo import solve_pbo
from qpm_jax.regression.problem import RegressionProblem, is_bounded
from qpm_jax.regression.pseudo_boolean.opb_answers import read_opb_answer
from qpm_jax.regression.pseudo_boolean.opb_files import read_opb, write_opb
from qpm_jax.regression.pseudo_boolean.program import build_pbo, read_bits
from qpm_jax.regression.robustness import Certificate, certify, robust_accuracy
from qpm_jax.regression.solution import RegressionSolution, make_solution
from qpm_jax.regression.straight_through import train_straight_through

if TYPE_CHECKING:
    from qpm_jax.regression.classifiers import (
        BinarizedRegressionClassifier,
        PseudoBooleanRegressionClassifier,
    )
    from qpm_jax.regression.gradient_classifier import TernaryGradientDescentClassifier

# scikit-learn is imported with the first estimator.
_ESTIMATORS = {
    "BinarizedRegressionClassifier": "classifiers",
    "PseudoBooleanRegressionClassifier": "classifiers",
    "TernaryGradientDescentClassifier": "gradient_classifier",
}

__all__ = [
    "BinarizedRegressionClassifier",
    "Certificate",
    "PseudoBooleanRegressionClassifier",
    "RegressionProblem",
    "RegressionSolution",
    "TernaryGradientDescentClassifier",
    "build_mip",
    "build_pbo",
    "certify",
    "is_bounded",
    "make_solution",
    "read_bits",
    "read_opb",
    "read_opb_answer",
    "robust_accuracy",
    "solve",
    "solve_pbo",
    "train_straight_through",
    "write_opb",
]


def __getattr__(name: str) -> Any:
    """Imports an estimator on first use."""
    if name in _ESTIMATORS:
        module = importlib.import_module(f"qpm_jax.regression.{_ESTIMATORS[name]}")
        return getattr(module, name)
    raise AttributeError(f"module 'qpm_jax.regression' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(_ESTIMATORS) | set(globals()))
