import dataclasses
import importlib
import json

import numpy as np
import pytest

from qpm_jax.networks.experiments import (
    choice,
    gradient_baselines,
    measurements,
    settings,
    study,
    table_runs,
)
from qpm_jax.networks.problem import NetworkProblem

# the package's attribute of that name is the function
solve_module = importlib.import_module("qpm_jax.networks.solve")

TINY = {
    "table": "iris",
    "seeds": (1,),
    "choice": {
        "widths": (4,),
        "l1": (0.01,),
        "l2": (0.0,),
        "splits": 1,
    },
    "milp": {"time_limit": 0.5},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    told = []
    config = settings.from_dict(TINY)
    records = study.run(config, folder, lambda done, total: told.append((done, total)))
    return folder, config, records, told


def test_every_model_is_measured_on_every_split(finished):
    folder, _, records, told = finished
    assert told == [(0, 1), (1, 1)]
    for record in records.values():
        assert set(record) == {"chosen", *settings.MODELS}
        assert record["chosen"]["l1"] == 0.01
        for model in ("milp", "gradient", "logistic", "tree"):
            assert record[model]["test_accuracy"] > 0.8
        free = round((1 - record["milp"]["sparsity"]) * 28)
        for pruned in ("magnitude", "lottery"):
            assert round((1 - record[pruned]["sparsity"]) * 28) <= free
    assert (folder / "figures" / "network-iris-seed1.png").exists()
    table = (folder / "table.md").read_text()
    assert table.count("\n") == 2 + len(settings.MODELS)
    assert "| milp |" in table


def test_what_is_done_is_not_done_again(finished):
    folder, config, records, _ = finished
    before = (folder / "runs.jsonl").read_text()
    again = study.run(config, folder)
    assert again == records
    assert (folder / "runs.jsonl").read_text() == before
    values = json.loads(before.splitlines()[0])
    assert study.read_records(folder, values["settings"] | {"table": "wine"}) == {}


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / "runs.jsonl").write_text("{}\n")
    with pytest.raises(ValueError, match="holds a line that is no finished run"):
        study.read_records(tmp_path, {})


def test_a_run_that_is_interrupted_is_not_done(tmp_path, monkeypatch):
    solve = table_runs.solve

    def pressed(problem, *_, **__):
        return dataclasses.replace(solve(problem, time_limit=0), status="interrupted")

    chosen = choice.Candidate(2, 0.01, 0.0), 1.0
    monkeypatch.setattr(table_runs, "choose", lambda *_: chosen)
    monkeypatch.setattr(table_runs, "solve", pressed)
    config = settings.from_dict(TINY | {"models": ("milp",)})
    with pytest.raises(KeyboardInterrupt):
        study.run(config, tmp_path)
    assert not (tmp_path / "runs.jsonl").exists()


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_big_m_values_are_tightened_where_that_is_asked_for(share, monkeypatch):
    asked = []

    def noted(problem, bounds, objective, seconds, threads):
        assert threads == config.milp.threads
        asked.append(seconds)
        return bounds

    chosen = choice.Candidate(2, 0.01, 0.0), 1.0
    monkeypatch.setattr(table_runs, "choose", lambda *_: chosen)
    monkeypatch.setattr(solve_module, "tightened_bounds", noted)
    milp = {"time_limit": 1.0, "tightening": share}
    config = settings.from_dict(TINY | {"models": ("milp",), "milp": milp})
    table_runs.execute(measurements.load("iris"), table_runs.Run("iris", 1), config)
    assert len(asked) == (share > 0)
    assert all(0 < seconds <= share for seconds in asked)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"tabel": "iris"}, "config.tabel does not exist. Did you mean table"),
        ({"milp": {"time": 3}}, "Did you mean milp.time_limit"),
        ({"table": "irish"}, "config.table is 'irish'. Did you mean iris"),
        ({"models": ("milp", "svm")}, "config.models is 'svm'"),
        (
            {"models": ("gradient", "magnitude")},
            "config.models has 'magnitude' without 'milp' before it",
        ),
        (
            {"models": ("lottery", "milp")},
            "config.models has 'lottery' without 'milp' before it",
        ),
        (
            {"table": "digits", "models": ("lottery", "milp")},
            "config.models has 'lottery' without 'milp' before it",
        ),
        ({"seeds": "0"}, "config.seeds is '0'; it takes values like"),
    ],
)
def test_keys_and_values_that_are_none_are_refused(values, words):
    with pytest.raises(ValueError, match=words):
        settings.from_dict(values)


def test_tables_come_standardised_by_their_training_part():
    source = measurements.load("wine")
    assert source.features.shape == (178, 13)
    assert len(source.feature_names) == 13
    part = measurements.split(source.features, source.labels, 0.25, 0)
    assert len(part.test_labels) == 45
    assert np.allclose(part.features.mean(axis=0), 0)
    assert np.allclose(part.features.std(axis=0), 1)
    assert not np.allclose(part.test_features.mean(axis=0), 0)
    with pytest.raises(ValueError, match="Did you mean wine"):
        measurements.load("vine")


def test_pruning_keeps_so_many_weights():
    random = np.random.default_rng(0)
    labels = np.arange(20) % 2
    data = random.normal(size=(20, 3)) + 2 * labels[:, None]
    problem = NetworkProblem(data, labels, 2, (2,))
    kept = gradient_baselines.magnitude_pruned(problem, 4)
    assert sum(int((each != 0).sum()) for each in kept.weights) <= 4
    assert problem.loss(kept) < 0.5
    ticket = gradient_baselines.magnitude_pruned(problem, 4, rewind=True)
    assert problem.loss(ticket) < 0.7
    with pytest.raises(ValueError, match="weights is 11; it must be 0 … 10"):
        gradient_baselines.magnitude_pruned(problem, 11)


def test_the_dearest_of_all_near_the_best_is_chosen_then_the_best():
    grid = [
        choice.Candidate(4, 0.01, 0.0),
        choice.Candidate(2, 0.03, 0.0),
        choice.Candidate(2, 0.01, 0.01),
        choice.Candidate(8, 0.03, 0.01),
        choice.Candidate(1, 0.03, 0.01),
    ]
    # the first is the best, with a standard error of 0.035: 0.875 is near
    right = np.array([[0.86, 0.96], [0.9, 0.9], [0.9, 0.8], [0.8, 0.9], [0.8, 0.8]])
    assert choice.dearest_of_the_best(grid, right) == 1
    right[2] = 0.88
    assert choice.dearest_of_the_best(grid, right) == 2
    right[3:] = 0.88
    assert choice.dearest_of_the_best(grid, right) == 4
    right[3] = 0.89
    assert choice.dearest_of_the_best(grid, right) == 3


def test_the_choice_is_the_same_every_time():
    iris = measurements.load("iris")
    grid = {"widths": (2,), "l1": (0.003, 0.03), "l2": (0.0,), "splits": 2}
    made = [
        choice.choose(
            iris.features,
            iris.labels,
            grid | {"test_share": 0.25},
            "one_hot",
            "grid",
            3,
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert made[0][1] > 0.85
