"""Files of arrays, their checksums, and the hub's cache."""

import sys
import types

import numpy as np
import pytest
import safetensors.numpy

from qpm_jax import models
from qpm_jax.models import hub
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
    torch.save({"model": torch.load(path), "epoch": 3}, path)
    assert_read(path)
    path.write_bytes(b"no pickle")
    with pytest.raises(ValueError, match=r"is no readable \.pth file"):
        read_arrays(path)


def test_without_pytorch_its_files_are_refused_with_a_way_out(tmp_path, monkeypatch):
    (tmp_path / "model.pth").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match=r"not installed.*safetensors\.torch"):
        read_arrays(tmp_path / "model.pth")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("timm/resnet50.tv_in1k", True),
        ("timm/resnet50.tv_in1k@abc123", True),
        ("weights/resnet50.npz", False),
        ("resnet50", False),
        ("/data/timm/resnet50", False),
        ("./weights", False),
        ("a/b/c", False),
    ],
)
def test_ids_of_the_hub_are_told_from_paths(text, expected):
    assert hub.is_hub_id(text) is expected


@pytest.fixture
def fake_hub(monkeypatch):
    """Returns a function: cached path or None, download's result -> calls made."""

    def install(cached, download):
        calls = []

        def fetch(repository, file, revision):
            calls.append((repository, file, revision))
            if isinstance(download, Exception):
                raise download
            return str(download)

        module = types.ModuleType("huggingface_hub")
        module.try_to_load_from_cache = lambda *_, **__: cached
        module.hf_hub_download = fetch
        monkeypatch.setitem(sys.modules, "huggingface_hub", module)
        return calls

    return install


def in_cache(safe_file, name):
    """The file under its checksum and a link to it, as the hub's cache lies."""
    (safe_file.parent / "blobs").mkdir()
    blob = safe_file.rename(safe_file.parent / "blobs" / name)
    safe_file.symlink_to(blob)
    return safe_file


def test_what_is_cached_is_not_asked_for_again(fake_hub, safe_file):
    calls = fake_hub(str(safe_file), download=None)
    assert hub.fetch("owner/name") == safe_file
    assert calls == []


def test_a_file_is_fetched_at_its_revision_and_checked(fake_hub, safe_file):
    path = in_cache(safe_file, checksum(safe_file))
    calls = fake_hub(None, download=path)
    assert hub.fetch("owner/name@v2") == path
    assert calls == [("owner/name", "model.safetensors", "v2")]


def test_a_damaged_cache_is_named(fake_hub, safe_file):
    path = in_cache(safe_file, "0" * 64)
    fake_hub(str(path), download=None)
    with pytest.raises(ValueError, match=r"damaged: delete '.*blobs/0000"):
        hub.fetch("owner/name")


def test_offline_the_message_says_what_to_put_where(fake_hub):
    fake_hub(None, download=OSError("no route"))
    message = (
        r"'owner/name' is no file.*OSError: no route.*"
        r"/owner/name/resolve/main/model\.safetensors.*--config\.model\.weights="
    )
    with pytest.raises(ValueError, match=message):
        models.load_weights("resnet18", "owner/name")


def test_without_the_hubs_package_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ValueError, match=r"qpm-jax\[hub\].*download https://"):
        models.load_weights("resnet18", "timm/resnet18.tv_in1k")


def test_an_id_on_the_hub_leads_to_variables(fake_hub, tmp_path, rule_state):
    from qpm_jax.models.conversion import shapes_in_file
    from qpm_jax.models.namings import TORCH

    shapes = shapes_in_file("mobilenet_v2", TORCH["mobilenet_v2"][0].sources(), 2)
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file(rule_state(shapes), path)
    fake_hub(str(path), download=None)
    variables = models.load_weights("mobilenet_v2", "owner/name")
    assert variables["params"]["head"]["kernel"].shape == (1280, 2)
