import dataclasses

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import solvers

ENDINGS = (".mps", ".lp")
FIELDS = ("objective", "row_lower", "row_upper", "lower", "upper", "integer")


def random_program(seed):
    """Free rows, empty rows and columns, ranges, fixed columns, infinite bounds."""
    random = np.random.default_rng(seed)
    columns, rows = int(random.integers(1, 8)), int(random.integers(0, 7))
    matrix = scipy.sparse.random_array((rows, columns), density=0.5, rng=random)
    matrix.data = random.normal(size=matrix.nnz)

    def sides(length):
        low = random.normal(size=length) * 3
        high = low + random.exponential(size=length) * random.integers(0, 2, length)
        low[random.random(length) < 0.3] = -np.inf
        high[random.random(length) < 0.3] = np.inf
        return low, high

    return solvers.MixedIntegerProgram(
        random.normal(size=columns) * random.integers(0, 2, columns),
        matrix,
        *sides(rows),
        *sides(columns),
        random.random(columns) < 0.5,
        maximise=bool(random.integers(2)),
    )


@pytest.mark.parametrize("ending", ENDINGS)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_a_program_comes_back_from_its_file_to_the_last_bit(
    tmp_path_factory, ending, seed
):
    program = random_program(seed)
    path = tmp_path_factory.mktemp("files") / f"program{ending}"
    solvers.write(program, path)
    back = solvers.read(path)
    for field in FIELDS:
        wanted = getattr(program, field)
        np.testing.assert_array_equal(getattr(back, field), wanted, field)
    assert (back.rows != program.rows).nnz == 0
    assert back.maximise == program.maximise


def test_scip_reads_the_same_program_from_the_file(tmp_path):
    pyscipopt = pytest.importorskip("pyscipopt")
    random = np.random.default_rng(0)
    program = solvers.MixedIntegerProgram(
        random.normal(size=6),
        random.normal(size=(3, 6)),
        [-1.0, -np.inf, -2.0],
        [1.5, 1.0, np.inf],
        [-3, 0, -np.inf, 0, -2, 1],
        [4, 1, 2, 7, 2, 1],
        [True, True, False, True, False, True],
        maximise=True,
    )
    wanted = solvers.solve(program).objective
    for ending in ENDINGS:
        path = tmp_path / f"program{ending}"
        solvers.write(program, path)
        model = pyscipopt.Model()
        model.hideOutput()
        model.readProblem(str(path))
        model.optimize()
        assert model.getObjVal() == pytest.approx(wanted)


def small(**changes):
    fields = {
        "objective": [1.0, 2.0],
        "rows": [[1.0, 1.0]],
        "row_lower": [0.0],
        "row_upper": [1.0],
        "lower": [0.0, 0.0],
        "upper": [1.0, 1.0],
        "integer": [True, False],
    }
    return solvers.MixedIntegerProgram(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quadratic": np.eye(2)}, "quadratic part cannot"),
        (
            {"indicators": solvers.Indicators([0], [1], [[0, 1.0]], [0], [1])},
            "indicators part cannot",
        ),
        ({"rows": [[1e-13, 1.0]]}, "rows holds 1e-13"),
        ({"objective": [1e16, 1.0]}, "objective holds 1e\\+16"),
        ({"upper": [1.0, 1e25]}, "upper holds 1e\\+25"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        solvers.write(small(**changes), tmp_path / "program.mps")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("call", [solvers.read, lambda p: solvers.write(small(), p)])
def test_another_ending_is_refused_with_those_that_are_taken(tmp_path, call):
    with pytest.raises(ValueError, match=r"ends in '\.opb'.*\.mps and \.lp"):
        call(tmp_path / "program.opb")


def test_a_program_without_variables_is_refused(tmp_path):
    nothing = dataclasses.replace(
        small(),
        objective=np.zeros(0),
        rows=np.zeros((1, 0)),
        lower=np.zeros(0),
        upper=np.zeros(0),
        integer=np.zeros(0, bool),
    )
    with pytest.raises(ValueError, match="no variables"):
        solvers.write(nothing, tmp_path / "program.lp")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is no file"),
        ("this is no program", "is not a readable"),
        ("min\n obj: x + 3\nst\n r: x >= 1\nend\n", "a constant of 3"),
        ("min\n obj: x + [ x^2 ] / 2\nst\n r: x >= 1\nend\n", "quadratic objective"),
        (
            "min\n obj: x\nst\n r: x >= 1\nbounds\n x <= 9\nsemi\n x\nend\n",
            "semi-continuous",
        ),
    ],
)
def test_a_file_that_is_no_linear_program_is_refused(tmp_path, text, message):
    path = tmp_path / "program.lp"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=message):
        solvers.read(path)


def test_rows_that_only_look_like_halves_stay_two(tmp_path):
    path = tmp_path / "program.lp"
    path.write_text("min\n obj: x\nst\n alo: x >= 1\n aup: 2 x <= 9\nend\n")
    assert solvers.read(path).num_rows == 2
