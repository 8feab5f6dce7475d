"""What the training phases share: the log across the parts of a run."""

import json
import time
from contextlib import contextmanager

import pytest

from qpm_jax import stopping
from qpm_jax.phases import dense
from qpm_jax.phases.fit import beginning
from qpm_jax.training import logs, loop


def test_no_step_stands_twice_in_the_log_of_a_run_in_three_parts(
    tmp_path, config, dataset, monkeypatch
):
    config.dense.epochs = 3
    config.checkpoint_seconds = 1000.0
    end_of_epoch = [3]  # 48 images, 16 a batch

    @contextmanager
    def deferred():
        yield lambda step: step in end_of_epoch

    monkeypatch.setattr(stopping, "deferred", deferred)
    with pytest.raises(stopping.Stopped):
        dense.run(config, tmp_path, dataset)  # a checkpoint of step 3, no record
    end_of_epoch.clear()
    report = loop._report

    def killed(*arguments):
        report(*arguments)
        raise SystemError("killed after the record, before the next checkpoint")

    monkeypatch.setattr(loop, "_report", killed)
    with pytest.raises(SystemError, match="killed"):
        dense.run(config, tmp_path, dataset)
    monkeypatch.setattr(loop, "_report", report)
    dense.run(config, tmp_path, dataset)
    assert [record["step"] for record in logs.read(tmp_path)] == [3, 6, 9]


@pytest.mark.parametrize(("steps", "spent"), [([], 0.0), (["40"], 5000.0)])
def test_only_what_is_gone_on_with_counts_as_time_spent(tmp_path, steps, spent):
    record = {"phase": "dense", "step": 40, "seconds": 5000.0}
    (tmp_path / "log.jsonl").write_text(json.dumps(record) + "\n")
    for step in steps:
        (tmp_path / "dense" / "checkpoints" / step).mkdir(parents=True)
    now = time.monotonic()
    assert now - beginning(tmp_path, "dense") == pytest.approx(spent, abs=60.0)
