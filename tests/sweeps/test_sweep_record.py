import contextlib
import dataclasses
import threading

import pytest

from qpm_jax.sweeps import open_sweep, read_sweep, record
from qpm_jax.sweeps.expansion import make_run

GRID = [("num_features", (20, 30))]


def test_a_sweep_is_read_as_it_was_written(make_sweep):
    sweep = make_sweep(GRID, seeds=(0, 1))
    again = read_sweep(sweep.workdir)
    assert [run.name for run in again.runs] == [run.name for run in sweep.runs]
    assert [run.config.to_dict() for run in again.runs] == [
        run.config.to_dict() for run in sweep.runs
    ]
    assert again.arguments == ("--config=c.py",)
    assert again.find("num_features=30,seed=1").values == {"num_features": 30}


def test_a_larger_grid_adds_runs_and_a_smaller_one_forgets_none(make_sweep):
    make_sweep(GRID)
    more = make_sweep([("num_features", (10, 30))], seeds=(0, 5))
    assert [run.name for run in more.runs] == [
        "num_features=20,seed=0",
        "num_features=30,seed=0",
        "num_features=10,seed=0",
        "num_features=10,seed=5",
        "num_features=30,seed=5",
    ]
    assert len(make_sweep(GRID).runs) == 5


@pytest.mark.parametrize("opened", [False, True])
def test_two_commands_that_open_a_sweep_at_once_both_keep_their_runs(
    make_sweep, monkeypatch, opened
):
    asked = [make_sweep(GRID, seeds=(seed,)) for seed in (1, 2)]
    path = asked[0].workdir / "sweep.json"
    path.unlink()
    if opened:
        make_sweep(GRID)
    # Each waits, for a moment, until the other knows what it will write, too.
    both, as_json = threading.Barrier(2), record._as_json

    def slow(sweep):
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.2)
        return as_json(sweep)

    monkeypatch.setattr(record, "_as_json", slow)
    alone = [dataclasses.replace(one, runs=one.runs[-2:]) for one in asked]
    commands = [threading.Thread(target=open_sweep, args=(one,)) for one in alone]
    for command in commands:
        command.start()
    for command in commands:
        command.join()
    assert {run.seed for run in read_sweep(path.parent).runs} == {1, 2, *[0] * opened}


def test_a_sweep_over_other_keys_is_refused(make_sweep):
    make_sweep(GRID)
    with pytest.raises(ValueError, match=r"over num_features; this one is over per_cl"):
        make_sweep([("per_class", (3, 5))])


def test_a_sweep_with_other_settings_is_refused_and_they_are_named(make_sweep):
    make_sweep(GRID)
    with pytest.raises(ValueError, match=r"dense.epochs: 150 -> 3\)"):
        make_sweep(GRID, **{"dense.epochs": 3})


def test_settings_that_change_no_result_may_change(make_sweep):
    make_sweep(GRID)
    assert make_sweep(GRID, checkpoint_seconds=5.0, seed=4, num_features=7)


def test_the_folder_of_a_single_run_is_refused(make_sweep):
    sweep = make_sweep(GRID)
    (sweep.workdir / "sweep.json").rename(sweep.workdir / "config.json")
    with pytest.raises(ValueError, match="holds a run, no sweep"):
        open_sweep(sweep)


def test_a_folder_without_a_sweep_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"holds no sweep.*python -m launch.sweep"):
        read_sweep(tmp_path)


def test_a_run_that_is_not_there_is_answered_with_those_that_are(make_sweep):
    with pytest.raises(ValueError, match="no run x; it has num_features=20,seed=0,"):
        make_sweep(GRID).find("x")


def test_a_run_has_a_folder_of_its_name(make_sweep):
    sweep = make_sweep(GRID)
    run = make_run(sweep.config, {"num_features": 20}, 0)
    assert sweep.folder(run) == sweep.workdir / "num_features=20,seed=0"
    assert dataclasses.replace(sweep, runs=()).folder(run) == sweep.folder(run)
