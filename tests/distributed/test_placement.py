"""Where arrays lie; a mesh without devices shows what eight would get."""

import jax
import numpy as np
import pytest
from jax.sharding import AbstractMesh, PartitionSpec

from qpm_jax import distributed

EIGHT = AbstractMesh((8,), (distributed.AXIS,))


def _shape(*sizes):
    return jax.ShapeDtypeStruct(sizes, np.float32)


def test_the_mesh_has_one_axis_over_all_devices():
    mesh = distributed.make_mesh()
    assert mesh.axis_names == (distributed.AXIS,)
    assert mesh.size == jax.device_count()


@pytest.mark.parametrize("count", [-1, 1000])
def test_devices_that_there_are_not_are_refused(count):
    with pytest.raises(ValueError, match=r"config\.parallel\.devices is"):
        distributed.make_mesh(count)


def test_a_batch_that_devices_cannot_share_is_refused_with_sizes_that_would_do():
    with pytest.raises(ValueError, match=r"config\.batch_size is 50.*48 or 56"):
        distributed.check_batch_size(EIGHT, "config.batch_size", 50)
    with pytest.raises(ValueError, match=r"8 would do.*devices=4"):
        distributed.check_batch_size(EIGHT, "config.batch_size", 4)
    distributed.check_batch_size(EIGHT, "config.batch_size", 48)


def test_large_arrays_are_divided_along_their_largest_axis_that_can_be():
    state = {
        "kernel": _shape(3, 3, 64, 128),
        "odd": _shape(24, 1001),
        "bias": _shape(128),
        "step": _shape(),
        "prime": _shape(1009, 67),
    }
    places = distributed.state_shardings(EIGHT, state, "sharded", smallest=1000)
    specs = {name: place.spec for name, place in places.items()}
    assert specs == {
        "kernel": PartitionSpec(None, None, None, distributed.AXIS),
        "odd": PartitionSpec(distributed.AXIS),
        "bias": PartitionSpec(),
        "step": PartitionSpec(),
        "prime": PartitionSpec(),
    }


def test_of_equal_axes_the_first_is_divided():
    place = distributed.state_shardings(EIGHT, _shape(64, 64), "sharded", 1)
    assert place.spec == PartitionSpec(distributed.AXIS)


def test_replicated_parameters_lie_whole_on_every_device():
    place = distributed.state_shardings(EIGHT, _shape(4096, 4096))
    assert place.spec == PartitionSpec()


def test_another_word_for_where_parameters_lie_is_refused():
    with pytest.raises(ValueError, match=r"config\.parallel\.parameters is 'split'"):
        distributed.state_shardings(EIGHT, _shape(8), "split")


def test_rows_that_are_not_this_hosts_share_are_refused():
    mesh = distributed.make_mesh(1)
    with pytest.raises(ValueError, match="give 4"):
        distributed.place_rows(mesh, np.zeros((3, 2)), 4)


def test_what_is_placed_comes_back_as_it_was():
    mesh = distributed.make_mesh(1)
    rows = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    placed = distributed.place_rows(mesh, rows, 4)
    assert np.array_equal(distributed.to_host(placed), rows)
    tree = distributed.place({"a": rows}, distributed.replicated(mesh))
    assert np.array_equal(distributed.to_host(tree["a"]), rows)
    assert distributed.local_rows(4) == slice(0, 4)


def test_alone_what_is_done_once_is_done_plainly():
    assert distributed.is_first()
    assert distributed.once(lambda: 3) == 3
    with pytest.raises(KeyError):
        distributed.once(lambda: {}["absent"])
