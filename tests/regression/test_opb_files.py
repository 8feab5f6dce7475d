import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.regression import build_pbo, read_opb, write_opb


def test_a_program_is_written_in_the_competition_s_words(tmp_path, bits_program):
    program = bits_program(
        [3, -2, 0],
        [[1, 2, -1], [1, 0, 1], [0, 1, 0], [1, 1, 1]],
        [1, 1, -np.inf, 1],
        [np.inf, 1, 0, 2],
    )
    write_opb(program, tmp_path / "a.opb")
    assert (tmp_path / "a.opb").read_text().splitlines() == [
        "* #variable= 3 #constraint= 5",
        "min: +3 x1 -2 x2 ;",
        "+1 x1 +2 x2 -1 x3 >= 1 ;",
        "+1 x1 +1 x3 = 1 ;",
        "-1 x2 >= 0 ;",
        "+1 x1 +1 x2 +1 x3 >= 1 ;",
        "-1 x1 -1 x2 -1 x3 >= -2 ;",
    ]


def test_rows_of_fractions_are_written_whole(tmp_path, bits_program):
    program = bits_program([1, 1], [[0.5, 1.5]], [1.5], [np.inf])
    write_opb(program, tmp_path / "a.opb")
    assert "+1 x1 +3 x2 >= 3 ;" in (tmp_path / "a.opb").read_text()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_what_is_written_is_read_back(tmp_path_factory, bits_program, seed):
    random = np.random.default_rng(seed)
    count, height = random.integers(1, 7, 2)
    program = bits_program(
        random.integers(-9, 9, count) / random.integers(1, 7),
        random.integers(-3, 4, (height, count)),
        random.integers(-5, 5, height),
        np.full(height, np.inf),
    )
    path = tmp_path_factory.mktemp("opb") / "a.opb"
    write_opb(program, path)
    read = read_opb(path)
    assert read.objective == pytest.approx(program.objective)
    assert np.array_equal(read.rows.toarray(), program.rows.toarray())
    assert np.array_equal(read.row_lower, program.row_lower)
    assert read.integer.all()


def test_a_regression_program_has_the_same_optimum_from_its_file(
    make_problem, brute_force, tmp_path
):
    small = make_problem(1, instances=5, alpha=1.5, beta=2.5)
    write_opb(build_pbo(small).program, tmp_path / "a.opb")
    found = solvers.solve(read_opb(tmp_path / "a.opb"), threads=1)
    assert found.objective == pytest.approx(brute_force(small))


def test_scip_reads_the_file(make_problem, brute_force, tmp_path):
    pyscipopt = pytest.importorskip("pyscipopt")
    small = make_problem(2, instances=5)
    write_opb(build_pbo(small).program, tmp_path / "a.opb")
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(tmp_path / "a.opb"))
    model.optimize()
    assert model.getObjVal() == pytest.approx(brute_force(small))


def test_files_of_others_are_read(tmp_path):
    text = """* #variable= 4 #constraint= 3
    * made by hand
    min: 2 x1
      - 3 x2;
    1 x1 + 1 ~x2 >= 1;  -1 x3 <= 0 ;
    x1 >= 0 ;
    """.replace("x1 >= 0", "1 x1 >= 0")
    (tmp_path / "a.opb").write_text(text)
    read = read_opb(tmp_path / "a.opb")
    assert read.objective.tolist() == [2, -3, 0, 0]
    assert read.rows.toarray().tolist() == [[1, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0]]
    assert read.row_lower.tolist() == [0, -np.inf, 0]
    assert read.row_upper.tolist() == [np.inf, 0, np.inf]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("min: 1 x1 ;\n1 x1 >= one ;", "line 2: '1 x1 >= one' is no constraint"),
        ("min: 1 x1 ;\n\n1 x1 x2 >= 1 ;", "line 3: 'x2' is no linear term"),
        ("min: x1 ;", "line 1: 'x1' is no linear term"),
        ("min: 1 x1 ;\n1 x1 foo 1 x2 >= 1 ;", "line 2: 'foo 1 x2' is no linear term"),
        ("1 x1 >= 1 ;\nmin: 1 x1 ;", "line 2: there must be one objective"),
        ("max: 1 x1 ;", "line 1: there must be one objective"),
        ("min: 1 ~x1 ;", "line 1: an objective of negated"),
        ("1 x0 >= 1 ;", "line 1: variables count from x1"),
        ("min: 1 x1 ;\n1 x1 >= 1", "line 2: '1 x1 >= 1' does not end in ';'"),
        ("min: 1 x1 ;\n1.5 x1 >= 1 ;", "line 2: '1.5 x1' is no linear term"),
    ],
)
def test_a_line_that_is_not_opb_is_named(tmp_path, text, words):
    (tmp_path / "a.opb").write_text(text)
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        read_opb(tmp_path / "a.opb")


LARGE = 2**53 + 1  # the first whole number that float64 has not


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"min: -{LARGE} x1 ;", f"line 1: the coefficient of x1 is -{LARGE}"),
        (
            f"min: 1 x1 ;\n{LARGE} x2 >= 1 ;",
            f"line 2: the coefficient of x2 is {LARGE}",
        ),
        (f"{2**53} x1 +1 x1 >= 1 ;", f"line 1: the coefficient of x1 is {LARGE}"),
        (f"1 x1 >= {LARGE} ;", f"line 1: the side is {LARGE}; it must be 2"),
        (f"{2**53} ~x1 >= -1 ;", f"line 1: the side is -{LARGE}"),
    ],
)
def test_numbers_that_would_be_changed_are_refused(tmp_path, text, words):
    (tmp_path / "a.opb").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_opb(tmp_path / "a.opb")


def test_the_largest_numbers_are_read_exactly_also_as_sums(tmp_path):
    text = f"min: {LARGE} x1 -1 x1 ;\n-{2**53} x1 >= -{2**53} ;"
    (tmp_path / "a.opb").write_text(text)
    read = read_opb(tmp_path / "a.opb")
    assert int(read.objective[0]) == 2**53
    assert int(read.rows.toarray()[0, 0]) == int(read.row_lower[0]) == -(2**53)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="is no file"):
        read_opb(tmp_path / "absent.opb")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"upper": [1, 2]}, "variable 1 of the program is not one of 0 and 1"),
        ({"integer": [False, True]}, "variable 0 of the program is not one of"),
        ({"maximise": True}, "linear and minimised"),
        ({"rows": [[np.pi, 1]]}, "row 0 holds 3.14"),
        ({"objective": [np.pi, 1]}, "no factor up to 1000000 makes it whole"),
        ({"objective": [2.0**60, 1]}, "must be whole, and 2"),
    ],
)
def test_what_opb_cannot_say_is_refused(tmp_path, changes, words, bits_program):
    program = bits_program([1, 1], [[1, 1]], [0], [1])
    fields = {**vars(program), **changes}
    with pytest.raises(ValueError, match=words):
        write_opb(solvers.MixedIntegerProgram(**fields), tmp_path / "a.opb")
    assert not (tmp_path / "a.opb").exists()
