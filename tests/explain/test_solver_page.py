"""The solver's page: what was reached, and how objective, bound and gap went."""

from qpm_jax.explain.solver_page import solver_plots, solver_section


def test_objective_bound_and_gap_are_drawn_over_time(contents):
    text = solver_section(contents())
    assert text.count("<polyline") == 3
    assert "Upper bound" not in text
    assert "0.04\u00a0%" in text


def test_a_value_stays_until_the_next_is_known(contents):
    trace = [
        {"seconds": 0.0, "objective": 1.0, "bound": None, "gap": None},
        {"seconds": 1.0, "objective": 2.0, "bound": None, "gap": None},
        {"seconds": 4.0, "objective": 2.0, "bound": None, "gap": None},
    ]
    text = solver_plots(contents(trace=trace))
    assert text.count("<polyline") == 1
    points = text.split('points="')[1].split('"')[0].split()
    xs, ys = zip(*(map(float, point.split(",")) for point in points), strict=True)
    assert ys[0] == ys[1] > ys[2] == ys[-1]
    assert xs[1] == xs[2] < xs[-1]


def test_without_a_trace_the_figures_stand_alone(contents):
    text = solver_section(contents(trace=()))
    assert "<svg" not in text
    assert "Objective" in text


def test_an_unknown_solve_has_no_section(contents):
    assert solver_section(contents(solver={})) == ""
