"""Test images are offered where the data set is at hand, and silently not elsewhere."""

from dataclasses import replace

import numpy as np
from PIL import Image

from qpm_jax import datasets
from qpm_jax.config import default
from qpm_jax.datasets import Split
from qpm_jax.demo.examples import pick, run_examples
from qpm_jax.phases.workdir import open_workdir

NAMES = tuple(f"class {label}" for label in range(10))


def split(labels):
    images = np.arange(len(labels), dtype=np.uint8)[:, None, None, None]
    return Split(np.tile(images, (1, 4, 4, 3)), np.array(labels, np.int32))


def test_examples_come_from_classes_spread_over_all_of_them():
    chosen = pick(split([9, 9, 0, 3, 0, 5, 7]), NAMES, 3)
    assert [e.class_name for e in chosen] == ["class 0", "class 5", "class 9"]
    assert [int(e.image[0, 0, 0]) for e in chosen] == [2, 5, 0]


def test_fewer_classes_give_fewer_examples():
    assert len(pick(split([1, 1, 4]), NAMES, 8)) == 2
    assert pick(split([]), NAMES, 8) == ()


def test_without_its_data_set_a_run_has_no_examples(run, tmp_path, monkeypatch):
    config = default()
    config.dataset.name = "folder"
    with config.unlocked():
        config.dataset.options.root = str(tmp_path / "gone")
    run = replace(run, workdir=open_workdir(tmp_path / "run", config))
    assert run_examples(run) == ()
    assert run_examples(replace(run, workdir=tmp_path / "no run"), count=0) == ()


def test_a_data_set_with_other_classes_gives_no_examples(run, tmp_path, monkeypatch):
    config = default()
    run = replace(run, workdir=open_workdir(tmp_path / "run", config))
    other = type("Other", (), {"class_names": NAMES, "test": split([0, 1])})
    monkeypatch.setattr(datasets, "load", lambda name, **options: other)
    assert run_examples(run) == ()
    same = type("Same", (), {"class_names": run.class_names, "test": split([0, 1])})
    monkeypatch.setattr(datasets, "load", lambda name, **options: same)
    assert len(run_examples(run)) == 2


def test_a_run_that_left_unreadable_images_out_has_examples_of_the_others(
    run, tmp_path
):
    photos = tmp_path / "photos"
    for place in ("train/cat", "train/owl", "test/cat", "test/owl"):
        (photos / place).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (8, 8)).save(photos / place / f"{number}.png")
    (photos / "test/cat/0.png").write_bytes(b"")
    config = default()
    config.dataset.name = "folder"
    config.input.skip_unreadable = True
    with config.unlocked():
        config.dataset.options.root = str(photos)
    workdir = open_workdir(tmp_path / "run", config)
    run = replace(run, workdir=workdir, class_names=("cat", "owl"))
    assert [example.class_name for example in run_examples(run)] == ["cat", "owl"]
