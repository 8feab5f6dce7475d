"""Line plots: ticks, thinning, and the phases one after the other."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.explain.curves import Line, line_plot, nice_ticks, thin, training_curves


def record(phase, epoch, **figures):
    return {"phase": phase, "step": 10 * epoch, "epoch": epoch, **figures}


def points(picture):
    root = ET.fromstring(f"<div>{picture}</div>")
    return [
        np.array([[float(v) for v in p.split(",")] for p in line.get("points").split()])
        for line in root.iter("polyline")
    ]


@settings(max_examples=30, deadline=None)
@given(st.floats(-1e4, 1e4), st.floats(1e-4, 1e4))
def test_ticks_cover_the_range_in_a_few_equal_steps(low, span):
    ticks = nice_ticks(low, low + span)
    assert ticks[0] <= low + 1e-6 * span
    assert ticks[-1] >= low + span * (1 - 1e-6)
    assert 3 <= len(ticks) <= 11
    np.testing.assert_allclose(np.diff(ticks), ticks[1] - ticks[0], rtol=1e-3)


def test_ticks_of_a_single_value_surround_it():
    ticks = nice_ticks(2.0, 2.0)
    assert ticks[0] < 2 < ticks[-1]
    with pytest.raises(ValueError, match="finite"):
        nice_ticks(0.0, float("nan"))


def test_a_long_log_is_averaged_to_few_points():
    line = Line("l", "first", np.arange(1000.0), np.arange(1000.0))
    short = thin(line, points=10)
    np.testing.assert_allclose(short.y[:2], [49.5, 149.5])
    assert thin(short, points=10) is short


def test_fine_tuning_is_drawn_behind_dense_training():
    history = [record("dense", e, loss=3.0 / e, accuracy=0.5) for e in (1, 2, 3)]
    history += [{"phase": "statistics", "seconds": 1.0}]
    history += [record("finetune", e, loss=1.0 / e, accuracy=0.6) for e in (1, 2)]
    picture = training_curves(history)
    dense, tuned = points(picture)[:2]
    assert dense[-1, 0] < tuned[0, 0]
    assert (np.diff(dense[:, 1]) > 0).all()  # SVG's y grows downwards
    assert "fine-tune" in picture
    assert picture.count('class="break"') == 2


def test_test_figures_are_dashed_and_percentages_written_as_such():
    picture = training_curves([record("dense", 1, accuracy=0.5, test_accuracy=0.4)])
    assert "first held" in picture
    assert "dense, test" in picture
    assert " %</text>" in picture


def test_a_step_logged_twice_counts_once_and_not_finite_values_are_left_out():
    history = [
        record("dense", 1, loss=9.0),
        record("dense", 1, loss=2.0),
        record("dense", 2, loss=float("nan")),
        record("dense", 3, loss=1.0),
    ]
    assert [len(line) for line in points(training_curves(history))] == [2]


def test_without_epochs_steps_are_the_axis():
    assert ">step<" in training_curves([{"phase": "dense", "step": 5, "loss": 1.0}])


def test_nothing_recorded_draws_nothing():
    assert training_curves([]) == ""
    with pytest.raises(ValueError, match="lines is empty"):
        line_plot([], "Loss", "epoch")
