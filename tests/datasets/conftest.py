"""What these tests keep or find lies in a folder of their own."""

import pytest


@pytest.fixture(autouse=True)
def _no_files_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("QPM_JAX_CACHE", str(tmp_path / "kept"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tensorflow_datasets"))
