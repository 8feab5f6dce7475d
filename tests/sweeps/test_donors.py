from qpm_jax.sweeps import all_fingerprints
from qpm_jax.sweeps.donors import take_over_best, waits_for, waves

FEATURES = ("num_features", (20, 30))
EPOCHS = ("finetune.epochs", (1, 2))


def names(runs):
    return [run.name.replace("num_features", "n") for run in runs]


def test_the_first_run_of_each_seed_trains_for_the_others(make_sweep):
    sweep = make_sweep([FEATURES], seeds=(0, 1))
    first, second = waves(sweep.runs, all_fingerprints(sweep))
    assert names(first) == ["n=20,seed=0", "n=20,seed=1"]
    assert names(second) == ["n=30,seed=0", "n=30,seed=1"]


def test_a_donor_may_itself_have_taken_over(make_sweep):
    sweep = make_sweep([FEATURES, EPOCHS])
    parts = waves(sweep.runs, all_fingerprints(sweep))
    assert [[run.cell for run in part] for part in parts] == [
        [(20, 1)],
        [(20, 2), (30, 1)],
        [(30, 2)],
    ]


def test_runs_that_differ_from_the_start_are_one_wave(make_sweep):
    sweep = make_sweep([("dense.epochs", (1, 2))])
    assert len(waves(sweep.runs, all_fingerprints(sweep))) == 1
    assert waves([], {}) == []


def test_the_most_is_taken_from_whoever_has_it(make_sweep, finish):
    sweep = make_sweep([FEATURES, EPOCHS])
    prints = all_fingerprints(sweep)
    asks = sweep.find("num_features=30,finetune.epochs=2,seed=0")
    assert take_over_best(sweep, asks, prints) is None
    finish(sweep.folder(sweep.runs[0]))
    finish(sweep.folder(sweep.runs[2]), until="assign")
    assert take_over_best(sweep, asks, prints) == (
        "num_features=30,finetune.epochs=1,seed=0",
        ("dense", "statistics", "assign"),
    )
    assert take_over_best(sweep, asks, prints) is None


def test_a_run_waits_while_another_trains_what_it_needs(make_sweep, finish):
    sweep = make_sweep([FEATURES], seeds=(0, 1))
    prints = all_fingerprints(sweep)
    donor, stranger, asks, _ = sweep.runs
    assert waits_for(sweep, asks, [stranger], prints) is None
    finish(sweep.folder(donor), until="dense")
    assert waits_for(sweep, asks, [stranger, donor], prints) is donor
    finish(sweep.folder(donor), until="statistics")
    assert waits_for(sweep, asks, [stranger, donor], prints) is None


def test_a_run_with_phases_of_its_own_waits_for_nobody(make_sweep, finish):
    sweep = make_sweep([FEATURES])
    donor, asks = sweep.runs
    finish(sweep.folder(asks), until="statistics")
    assert waits_for(sweep, asks, [donor], all_fingerprints(sweep)) is None
