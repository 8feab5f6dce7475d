import csv
import math

import pytest

from qpm_jax.sweeps import collect, write_results
from qpm_jax.sweeps.collect import mean_and_deviation, unfinished
from qpm_jax.sweeps.picture import sweep_picture
from qpm_jax.sweeps.tables import as_csv, as_markdown

GRID = [("num_features", (30, 20)), ("per_class", (3, 5))]


@pytest.fixture
def sweep(make_sweep, finish):
    """Two of four cells over two seeds; one of them lacks a seed."""
    sweep = make_sweep(GRID, seeds=(1, 0))
    figures = {(20, 3): (0.8, 0.6), (30, 3): (0.7,)}
    for run in sweep.runs:
        values = figures.get(run.cell, ())
        if run.seed < len(values):
            finish(sweep.folder(run), "evaluate", values[run.seed], sid_at_5=0.5)
    return sweep


def test_runs_are_gathered_by_cell_in_the_order_of_their_values(sweep):
    _, first, second = collect(sweep)
    assert (first.model, first.values) == ("qpm", {"num_features": 20, "per_class": 3})
    assert first.seeds == (0, 1)
    assert [metrics["accuracy"] for metrics in first.metrics] == [0.8, 0.6]
    assert second.values["num_features"] == 30
    assert second.seeds == (0,)
    assert len(unfinished(sweep)) == 5


def test_a_dense_model_that_cells_share_is_one_row_with_each_seed_once(sweep):
    dense = collect(sweep)[0]
    assert (dense.model, dense.values, dense.seeds) == ("dense", {}, (0, 1))


def test_a_dense_model_has_the_values_it_depends_on(make_sweep, finish):
    grid = [("dense.epochs", (1, 2)), ("num_features", (20, 30))]
    sweep = make_sweep(grid)
    for run in sweep.runs:
        finish(sweep.folder(run))
    dense = [row for row in collect(sweep) if row.model == "dense"]
    assert [row.values for row in dense] == [{"dense.epochs": 1}, {"dense.epochs": 2}]


def test_the_deviation_is_that_of_a_sample(sweep):
    _, first, second = collect(sweep)
    mean, deviation = mean_and_deviation(first, "accuracy")
    assert mean == pytest.approx(0.7)
    assert deviation == pytest.approx(math.sqrt(0.02))
    assert math.isnan(mean_and_deviation(second, "accuracy")[1])
    assert mean_and_deviation(first, "correlation") is None


def test_programs_get_every_figure_as_a_fraction(sweep):
    lines = list(csv.DictReader(as_csv(collect(sweep), sweep.keys).splitlines()))
    assert [line["model"] for line in lines] == ["dense", "qpm", "qpm"]
    assert lines[0]["num_features"] == ""
    assert lines[1]["runs"] == "2"
    assert float(lines[1]["accuracy"]) == pytest.approx(0.7)
    assert float(lines[1]["accuracy_std"]) == pytest.approx(math.sqrt(0.02))
    assert lines[2]["accuracy_std"] == ""
    assert lines[1]["correlation"] == ""


def test_people_get_percentages_and_no_column_of_what_is_undefined(sweep):
    table = as_markdown(collect(sweep), sweep.keys)
    head, _, dense, first, second = table.splitlines()
    assert "| num_features | per_class | runs | Accuracy | Features | SID@5 |" in head
    assert dense == "| dense |  |  | 2 | 90.0 ± 0.0 | 640 | – |"
    assert first == "| QPM | 20 | 3 | 2 | 70.0 ± 14.1 | 20 | 50.0 ± 0.0 |"
    assert second == "| QPM | 30 | 3 | 1 | 70.0 | 20 | 50.0 |"
    few = as_markdown(collect(sweep), sweep.keys, ["accuracy", "correlation"])
    assert few.splitlines()[0] == "|  | num_features | per_class | runs | Accuracy |"


def test_table_and_plot_are_written_of_what_is_there(sweep):
    write_results(sweep)
    words = (sweep.workdir / "table.md").read_text()
    assert "Not finished, 5 of 8 runs: num_features=30,per_class=3,seed=1" in words
    assert (sweep.workdir / "table.csv").exists()
    assert (sweep.workdir / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (sweep.workdir / "plot.svg").read_text()


def test_nothing_evaluated_is_said(make_sweep):
    with pytest.raises(ValueError, match="no evaluated run yet"):
        write_results(make_sweep(GRID))


@pytest.mark.parametrize(
    "grid",
    [
        [],
        [("model.name", ("resnet18", "resnet34"))],
        [("num_features", (20, 30)), ("per_class", (3,)), ("assign.bias", (True,))],
    ],
)
def test_any_number_of_axes_can_be_drawn(make_sweep, finish, grid):
    sweep = make_sweep(grid, seeds=(0, 1))
    for run in sweep.runs:
        finish(sweep.folder(run), accuracy=0.5 + 0.1 * run.seed)
    png, svg = sweep_picture(collect(sweep), sweep.keys, "birds")
    assert png.startswith(b"\x89PNG")
    assert b"</svg>" in svg


def test_another_metric_can_be_drawn_if_there_is_one(sweep):
    rows = collect(sweep)
    assert sweep_picture(rows, sweep.keys, "birds", "features")
    with pytest.raises(ValueError, match="no finished run has the metric correlation"):
        sweep_picture(rows, sweep.keys, "birds", "correlation")
    with pytest.raises(ValueError, match="metric is 'acuracy'; metrics are accuracy,"):
        sweep_picture(rows, sweep.keys, "birds", "acuracy")
