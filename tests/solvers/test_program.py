import numpy as np
import pytest
import scipy.sparse

from qpm_jax import solvers


def program(**changes):
    fields = {
        "objective": [1.0, 2.0],
        "rows": scipy.sparse.csr_array([[1.0, 1.0]]),
        "row_lower": [0.0],
        "row_upper": [1.0],
        "lower": [0.0, 0.0],
        "upper": [1.0, 1.0],
        "integer": [True, False],
    }
    return solvers.MixedIntegerProgram(**{**fields, **changes})


def test_a_program_holds_checked_float64_arrays_and_csr_rows():
    small = program(rows=np.array([[1, 1]]))
    assert small.objective.dtype == np.float64
    assert small.rows.format == "csr"
    assert (small.num_variables, small.num_rows) == (2, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": [1.0, np.inf]}, "objective holds infinite"),
        ({"objective": [1.0, np.nan]}, "objective holds NaN"),
        ({"objective": [[1.0]]}, "objective has shape"),
        ({"rows": [[1.0]]}, "rows has 1 columns"),
        ({"rows": [[1.0, np.nan]]}, "rows holds NaN"),
        ({"row_lower": [0.0, 1.0]}, "row_lower has shape"),
        ({"row_lower": [2.0]}, "row_lower is 2.0 and row_upper 1.0"),
        ({"lower": [0.0, 3.0]}, "lower is 3.0 and upper 1.0"),
        ({"lower": [np.inf, 0.0], "upper": [np.inf, 1.0]}, "nothing lies between"),
        ({"integer": [True]}, "integer has shape"),
        ({"quadratic": [[1.0, 0.0]]}, "quadratic has shape"),
        ({"branch_priority": [1]}, r"branch_priority is int.* shape \(1,\)"),
        ({"branch_priority": [0.5, 1.0]}, "branch_priority is float64"),
        ({"branch_priority": [0, 2**31]}, "from 0 to 2147483648; solvers take 32 bits"),
    ],
)
def test_a_malformed_program_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        program(**changes)
