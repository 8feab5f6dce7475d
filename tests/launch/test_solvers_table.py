from launch import solvers as launcher
from qpm_jax import solvers


def test_the_table_has_a_line_for_every_solver_with_what_it_takes(capsys):
    launcher.main()
    headings, *lines = capsys.readouterr().out.splitlines()
    assert headings.split() == list(launcher.HEADINGS)
    assert [line.split()[0] for line in lines] == ["highs", "scip", "gurobi", "exact"]
    assert "linear, integer, quadratic, indicators, bilinear" in lines[1]


def test_a_solver_that_is_not_installed_says_how_to_get_it():
    gone = solvers.SolverInfo(
        "highs", "highspy", "", "missing", (), (), "pip install highspy"
    )
    line = launcher.table([gone]).splitlines()[1]
    assert (
        " ".join(line.split()) == "highs - missing linear, integer pip install highspy"
    )
