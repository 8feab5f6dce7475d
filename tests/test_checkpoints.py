import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qpm_jax import checkpoints


def _state(value):
    return {"params": {"kernel": jnp.full((8, 4), float(value))}, "step": jnp.int32(1)}


def _damage(folder):
    """Cuts every file below `folder` to half its size."""
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_the_latest_checkpoint_comes_back(tmp_path, caplog):
    with checkpoints.open_manager(tmp_path / "c") as manager:
        checkpoints.save(manager, 1, _state(1))
        checkpoints.save(manager, 2, _state(2))
    caplog.clear()
    with checkpoints.open_manager(tmp_path / "c") as manager:
        restored = checkpoints.restore_latest(manager, _state(0))
    assert np.all(np.asarray(restored["params"]["kernel"]) == 2)
    assert not caplog.text  # of Orbax neither


def test_an_empty_folder_has_no_checkpoint(tmp_path):
    with checkpoints.open_manager(tmp_path / "c") as manager:
        assert checkpoints.restore_latest(manager, _state(0)) is None


def test_only_the_latest_are_kept(tmp_path):
    with checkpoints.open_manager(tmp_path / "c", keep=2) as manager:
        for step in range(4):
            checkpoints.save(manager, step, _state(step))
    with checkpoints.open_manager(tmp_path / "c") as manager:
        assert sorted(manager.all_steps()) == [2, 3]


def test_a_checkpoint_cut_short_gives_way_to_the_one_before(tmp_path):
    with checkpoints.open_manager(tmp_path / "c") as manager:
        checkpoints.save(manager, 1, _state(1))
        checkpoints.save(manager, 2, _state(2))
    _damage(tmp_path / "c" / "2")
    with checkpoints.open_manager(tmp_path / "c") as manager:
        restored = checkpoints.restore_latest(manager, _state(0))
        assert np.all(np.asarray(restored["params"]["kernel"]) == 1)
        checkpoints.save(manager, 2, _state(5))
    with checkpoints.open_manager(tmp_path / "c") as manager:
        restored = checkpoints.restore_latest(manager, _state(0))
    assert np.all(np.asarray(restored["params"]["kernel"]) == 5)


def test_one_changed_byte_gives_way_to_the_checkpoint_before_loudly(tmp_path, caplog):
    random = np.random.default_rng(0)
    states = [{"kernel": jnp.asarray(random.normal(size=(99, 9)))} for _ in range(2)]
    with checkpoints.open_manager(tmp_path / "c") as manager:
        for step, state in enumerate(states):
            checkpoints.save(manager, step, state)
    data = max((tmp_path / "c" / "1").rglob("d/*"), key=lambda p: p.stat().st_size)
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    with checkpoints.open_manager(tmp_path / "c") as manager:
        restored = checkpoints.restore_latest(manager, states[0])
    assert np.array_equal(restored["kernel"], states[0]["kernel"])
    assert f"The checkpoint {tmp_path}/c/1 is DAMAGED" in caplog.text
    assert "not those that were written" in caplog.text


@pytest.fixture
def three_steps(tmp_path):
    """The folder of checkpoints of the steps 1, 2 and 3, all of them whole here."""
    with checkpoints.open_manager(tmp_path / "c", keep=3) as manager:
        for step in (1, 2, 3):
            checkpoints.save(manager, step, _state(step))
    return tmp_path / "c"


def _with_another_host(answers):
    """In the place of `distributed.from_all`: another host says each in its turn."""
    rest = iter(answers)
    return lambda words: [words, next(rest)]


CUT = "process 1 on node017: the file is cut short"


@pytest.mark.parametrize(
    "answers",
    [[CUT, "", ""], ["", CUT, "", ""]],
    ids=["cannot be read there", "has other numbers there"],
)
def test_a_checkpoint_that_is_damaged_for_one_host_is_passed_over_by_all(
    three_steps, caplog, answers
):
    with checkpoints.open_manager(three_steps) as manager:
        restored = checkpoints.restore_latest(
            manager, _state(0), _with_another_host(answers)
        )
        assert manager.all_steps() == [1, 2]
    assert np.all(np.asarray(restored["params"]["kernel"]) == 2)
    assert f"The checkpoint {three_steps}/3 is DAMAGED" in caplog.text
    assert CUT in caplog.text


def test_hosts_take_the_newest_checkpoint_that_is_whole_for_all(three_steps, caplog):
    _damage(three_steps / "3")
    with checkpoints.open_manager(three_steps) as manager:
        restored = checkpoints.restore_latest(
            manager, _state(0), _with_another_host(["", CUT, "", ""])
        )
        assert manager.all_steps() == [1]
    assert np.all(np.asarray(restored["params"]["kernel"]) == 1)
    for step in (3, 2):
        assert f"The checkpoint {three_steps}/{step} is DAMAGED" in caplog.text


def test_a_checkpoint_that_many_hosts_cannot_read_is_told_in_one_line(
    three_steps, caplog
):
    hosts = [f"process {number} on node{number}: cut" for number in range(64)]
    with (
        checkpoints.open_manager(three_steps) as manager,
        pytest.raises(ValueError, match=r"step 3: process 0 .* and 61 more; step 2"),
    ):
        checkpoints.restore_latest(manager, _state(0), lambda words: hosts)


def test_a_checkpoint_without_a_digest_is_taken(tmp_path):
    """Those of older versions have none."""
    with checkpoints.open_manager(tmp_path / "c") as manager:
        manager.save(1, args=ocp.args.StandardSave(_state(1)))
    with checkpoints.open_manager(tmp_path / "c") as manager:
        restored = checkpoints.restore_latest(manager, _state(0))
    assert np.all(np.asarray(restored["params"]["kernel"]) == 1)


@given(
    arrays(np.float32, (3, 4), elements=st.floats(-9, 9, width=32)),
    st.tuples(st.integers(0, 2), st.integers(0, 3)),
    st.integers(0, 31),
)
@settings(max_examples=25, deadline=None)
def test_the_digest_changes_with_every_bit(values, place, bit):
    changed = values.copy()
    changed.view(np.uint32)[place] ^= np.uint32(1) << np.uint32(bit)
    digest = jax.jit(checkpoints.digest)
    assert digest({"a": values}) == digest({"a": values.copy()})
    assert digest({"a": values}) != digest({"a": changed})


def test_the_digest_tells_places_and_takes_arrays_of_every_kind():
    kinds = {
        "bool": jnp.array([True, False, True]),
        "bfloat16": jnp.arange(3, dtype=jnp.bfloat16),
        "int8": jnp.arange(3, dtype=jnp.int8),
        "none": jnp.zeros((0, 3)),
        "number": jnp.int32(3),
    }
    digest = jax.jit(checkpoints.digest)
    for name in ("bool", "bfloat16", "int8"):
        turned = {**kinds, name: jnp.roll(kinds[name], 1)}
        assert digest(kinds) != digest(turned)
    exchanged = {**kinds, "bool": kinds["int8"], "int8": kinds["bool"]}
    assert digest(kinds) != digest(exchanged)


def test_nothing_readable_is_an_error_that_says_what_to_do(tmp_path):
    with checkpoints.open_manager(tmp_path / "c") as manager:
        checkpoints.save(manager, 1, _state(1))
    _damage(tmp_path / "c" / "1")
    with (
        checkpoints.open_manager(tmp_path / "c") as manager,
        pytest.raises(ValueError, match=r"No checkpoint in .* Delete that folder"),
    ):
        checkpoints.restore_latest(manager, _state(0))


def test_the_final_model_comes_back_from_shapes_alone(tmp_path):
    checkpoints.save_final(tmp_path / "model", _state(3))
    checkpoints.save_final(tmp_path / "model", _state(4))  # written again in one step
    shapes = jax.eval_shape(lambda: _state(0))
    restored = checkpoints.restore_final(tmp_path / "model", shapes)
    assert np.all(np.asarray(restored["params"]["kernel"]) == 4)


@pytest.mark.parametrize("damage", ["missing", "cut", "other"])
def test_a_final_model_that_cannot_be_read_is_named(tmp_path, damage):
    shapes = jax.eval_shape(lambda: _state(0))
    if damage != "missing":
        checkpoints.save_final(tmp_path / "model", _state(3))
    if damage == "cut":
        _damage(tmp_path / "model")
    if damage == "other":
        shapes = {"params": {"other": jax.ShapeDtypeStruct((3,), jnp.float32)}}
    with pytest.raises(ValueError, match=r"the model in .* cannot be read"):
        checkpoints.restore_final(tmp_path / "model", shapes)


def test_too_little_space_is_noticed_before_anything_is_written(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 10})
    with checkpoints.open_manager(tmp_path / "c") as manager:
        checkpoints.save(manager, 1, _state(1))
        manager.wait_until_finished()
        with monkeypatch.context() as patch:
            patch.setattr(checkpoints.shutil, "disk_usage", lambda path: usage)
            with pytest.raises(OSError, match="No space left on device"):
                checkpoints.save(manager, 2, _state(2))
            with pytest.raises(OSError, match="No space left on device"):
                checkpoints.save_final(tmp_path / "model", _state(2))
        assert manager.all_steps() == [1]


def test_only_full_disks_are_taken_for_one():
    assert checkpoints.full_disk_error(OSError(28, "full")) == 28
    assert checkpoints.full_disk_error(OSError(13, "denied")) is None
    assert checkpoints.full_disk_error(ValueError("[os_error_code='28']")) == 28
    assert checkpoints.full_disk_error(ValueError("something else")) is None
