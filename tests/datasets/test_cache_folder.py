"""Where what was computed from a data set is kept."""

import tempfile
from pathlib import Path

from qpm_jax.datasets.cache_folder import cache_folder


def test_a_given_folder_is_taken(tmp_path):
    assert cache_folder(tmp_path) == tmp_path
    assert cache_folder("~/kept") == Path.home() / "kept"


def test_the_environment_comes_before_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("QPM_JAX_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("QPM_JAX_CACHE")
    assert cache_folder() == Path.home() / ".cache" / "qpm_jax"


def test_a_user_without_a_home_gets_a_temporary_folder(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("QPM_JAX_CACHE")
    monkeypatch.setattr(Path, "home", homeless)
    assert cache_folder() == Path(tempfile.gettempdir()) / "qpm_jax"
