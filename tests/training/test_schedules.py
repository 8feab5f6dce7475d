import numpy as np
import pytest

from qpm_jax import training


def test_the_rate_falls_by_the_factor_at_every_stair():
    schedule = training.step_decay(0.5, 10, 0.4, 3)
    rates = [float(schedule(step)) for step in (0, 29, 30, 59, 60)]
    assert rates == pytest.approx([0.5, 0.5, 0.2, 0.2, 0.08])


def test_warm_up_rises_linearly_to_the_full_rate():
    schedule = training.step_decay(1.0, 10, 0.4, 100, warmup_epochs=1.0)
    rates = [float(schedule(step)) for step in range(12)]
    assert rates[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert rates[10:] == [1.0, 1.0]
