"""A job of four real processes ends at the numbers of one with one device."""

import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("part", ["replicated", "sharded"])
def test_four_processes_train_what_one_trains(
    on_virtual_devices, on_four_processes, part
):
    one, four = on_virtual_devices(1, "replicated"), on_four_processes(part)
    assert (four.pop("divided") > 0) == (part == "sharded")
    for name, values in four.items():
        largest = max(np.abs(values).max(initial=0.0), 1e-3)
        np.testing.assert_allclose(one[name] / largest, values / largest, atol=2e-5)


def test_four_processes_count_the_statistics_of_one(
    on_virtual_devices, on_four_processes
):
    one, four = on_virtual_devices(1, "statistics"), on_four_processes("statistics")
    for name in ("similarity", "redundancy", "bias", "mean", "std"):
        np.testing.assert_allclose(one[name], four[name], rtol=0, atol=1e-6)
