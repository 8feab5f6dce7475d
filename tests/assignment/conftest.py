"""Problems and answers that several tests of the assignment look at."""

import itertools

import numpy as np
import pytest

from qpm_jax import assignment
from qpm_jax.assignment.native import refine


@pytest.fixture(scope="session")
def golden_problem():
    """A function from a case of the golden instances to its problem."""

    def problem_of(case):
        return assignment.AssignmentProblem(
            case["A"],
            case["pairs"],
            case["pair_weights"],
            case.get("b"),
            int(case["n_features"]),
            int(case["per_class"]),
        )

    return problem_of


@pytest.fixture(scope="session")
def optimum():
    """A function to the Z of a problem's best selection, by looking at every one."""

    def value_of(problem):
        host = refine.host_arrays(problem)
        free = set(range(len(host.bias))) - set(problem.forced_out)
        return max(
            refine.solution_of(host, np.array(selection))[1]
            for selection in itertools.combinations(sorted(free), problem.num_features)
            if set(problem.forced_in) <= set(selection)
        )

    return value_of
