"""Images a second of reading alone, and how long a training step waits for them.

Run: `python -m benchmarks.input_pipeline [--sections=reading,feeding]`

Whole photos of CUB-50 (QPM_JAX_SHARED; shorter side 192) to 224 pixels, in batches of
16: from a folder of files, and from array_record files as tensorflow-datasets prepares
them. Nothing decoded is kept but where the table says so.
"""

import argparse
import io
import itertools
import os
import resource
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax

from benchmarks.dense_step import recipe_of, state_of, step_of
from qpm_jax import datasets, models
from qpm_jax.datasets import Dataset, Split, records
from qpm_jax.datasets.shared_folder import shared_folder

SIZE = (224, 224)
BATCH = 16
BATCHES = 160
# Backbone and pixels a side of the step that is fed.
STEPS = (("resnet_small", 64), ("mobilenet_v2_tf", 224))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sections", default="reading,feeding")
    sections = parser.parse_args().sections.split(",")
    shared = shared_folder() / "data/cub"
    print(f"{os.cpu_count()} cores, jax {jax.__version__}")
    with tempfile.TemporaryDirectory() as place:
        sets = {
            "folder": _in_folder(shared, Path(place) / "folder"),
            "array_record": _in_records(shared, Path(place) / "records"),
        }
        if "reading" in sections:
            _print_reading(sets)
        if "feeding" in sections:
            _print_feeding(sets["folder"])


def _print_reading(sets: dict[str, Dataset]) -> None:
    _read(sets["folder"].train, 1, 0, 5)  # what is imported on the way
    print(f"{'from':14} {'read by':12} {'images/s':>9} {'CPU ms an image':>16}")
    ways = [(1, 0), (2, 0), (1, 1), (1, 2)]
    for (name, dataset), (threads, workers) in itertools.product(sets.items(), ways):
        by = f"{workers} processes" if workers else f"{threads} threads"
        rate, cost = _rate(dataset.train, threads, workers)
        print(f"{name:14} {by:12} {rate:9.0f} {1000 * cost:16.2f}", flush=True)
    kept = datasets.load("cub50", cropped=False)
    list(datasets.evaluation_batches(kept.train, 60, SIZE))  # decodes all once
    rate, cost = _rate(kept.train, 2, 0)
    print(f"{'kept decoded':14} {'2 threads':12} {rate:9.0f} {1000 * cost:16.2f}")


def _rate(split: Split, threads: int, workers: int) -> tuple[float, float]:
    """Returns images a second and seconds of CPU an image, both without starting."""
    short, long = (
        _read(split, threads, workers, count) for count in (BATCHES // 4, BATCHES)
    )
    images = BATCH * (BATCHES - BATCHES // 4)
    return BATCH * BATCHES / long[0], (long[1] - short[1]) / images


def _read(split: Split, threads: int, workers: int, count: int) -> tuple[float, float]:
    """Returns seconds from the first batch on, and of CPU over all processes."""
    before = _cpu_seconds()
    batches = datasets.training_batches(split, BATCH, SIZE, seed=0)
    read: Any = datasets.iterate_from(batches, 0, threads, workers)
    next(read)
    started = time.perf_counter()
    for _ in range(count):
        next(read)
    seconds = time.perf_counter() - started
    read.close()
    return seconds, _cpu_seconds() - before


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # of those that have ended
    return time.process_time() + used.ru_utime + used.ru_stime


def _print_feeding(dataset: Dataset) -> None:
    print(f"{'step':18} {'read by':12} {'images/s':>9} {'waits for images':>17}")
    for (name, size), workers in itertools.product(STEPS, (0, 1)):
        by = "1 processes" if workers else "2 threads"
        rate, share = _feed(dataset, name, size, workers)
        print(
            f"{name:14} {size:3} {by:12} {rate:9.0f} {100 * share:15.1f} %", flush=True
        )


def _feed(
    dataset: Dataset, name: str, size: int, workers: int, runs: int = 12
) -> tuple[float, float]:
    """Returns images a second of training, and the share of its time without images."""
    recipe = recipe_of(models.create(name, dataset.num_classes))
    state = state_of(recipe, size)
    step = jax.jit(step_of(recipe))
    batches = datasets.training_batches(dataset.train, BATCH, (size, size), seed=0)
    read: Any = datasets.iterate_from(batches, 0, num_workers=workers)
    for _ in range(5):
        state = jax.block_until_ready(step(state, _arrays(read)))
    waited, started = 0.0, time.perf_counter()
    for _ in range(runs):
        asked = time.perf_counter()
        batch = _arrays(read)
        waited += time.perf_counter() - asked
        state = jax.block_until_ready(step(state, batch))
    seconds = time.perf_counter() - started
    read.close()
    return runs * BATCH / seconds, waited / seconds


def _arrays(read: Iterator[dict[str, Any]]) -> dict[str, Any]:
    batch = next(read)
    return {name: batch[name] for name in ("image", "label")}


def _in_folder(shared: Path, folder: Path) -> Dataset:
    """Unpacks the photos beside copies of the lists."""
    folder.mkdir()
    with zipfile.ZipFile(next(shared.glob("*.zip"))) as archive:
        archive.extractall(folder)
    for path in shared.glob("*.txt"):
        (folder / path.name).write_bytes(path.read_bytes())
    return datasets.load("cub", root=folder, cropped=False, cache_gigabytes=0.0)


def _in_records(shared: Path, data_dir: Path) -> Dataset:
    """Writes the same photos as tensorflow-datasets would."""
    import tensorflow_datasets as tfds

    original = datasets.load("cub50", root=shared, cropped=False)
    folder = data_dir / "imagenet2012" / "1.0.0"
    folder.mkdir(parents=True)
    identity = tfds.core.dataset_info.DatasetIdentity(
        name="imagenet2012",
        version=tfds.core.Version("1.0.0"),
        data_dir=str(folder),
        module_name="benchmarks",
    )
    label = tfds.features.ClassLabel(names=list(original.class_names))
    features = tfds.features.FeaturesDict(
        {"image": tfds.features.Image(), "label": label}
    )
    writer = tfds.core.SequentialWriter(
        tfds.core.DatasetInfo(builder=identity, features=features),
        max_examples_per_shard=500,
        file_format="array_record",
    )
    writer.initialize_splits(["train"])
    images: Any = original.train.images
    with zipfile.ZipFile(images.container) as archive:
        photos = [
            {"image": io.BytesIO(archive.read(source.name)), "label": int(label)}
            for source, label in zip(images.sources, original.train.labels, strict=True)
        ]
    writer.add_examples({"train": photos})
    writer.close_all()
    train = records.read(folder, "train", boxed=False, cache_bytes=0).split
    return Dataset(
        *("records", original.class_names, train, train, None),
        *(original.mean, original.std),
    )


if __name__ == "__main__":
    main()
