"""Files of arrays and their checksums."""

import sys

import numpy as np
import pytest
import safetensors.numpy

from qpm_jax import models
from qpm_jax.models.weight_files import checksum, read_arrays

ARRAYS = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(2)}


@pytest.fixture
def safe_file(tmp_path):
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file(ARRAYS, path)
    return path


def assert_read(path, **options):
    found = read_arrays(path, **options)
    assert set(found) == set(ARRAYS)
    for key, array in ARRAYS.items():
        np.testing.assert_array_equal(found[key], array)


def test_safetensors_and_npz_give_the_same_arrays(safe_file, tmp_path):
    np.savez(tmp_path / "weights.npz", **ARRAYS)
    assert_read(safe_file)
    assert_read(tmp_path / "weights.npz")


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."]
)
def test_what_a_wrapper_puts_before_every_name_is_taken_off(tmp_path, prefix):
    wrapped = {f"{prefix}{key}": array for key, array in ARRAYS.items()}
    np.savez(tmp_path / "wrapped.npz", **wrapped)
    assert_read(tmp_path / "wrapped.npz")
    np.savez(tmp_path / "part.npz", **wrapped, other=np.ones(1))
    assert set(read_arrays(tmp_path / "part.npz")) == {*wrapped, "other"}


def test_a_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    np.savez(tmp_path / "weights.npz", **ARRAYS)
    assert_read("~/weights.npz")
    with pytest.raises(ValueError, match=r"no file '~/other\.npz'"):
        models.load_weights("resnet18", "~/other.npz")


def test_a_kind_that_is_not_read_is_named(tmp_path):
    path = tmp_path / "weights.h5"
    path.write_bytes(b"HDF")
    with pytest.raises(ValueError, match=r"weights\.h5' is of a kind.*\.npz, \.safe"):
        read_arrays(path)


def test_half_precision_is_read(tmp_path):
    import ml_dtypes

    path = tmp_path / "half.safetensors"
    halves = {"a": np.ones(2, np.float16), "b": np.ones(2, ml_dtypes.bfloat16)}
    safetensors.numpy.save_file(halves, path)
    assert {str(a.dtype) for a in read_arrays(path).values()} == {
        "float16",
        "bfloat16",
    }


def test_a_cut_safetensors_file_is_named(safe_file):
    whole = safe_file.read_bytes()
    for length in (len(whole) - 4, 20, 0):
        safe_file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"is no readable \.safetensors file"):
            read_arrays(safe_file)


def test_a_checksum_is_compared_where_one_is_given(safe_file):
    assert_read(safe_file, sha256=checksum(safe_file).upper())
    assert_read(safe_file, sha256=checksum(safe_file)[:8])
    with pytest.raises(ValueError, match=r"sha256: 'abc'; allowed are 8 to 64"):
        read_arrays(safe_file, sha256="abc")
    with pytest.raises(ValueError, match=r"sha256: .* expected 00"):
        read_arrays(safe_file, sha256="0" * 64)
    with pytest.raises(ValueError, match="sha256"):
        models.load_weights("resnet18", safe_file, sha256="0" * 64)


def test_pytorch_files_are_read_where_pytorch_is(tmp_path):
    torch = pytest.importorskip("torch", reason="needs torch (extra parity)")
    path = tmp_path / "model.pth"
    torch.save({key: torch.tensor(array) for key, array in ARRAYS.items()}, path)
    assert_read(path)
    state = torch.load(path)
    for place in ("model", "state_dict", "model_state_dict"):
        torch.save({place: state, "epoch": 3, "optimizer": {"lr": 0.1}}, path)
        assert_read(path)
    for name in ("last.ckpt", "best.pth.tar"):
        torch.save({"state_dict": state}, tmp_path / name)
        assert_read(tmp_path / name)
    for holds in ({"weights": state, "epoch": 3}, state["b"], {}):
        torch.save(holds, path)
        with pytest.raises(ValueError, match=r"is no state dict.*save the state dict"):
            read_arrays(path)
    path.write_bytes(b"no pickle")
    with pytest.raises(ValueError, match=r"is no readable \.pth file"):
        read_arrays(path)


def test_without_pytorch_its_files_are_refused_with_a_way_out(tmp_path, monkeypatch):
    (tmp_path / "model.pth").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match=r"not installed.*safetensors\.torch"):
        read_arrays(tmp_path / "model.pth")
