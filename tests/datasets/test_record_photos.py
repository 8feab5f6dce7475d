"""CUB's own photos as records: the same crops and batches as from their folder."""

import csv
import io
import itertools
import zipfile

import numpy as np
import pytest
from PIL import Image

from qpm_jax import datasets
from qpm_jax.datasets.chosen_images import choose

CLASSES = 3
STEP = 9  # of 90 training photos of three classes, every ninth is written
SIZE = (48, 40)


class Bird:
    """A row of the lists: where a photo is, what is on it, and where in it."""

    def __init__(self, row, boxes):
        self.path, self.label = row["path"], int(row["class_id"]) - 1
        self.training = row["is_training"] == "1"
        x, y, across, down = boxes[row["image_id"]]
        width, height = int(row["orig_w"]), int(row["orig_h"])
        self.box = y / height, x / width, (y + down) / height, (x + across) / width


def _birds(folder):
    """The photos of the first classes, in the order of the lists."""
    lines = (folder / "bounding_boxes.txt").read_text().splitlines()
    boxes = {line.split()[0]: tuple(map(float, line.split()[1:])) for line in lines}
    with (folder / "cub50_index.csv").open(newline="") as file:
        birds = [Bird(row, boxes) for row in csv.DictReader(file)]
    return [bird for bird in birds if bird.label < CLASSES]


def _example(bird, archive):
    """What tensorflow-datasets' own builder of CUB writes of a photo."""
    import tensorflow_datasets as tfds

    mask = io.BytesIO()
    Image.new("L", (1, 1)).save(mask, "PNG")
    return {
        "image": io.BytesIO(archive.read(f"images/{bird.path}")),
        "image/filename": f"CUB_200_2011/images/{bird.path}",
        "label": bird.label,
        "label_name": bird.path.split("/")[0][4:].lower(),
        "bbox": tfds.features.BBox(*bird.box),
        "segmentation_mask": mask,
    }


@pytest.fixture
def both(shared, tmp_path, write_birds):
    """The records' data set, and the same photos of the folder's."""
    folder = shared("data/cub")
    original = datasets.load("cub", root=folder, classes=CLASSES)
    birds = _birds(folder)
    written, chosen = {}, {}
    with zipfile.ZipFile(folder / "cub50_short192.zip") as archive:
        for split in ("train", "test"):
            rows = [bird for bird in birds if bird.training == (split == "train")]
            written[split] = [_example(bird, archive) for bird in rows[::STEP]]
            whole = getattr(original, split)
            chosen[split] = choose(whole, np.arange(0, len(whole), STEP))
    write_birds(tmp_path / "real", written["train"], written["test"])
    return datasets.load("cub", data_dir=tmp_path / "real"), original, chosen


def test_crops_labels_and_names_are_those_of_the_folder(both):
    prepared, original, chosen = both
    assert prepared.class_names == original.class_names
    assert (prepared.mean, prepared.std) == (original.mean, original.std)
    for split, there in chosen.items():
        here = getattr(prepared, split)
        assert set(here.labels) == set(range(CLASSES))
        np.testing.assert_array_equal(here.labels, there.labels)
        for position in range(len(there)):
            image = here.images[position]
            np.testing.assert_array_equal(image, there.images[position])


def _same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def _batches(split, **options):
    return datasets.training_batches(split, 4, SIZE, 5, crop="random", **options)


@pytest.mark.slow
def test_a_process_that_begins_at_step_3_gives_the_folders_batches(both):
    prepared, _, chosen = both
    read = datasets.iterate_from(_batches(prepared.train), 3, num_workers=1)
    expected = _batches(chosen["train"])
    for step, batch in enumerate(itertools.islice(read, 4), 3):
        _same(batch, expected[step])
    read.close()


@pytest.mark.slow
def test_two_hosts_together_give_the_folders_batches(both):
    prepared, _, chosen = both
    parts = [
        datasets.iterate_from(
            _batches(prepared.train, shard_index=host, shard_count=2), 3, num_workers=1
        )
        for host in range(2)
    ]
    expected = _batches(chosen["train"])
    for step, rows in enumerate(itertools.islice(zip(*parts, strict=True), 4), 3):
        joined = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        _same(joined, expected[step])
    for part in parts:
        part.close()
