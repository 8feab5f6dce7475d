"""Tests keep and find files in a folder of their own; sets as tfds writes them."""

import pytest


@pytest.fixture(autouse=True)
def _no_files_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("QPM_JAX_CACHE", str(tmp_path / "kept"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tensorflow_datasets"))


@pytest.fixture
def write_set():
    """Returns a function that writes a set as tensorflow-datasets prepares it.

    From (folder of sets, name, {split: examples}, features, version, form) to the
    folder it wrote.
    """
    return _write


@pytest.fixture
def write_birds():
    """Returns the same for CUB's three first classes: (folder, train, test)."""
    return _write_birds


def _write(data_dir, name, splits, features, version="1.0.0", form="array_record"):
    import tensorflow_datasets as tfds

    folder = data_dir / name / version
    folder.mkdir(parents=True)
    identity = tfds.core.dataset_info.DatasetIdentity(
        name=name,
        version=tfds.core.Version(version),
        data_dir=str(folder),
        module_name="tests",
    )
    info = tfds.core.DatasetInfo(
        builder=identity, features=tfds.features.FeaturesDict(features)
    )
    # several files a split, as large sets have
    writer = tfds.core.SequentialWriter(
        info, max_examples_per_shard=4, file_format=form
    )
    writer.initialize_splits(list(splits))
    writer.add_examples(splits)
    writer.close_all()
    return folder


def _write_birds(data_dir, train, test, **options):
    import tensorflow_datasets as tfds

    features = {
        "image": tfds.features.Image(),
        "image/filename": tfds.features.Text(),
        "label": tfds.features.ClassLabel(num_classes=3),
        "label_name": tfds.features.Text(),
        "bbox": tfds.features.BBoxFeature(),
        "segmentation_mask": tfds.features.Image(shape=(None, None, 1)),
    }
    splits = {"train": train, "test": test}
    return _write(data_dir, "caltech_birds2011", splits, features, **options)
