"""A thin bridge to mixed-integer solvers: one program type, one solution type.

`MixedIntegerProgram` says what is to be solved, `solve` solves it with the solver
named, `available` says which solvers are there and under what licence. Knows nothing of
QPM; a new solver is one new file and one line in `registry`.
"""

from qpm_jax.solvers.program import MixedIntegerProgram
from qpm_jax.solvers.registry import SolverInfo, available
from qpm_jax.solvers.solution import Solution
from qpm_jax.solvers.solve import solve

__all__ = ["MixedIntegerProgram", "Solution", "SolverInfo", "available", "solve"]
