"""Tables of finished runs, and the published figures beside them."""

from dataclasses import replace

import pytest

from qpm_jax.regression.experiments import settings
from qpm_jax.regression.experiments.published import published
from qpm_jax.regression.experiments.runs import planned_runs
from qpm_jax.regression.experiments.table import select, tables


def _run(**changes):
    first = next(planned_runs(settings.default()))
    assert first.model == "mip"
    return replace(first, **changes)


RECORD = {
    "num_features": 43,
    "test_instances": 168,
    "training_accuracy": 0.9,
    "test_accuracy": 0.5,
    "reduction": 0.7,
    "seconds": 1.0,
    "status": "optimal",
    "gap": 0.0,
}


def _records(**changes):
    first, second = (_run(size=10, seed=seed) for seed in (0, 1))
    return {first: RECORD, second: {**RECORD, "test_accuracy": 0.6, **changes}}


def test_the_table_has_means_and_deviations_over_seeds_and_the_published_column():
    text = tables(_records())
    assert "55.0 ± 7.1" in text
    assert "1.00 / 0.13" in text
    assert "70.0 / 69.8" in text
    assert "2 of 2" in text


def test_a_gap_that_is_not_known_is_said_to_be_none():
    text = tables(_records(gap=None, status="no_incumbent"))
    assert "none / 0" in text
    assert "1 of 2" in text


def test_sizes_the_paper_has_not_stand_alone():
    records = {replace(run, size=11): record for run, record in _records().items()}
    assert "0 / –" in tables(records)


def test_a_model_that_was_not_run_at_a_size_has_dashes():
    pbo = replace(_run(size=25), model="pbo")
    text = tables({**_records(), pbo: {**RECORD, "gap": 250.0}})
    assert "–" in text
    assert "250 / 96" in text


def test_wrong_labels_have_a_table_of_their_own():
    wrong = {replace(run, corruption=0.1): r for run, r in _records().items()}
    assert "10 % of the training labels wrong" in tables({**_records(), **wrong})
    assert len(select({**_records(), **wrong}, corruption=0.1)) == 2
    with pytest.raises(ValueError, match="records is empty"):
        tables({})


def test_published_rows_are_found_by_size_and_model():
    assert published("mnist", 1000, "mip").gap == 0.00081
    assert published("flags_counts", 10, "pbo").seconds == 22.0
    assert published("ask_ubuntu", 43, "pbo").seconds is None
    assert published("flags", 11, "mip") is None
    assert published("flags", 10, "logistic") is None


def test_reductions_are_whole_numbers_of_weights():
    words = {10: 48, 23: 93, 43: 153}
    for size, features in words.items():
        weights = features * 5
        nonzeros = (1 - published("ask_ubuntu", size, "mip").reduction) * weights
        assert nonzeros == pytest.approx(round(nonzeros), abs=0.05)
