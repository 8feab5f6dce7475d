import resource
import subprocess
import sys

import numpy as np
import pytest

from qpm_jax import files


def test_json_round_trip_keeps_numpy_values(tmp_path):
    path = tmp_path / "folder" / "value.json"
    files.write_json(path, {"a": np.float64(0.5), "b": np.arange(3), "c": tmp_path})
    assert files.read_json(path) == {"a": 0.5, "b": [0, 1, 2], "c": str(tmp_path)}


def test_json_refuses_what_it_cannot_write(tmp_path):
    with pytest.raises(TypeError, match="cannot write set"):
        files.write_json(tmp_path / "value.json", {"a": {1}})


def test_arrays_round_trip(tmp_path):
    path = tmp_path / "arrays.npz"
    files.write_arrays(path, {"x": np.eye(3), "y": np.array([True, False])})
    read = files.read_arrays(path)
    assert np.array_equal(read["x"], np.eye(3))
    assert read["y"].dtype == bool


def test_a_json_file_cut_short_says_what_to_do(tmp_path):
    path = tmp_path / "value.json"
    path.write_text('{"a": 1')
    with pytest.raises(ValueError, match=r"value\.json is not valid JSON.*delete it"):
        files.read_json(path)


@pytest.mark.parametrize("read", [files.read_json, files.read_arrays])
def test_an_absent_file_says_what_to_do(tmp_path, read):
    with pytest.raises(ValueError, match=r"value is missing; delete done\.json"):
        read(tmp_path / "value")


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_an_array_file_cut_short_says_what_to_do(tmp_path, keep):
    path = tmp_path / "arrays.npz"
    files.write_arrays(path, {"x": np.random.default_rng(0).random(100)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"arrays\.npz is damaged.*delete it"):
        files.read_arrays(path)


def test_a_full_disk_leaves_the_old_file_and_no_rest(tmp_path):
    """A limit on the size of files fails the write as a full disk does."""
    path = tmp_path / "value.bin"
    files.write_bytes(path, b"old")
    script = (
        "import resource, signal, sys\n"
        "from qpm_jax import files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    files.write_bytes(sys.argv[1], b'x' * 100_000)\n"
        "except OSError:\n"
        "    sys.exit(7)\n"
    )
    assert resource.RLIMIT_FSIZE is not None
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == 7
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["value.bin"]


def test_what_ends_a_block_early_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "value.bin"
    files.write_bytes(path, b"old")

    def interrupted():
        with files.replacing(path) as file:
            file.write(b"half of what was to be")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["value.bin"]
