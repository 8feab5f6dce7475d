"""The QP of QPM: which n features to keep and which k of them describe each class.

`redundant_pairs` finds the pairs of features that are penalised, `AssignmentProblem`
holds the problem and `solve` solves it. docs/formulas.md states all of it: Redundancy
threshold, Objective, Constraints.
"""

from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.assignment.redundancy import RedundantPairs, redundant_pairs
from qpm_jax.assignment.result import Assignment
from qpm_jax.assignment.solve import solve

__all__ = [
    "Assignment",
    "AssignmentProblem",
    "RedundantPairs",
    "redundant_pairs",
    "solve",
]
