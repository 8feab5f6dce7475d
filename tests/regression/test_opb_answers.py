"""What a pseudo-Boolean solver prints, read back as bits."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.regression import (
    RegressionProblem,
    build_pbo,
    read_bits,
    read_opb,
    read_opb_answer,
    write_opb,
)

needs_exact = pytest.mark.skipif(
    importlib.util.find_spec("exact") is None,
    reason="needs the package exact (pip install 'qpm-jax[exact]')",
)


def bits_program(count, rows=()):
    """Any bits at all, or those of which each row has one at least."""
    rows = np.array(rows, float).reshape(-1, count)
    return solvers.MixedIntegerProgram(
        objective=np.zeros(count),
        rows=rows,
        row_lower=np.ones(len(rows)),
        row_upper=np.full(len(rows), np.inf),
        lower=np.zeros(count),
        upper=np.ones(count),
        integer=np.ones(count, bool),
    )


def printed(bits, starts=()):
    """Bits as a solver prints them, with a new line before each of some variables."""
    words = [
        f"{chr(10) + 'v ' if index in starts else ''}{'' if bit else '-'}x{index + 1}"
        for index, bit in enumerate(bits)
    ]
    return f"v {' '.join(words)}\n"


@pytest.fixture
def answer(tmp_path):
    """Returns a function: writes a solver's output and returns its path."""

    def write(text):
        (tmp_path / "answer.txt").write_text(text)
        return tmp_path / "answer.txt"

    return write


def test_the_competition_s_format_is_read(answer):
    text = """c RoundingSat 2
    c verbose
o 3
o -9
s OPTIMUM FOUND
v x1 -x2
v -x4 x3
c bye
"""
    assert read_opb_answer(answer(text), bits_program(4)).tolist() == [1, 0, 1, 0]


def test_a_solution_that_is_not_proven_is_one_too_and_windows_lines_are_lines(answer):
    text = "v -x2 x1 x1\r\ns SATISFIABLE \r\n"
    assert read_opb_answer(str(answer(text)), bits_program(2)).tolist() == [1, 0]


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=40), st.sets(st.integers(1, 39)))
def test_any_bits_come_back_however_lines_are_broken(tmp_path_factory, bits, starts):
    path = tmp_path_factory.mktemp("answer") / "answer.txt"
    path.write_text("s SATISFIABLE\n" + printed(bits, starts))
    assert read_opb_answer(path, bits_program(len(bits))).tolist() == bits


@pytest.mark.parametrize("solver", ["scip", pytest.param("exact", marks=needs_exact)])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_solver_s_answer_to_the_file_is_the_model_it_found(
    tmp_path_factory, solver, seed
):
    folder = tmp_path_factory.mktemp("opb")
    labels = np.arange(8) % 2
    noise = np.random.default_rng(seed).random((8, 3)) < 0.1
    problem = RegressionProblem(np.eye(2, 3)[labels] != noise, labels, 2, 2, 5)
    pbo = build_pbo(problem)
    write_opb(pbo.program, folder / "program.opb")
    found = solvers.solve(read_opb(folder / "program.opb"), solver, 600)
    (folder / "answer.txt").write_text(
        f"o {found.objective:.0f}\ns OPTIMUM FOUND\n{printed(found.values)}"
    )
    bits = read_opb_answer(folder / "answer.txt", pbo.program)
    weights, intercepts = read_bits(pbo, bits)
    told = read_bits(pbo, found.values)
    assert np.array_equal(weights, told[0])
    assert np.array_equal(intercepts, told[1])
    assert problem.objective(weights, intercepts) == pytest.approx(found.objective)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("o 3\ns UNSATISFIABLE\n", "line 2: the solver's answer is 'UNSATISFIABLE'"),
        ("s UNKNOWN\nv x1 x2\n", "line 1: the solver's answer is 'UNKNOWN', without"),
        ("s TIMELIMIT\n", "'TIMELIMIT'.*only 'OPTIMUM FOUND' and 'SATISFIABLE'"),
        ("o 3\nv x1 x2\n", "has no line 's ...' that says how the solver ended"),
        ("", "has no line 's ...'"),
        ("s SATISFIABLE\ns UNKNOWN\n", "line 2: there must be one answer"),
        ("s SATISFIABLE\n", "no value of x1, and of 2 of 2 variables.*--print-sol=1"),
        ("s SATISFIABLE\nv x1\n", "no value of x2, and of 1 of 2"),
        ("s SATISFIABLE\nv x1 x2 -x3\n", "line 2: there is a value of x3.*has 2 var"),
        ("s SATISFIABLE\nv x0 x1\n", "line 2: 'x0' is no value of a variable"),
        ("s SATISFIABLE\nv 1 -2\n", "'1' is no value.*like x1 or -x1"),
        ("s SATISFIABLE\nv x1\nv -x1 x2\n", "line 3: x1 is both 0 and 1"),
    ],
)
def test_an_output_without_a_whole_solution_is_refused(answer, text, words):
    with pytest.raises(ValueError, match=words):
        read_opb_answer(answer(text), bits_program(2))


def test_bits_that_are_no_solution_of_the_program_are_refused(answer):
    text = "s OPTIMUM FOUND\nv x1 -x2 -x3\n"
    assert read_opb_answer(answer(text), bits_program(3, [[1, 1, 0]])).tolist()
    with pytest.raises(ValueError, match=r"no solution of .* is broken by 1"):
        read_opb_answer(answer(text), bits_program(3, [[1, 1, 0], [0, 1, 1]]))


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"absent.txt is no file"):
        read_opb_answer(tmp_path / "absent.txt", bits_program(2))
