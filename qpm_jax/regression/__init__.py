"""Binarized regression: ternary linear classifiers by integer programming.

Tule, Le, Say, arXiv 2112.00434 (IEEE SSCI 2022).
"""

from qpm_jax.regression.problem import RegressionProblem, is_bounded
from qpm_jax.regression.solution import RegressionSolution, make_solution

__all__ = [
    "RegressionProblem",
    "RegressionSolution",
    "is_bounded",
    "make_solution",
]
