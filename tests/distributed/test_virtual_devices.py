"""1, 2, 4 and 8 devices give the same; sums are only added up in another order.

Float32 sums of a few hundred numbers in another order agree to about 1e-6 of their
size, and so do a few steps of AdamW with everything that a state holds.
"""

import numpy as np
import pytest

pytestmark = pytest.mark.slow

SEVERAL = (2, 4, 8)


def _largest_difference(one, other):
    assert one.keys() == other.keys()
    return {
        name: np.max(np.abs(one[name] - other[name]), initial=0.0)
        / max(np.max(np.abs(one[name]), initial=0.0), 1e-3)
        for name in one
        if name != "divided"
    }


@pytest.mark.parametrize("count", SEVERAL)
def test_training_ends_at_the_parameters_of_one_device(on_virtual_devices, count):
    differences = _largest_difference(
        on_virtual_devices(1, "replicated"), on_virtual_devices(count, "replicated")
    )
    assert max(differences.values()) < 2e-5, differences


@pytest.mark.parametrize("count", SEVERAL)
def test_batch_statistics_are_those_of_the_whole_batch(on_virtual_devices, count):
    """Of one device's rows alone they would differ in the first digit."""
    one = on_virtual_devices(1, "replicated")
    other = on_virtual_devices(count, "replicated")
    running = [name for name in one if ".batch_stats" in name]
    assert len(running) == 4
    for name in running:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-5, atol=1e-6)


def test_divided_parameters_end_where_whole_ones_do(on_virtual_devices):
    divided = on_virtual_devices(8, "sharded")
    assert divided["divided"] >= 8
    differences = _largest_difference(on_virtual_devices(1, "replicated"), divided)
    assert max(differences.values()) < 2e-5, differences


@pytest.mark.parametrize("count", SEVERAL)
def test_the_first_state_is_made_where_it_lies_and_never_whole(
    on_virtual_devices, count
):
    one, other = (on_virtual_devices(n, "first") for n in (1, count))
    assert other["placed"]
    assert other["programs"] == 2  # variables, then the state around them
    assert one["largest"] >= one["whole"] == 24 * 9 * 8
    assert other["largest"] < other["whole"]
    for name in one:
        if name.startswith("."):
            np.testing.assert_allclose(one[name], other[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("count", SEVERAL)
def test_statistics_are_those_of_one_device(on_virtual_devices, count):
    one, other = (on_virtual_devices(n, "statistics") for n in (1, count))
    for name in ("similarity", "redundancy", "bias", "mean", "std"):
        np.testing.assert_allclose(one[name], other[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize("count", SEVERAL)
def test_a_device_holds_the_sums_of_its_classes_and_never_all(
    on_virtual_devices, count
):
    seen = on_virtual_devices(count, "statistics")
    classes, features = seen["classes_a_device"]
    assert (classes, features) == (-(-51 // count), 24)
    # What is communicated has the size of the features, not of classes × features.
    assert 0 < seen["result_bytes"] < 51 * 24 * 4


@pytest.mark.parametrize("count", SEVERAL)
def test_metrics_are_those_of_one_device(on_virtual_devices, count):
    one, other = (on_virtual_devices(n, "metrics") for n in (1, count))
    for name, value in one.items():
        np.testing.assert_allclose(value, other[name], rtol=1e-5, err_msg=name)
