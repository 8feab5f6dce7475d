"""A thin bridge to mixed-integer solvers: one program type, one solution type.

`MixedIntegerProgram` says what is to be solved, with `Indicators` and `Bilinear` rows
where a solver takes them; `solve` solves it with the solver named, `available` says
which solvers are there and under what licence; `solve_objectives` solves one linear
program for many objectives; `write` and `read` keep linear programs as .mps or .lp
files. Knows nothing of QPM; a new solver is one new file and one line in
`registry`.
"""

from qpm_jax.solvers.many_objectives import solve_objectives
from qpm_jax.solvers.model_files import read, write
from qpm_jax.solvers.parts import Bilinear, Indicators
from qpm_jax.solvers.program import MixedIntegerProgram
from qpm_jax.solvers.registry import SolverInfo, available
from qpm_jax.solvers.solution import Solution
from qpm_jax.solvers.solve import solve

__all__ = [
    "Bilinear",
    "Indicators",
    "MixedIntegerProgram",
    "Solution",
    "SolverInfo",
    "available",
    "read",
    "solve",
    "solve_objectives",
    "write",
]
