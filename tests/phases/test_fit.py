"""What the training phases share: the log across the parts of a run."""

from contextlib import contextmanager

import pytest

from qpm_jax import stopping
from qpm_jax.phases import dense
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
