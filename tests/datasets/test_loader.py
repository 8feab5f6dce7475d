"""Batches: any step at once, every image once an epoch, the last batch padded."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import datasets
from qpm_jax.datasets import Split

SIZE = (4, 5)


def _split(count=10, size=SIZE):
    images = np.random.default_rng(0).integers(0, 256, (count, *size, 3))
    return Split(images.astype(np.uint8), np.arange(count) % 3)


def _same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_a_batch_has_images_labels_and_where_they_come_from():
    split = _split()
    batch = datasets.training_batches(split, 4, SIZE, seed=0)[0]
    assert batch["image"].shape == (4, *SIZE, 3)
    assert batch["image"].dtype == np.uint8
    assert batch["label"].dtype == batch["index"].dtype == np.int32
    np.testing.assert_array_equal(batch["image"], split.images[batch["index"]])
    np.testing.assert_array_equal(batch["label"], split.labels[batch["index"]])


def test_a_step_is_the_same_whatever_was_read_before():
    first = datasets.training_batches(_split(), 4, SIZE, seed=3)
    for step in range(6):
        first[step]
    _same(first[7], datasets.training_batches(_split(), 4, SIZE, seed=3)[7])


@settings(max_examples=20, deadline=None)
@given(
    count=st.integers(1, 12),
    batch_size=st.integers(1, 15),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_epoch_has_each_image_once(count, batch_size, seed):
    batches = datasets.training_batches(_split(count), batch_size, SIZE, seed)
    steps = -(-2 * count // batch_size)
    order = np.concatenate([batches[s]["index"] for s in range(steps)])
    np.testing.assert_array_equal(np.sort(order[:count]), np.arange(count))
    np.testing.assert_array_equal(np.sort(order[count : 2 * count]), np.arange(count))


def test_epochs_and_seeds_differ_in_order():
    batches = datasets.training_batches(_split(30), 30, SIZE, seed=0)
    other = datasets.training_batches(_split(30), 30, SIZE, seed=1)
    assert batches[0]["index"].tolist() != batches[1]["index"].tolist()
    assert batches[0]["index"].tolist() != other[0]["index"].tolist()


def test_iterating_from_a_step_gives_what_that_step_gives():
    batches = datasets.training_batches(_split(), 4, SIZE, seed=0)
    read = itertools.islice(datasets.iterate_from(batches, 5), 4)
    for step, batch in enumerate(read, 5):
        _same(batch, batches[step])


def test_evaluation_is_in_order_and_pads_the_last_batch():
    split = _split(10)
    batches = list(datasets.evaluation_batches(split, 4, SIZE))
    assert [b["image"].shape for b in batches] == [(4, *SIZE, 3)] * 3
    assert [b["valid"].tolist() for b in batches[1:]] == [
        [True] * 4,
        [True, True, False, False],
    ]
    valid = np.concatenate([b["index"][b["valid"]] for b in batches])
    np.testing.assert_array_equal(valid, np.arange(10))
    np.testing.assert_array_equal(batches[2]["index"], [8, 9, 9, 9])


def test_an_evaluation_batch_may_exceed_the_split():
    (batch,) = datasets.evaluation_batches(_split(3), 8, SIZE)
    assert batch["valid"].sum() == 3


def test_images_of_different_sizes_are_resized():
    images = [np.full((3 + i, 9 - i, 3), 40 * i, np.uint8) for i in range(4)]
    (batch,) = datasets.evaluation_batches(Split(images, np.arange(4)), 4, (6, 7))
    np.testing.assert_array_equal(batch["image"][:, 0, 0, 0], [0, 40, 80, 120])
    assert batch["image"].shape == (4, 6, 7, 3)


def test_one_array_of_another_size_is_resized():
    batch = datasets.training_batches(_split(size=(8, 10)), 2, SIZE, seed=0)[0]
    assert batch["image"].shape == (2, *SIZE, 3)


def test_an_error_in_a_thread_reaches_the_loop():
    class Broken:
        def __len__(self):
            return 3

        def __getitem__(self, index):
            raise ValueError("image x.jpg cannot be decoded")

    batches = datasets.evaluation_batches(Split(Broken(), np.zeros(3, int)), 2, SIZE)
    with pytest.raises(ValueError, match=r"x\.jpg cannot be decoded"):
        next(batches)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": Split([], np.zeros(0, int))}, "no images"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"image_size": (0, 4)}, "image_size must be"),
        ({"seed": -1}, "seed must be 0 to"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    valid = {"split": _split(), "batch_size": 2, "image_size": SIZE, "seed": 0}
    with pytest.raises(ValueError, match=message):
        datasets.training_batches(**(valid | arguments))


def test_a_step_below_zero_is_refused():
    batches = datasets.training_batches(_split(), 2, SIZE, seed=0)
    with pytest.raises(ValueError, match="first_step must be at least 0"):
        datasets.iterate_from(batches, -1)


@settings(max_examples=20, deadline=None)
@given(
    count=st.integers(1, 30),
    share=st.integers(1, 4),
    hosts=st.integers(1, 4),
    crop=st.sampled_from(["none", "random"]),
    step=st.integers(0, 20),
)
def test_hosts_together_read_the_batch_of_one(count, share, hosts, crop, step):
    split, size = _split(count, (6, 9)), share * hosts
    whole = datasets.training_batches(split, size, SIZE, 3, crop=crop, padding=1)[step]
    parts = [
        datasets.training_batches(
            split, size, SIZE, 3, crop=crop, padding=1, shard_index=h, shard_count=hosts
        )[step]
        for h in range(hosts)
    ]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in whole}
    _same(whole, joined)


@pytest.mark.parametrize("hosts", [1, 2, 4])
def test_hosts_together_evaluate_the_batches_of_one(hosts):
    split = _split(9)
    whole = list(datasets.evaluation_batches(split, 4, SIZE))
    parts = [
        list(
            datasets.evaluation_batches(
                split, 4, SIZE, shard_index=host, shard_count=hosts
            )
        )
        for host in range(hosts)
    ]
    assert all(len(part) == len(whole) for part in parts)
    for batch, *rows in zip(whole, *parts, strict=True):
        joined = {name: np.concatenate([row[name] for row in rows]) for name in batch}
        _same(batch, joined)


def test_what_only_fills_a_batch_up_is_decoded_once():
    class Counting:
        def __init__(self):
            self.read = []

        def __len__(self):
            return 5

        def __getitem__(self, index):
            self.read.append(index)
            return np.zeros((*SIZE, 3), np.uint8)

    images = Counting()
    list(datasets.evaluation_batches(Split(images, np.arange(5)), 4, SIZE))
    assert sorted(images.read) == [0, 1, 2, 3, 4]


def test_random_crops_differ_by_epoch_and_are_the_same_by_step():
    split = _split(4, (20, 30))
    batches = datasets.training_batches(split, 4, SIZE, 0, crop="random_resized")
    again = datasets.training_batches(split, 4, SIZE, 0, crop="random_resized")
    _same(batches[3], again[3])
    first, second = (
        batch["image"][np.argsort(batch["index"])] for batch in (batches[0], batches[1])
    )
    assert all((first != second).any(axis=(1, 2, 3)))


def test_images_of_the_right_size_are_cut_too_where_imagenets_crop_is_asked_for():
    batch = datasets.gather(_split(2, (8, 8)), [0, 1], (8, 8), "imagenet_crop")
    assert (batch["image"] != _split(2, (8, 8)).images).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"batch_size": 10, "shard_count": 4},
            "batch_size 10 must be divisible by the 4 hosts that share each batch; "
            "take 12",
        ),
        ({"shard_index": 2, "shard_count": 2}, "shard_index must be 0 to.*got 2 of 2"),
        ({"crop": "middle"}, "crop must be one of none, random, random_resized"),
    ],
)
def test_shares_and_crops_out_of_range_are_refused(arguments, message):
    valid = {"split": _split(), "batch_size": 2, "image_size": SIZE, "seed": 0}
    with pytest.raises(ValueError, match=message):
        datasets.training_batches(**(valid | arguments))
