"""The built-in birds as a data set: shapes, determinism, cache and difficulty."""

import numpy as np
import pytest

from qpm_jax.datasets import birds

SMALL = {"num_classes": 7, "train_per_class": 3, "test_per_class": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("birds")


@pytest.fixture(scope="module")
def small(folder):
    return birds.load(cache_dir=folder, **SMALL)


@pytest.fixture(scope="module")
def medium(folder):
    return birds.load(
        num_classes=50, train_per_class=12, test_per_class=4, cache_dir=folder
    )


def same(first, second):
    return all(
        np.array_equal(getattr(first, split).images, getattr(second, split).images)
        and np.array_equal(
            getattr(first, split).part_masks, getattr(second, split).part_masks
        )
        for split in ("train", "test")
    )


def test_a_data_set_has_the_promised_shapes_and_types(small):
    assert small.train.images.shape == (21, 64, 64, 3)
    assert small.train.images.dtype == np.uint8
    assert small.train.part_masks.shape == (21, 6, 64, 64)
    assert small.train.part_masks.dtype == bool
    assert small.train.labels.dtype == np.int32
    assert small.test.labels.tolist() == np.repeat(np.arange(7), 2).tolist()
    assert small.image_size == (64, 64)
    assert small.part_names == ("beak", "crown", "eye", "wing", "tail", "feet")
    assert small.class_attributes.shape == (7, len(small.attribute_names))
    assert len(small.class_names) == 7


def test_mean_and_std_are_those_of_the_training_images(small):
    pixels = small.train.images.reshape(-1, 3) / 255
    np.testing.assert_allclose(small.mean, pixels.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(small.std, pixels.std(axis=0), atol=1e-9)


def test_the_same_seed_draws_the_same_and_another_does_not(small, tmp_path):
    assert same(small, birds.load(cache_dir=tmp_path, **SMALL))
    other = birds.load(seed=1, cache_dir=tmp_path, **SMALL)
    assert not np.array_equal(small.train.images, other.train.images)
    np.testing.assert_array_equal(small.class_attributes, other.class_attributes)


def test_a_larger_set_holds_the_smaller_one(small, medium):
    images = medium.train.images.reshape(50, 12, 64, 64, 3)[:7, :3]
    np.testing.assert_array_equal(images.reshape(-1, 64, 64, 3), small.train.images)


def test_training_and_test_images_differ(medium):
    train = {image.tobytes() for image in medium.train.images}
    assert len(train) == len(medium.train)
    assert not train & {image.tobytes() for image in medium.test.images}


def test_parts_are_seen_in_nearly_every_image_and_never_twice_at_a_pixel(medium):
    masks = medium.train.part_masks
    assert masks.sum(axis=1).max() == 1
    areas = masks.sum(axis=(2, 3))
    assert ((areas >= 6).mean(axis=0) > 0.95).all()
    assert (areas.mean(axis=0) > 20).all()
    assert (areas.mean(axis=0) < 64 * 64 / 8).all()


def test_the_wing_mask_lies_on_pixels_of_the_wing_colour(medium):
    column = medium.attribute_names.index("wing colour: red")
    plain = medium.attribute_names.index("wing pattern: plain")
    wanted = medium.class_attributes[:, [column, plain]].all(axis=1)
    rows = np.flatnonzero(wanted[medium.train.labels])
    wing = medium.part_names.index("wing")
    pixels = medium.train.images[rows][medium.train.part_masks[rows, wing]]
    red = pixels[:, 0].astype(int) - pixels[:, 1:].max(axis=1)
    assert len(rows) > 10
    assert (red > 40).mean() > 0.6


def test_a_second_call_reads_what_the_first_kept(small, folder, monkeypatch):
    def fail(*_):
        raise AssertionError("drawn again")

    monkeypatch.setattr(birds, "_draw", fail)
    assert same(small, birds.load(cache_dir=folder, **SMALL))


def test_the_cache_folder_comes_from_the_environment(small, tmp_path, monkeypatch):
    monkeypatch.setenv("QPM_JAX_CACHE", str(tmp_path / "deep" / "folder"))
    assert same(small, birds.load(**SMALL))
    kept = list((tmp_path / "deep" / "folder").iterdir())
    assert [path.suffix for path in kept] == [".npz"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-40],
        lambda whole: b"not an archive",
        lambda whole: whole[:5000] + bytes(200) + whole[5200:],
    ],
    ids=["empty", "half", "end cut", "other file", "middle zeroed"],
)
def test_a_damaged_cache_file_is_drawn_again(damage, small, tmp_path):
    birds.load(cache_dir=tmp_path, **SMALL)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert same(small, birds.load(cache_dir=tmp_path, **SMALL))
    assert path.read_bytes() == whole


def test_a_cache_file_of_other_arrays_is_drawn_again(small, tmp_path):
    birds.load(cache_dir=tmp_path, **SMALL)
    (path,) = tmp_path.iterdir()
    with np.load(path) as stored:
        arrays = {name: stored[name][:1] for name in stored.files}
    np.savez(path, **arrays)
    assert same(small, birds.load(cache_dir=tmp_path, **SMALL))


def test_a_folder_that_cannot_be_written_only_loses_the_cache(small, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    assert same(small, birds.load(cache_dir=blocked / "cache", **SMALL))


def test_a_write_that_fails_leaves_nothing_behind(small, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(birds.np, "savez", full)
    assert same(small, birds.load(cache_dir=tmp_path, **SMALL))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(birds.np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        birds._write(tmp_path / "birds.npz", {"train_labels": np.zeros(2)})
    assert list(tmp_path.iterdir()) == []


def test_the_drawings_can_be_read_by_everyone(tmp_path):
    birds._write(tmp_path / "birds.npz", {"train_labels": np.zeros(2)})
    assert (tmp_path / "birds.npz").stat().st_mode & 0o777 == 0o644


def test_without_a_processor_backend_the_default_device_draws(monkeypatch):
    def missing(**_):
        raise RuntimeError("Unknown backend cpu")

    monkeypatch.setattr(birds.jax, "local_devices", missing)
    assert birds._processor() is None


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("seed", -1),
        ("num_classes", 1),
        ("num_classes", 101),
        ("num_classes", 10.5),
        ("train_per_class", 0),
        ("train_per_class", -3),
        ("test_per_class", -1),
        ("test_per_class", True),
    ],
)
def test_a_bad_argument_is_named_with_what_is_allowed(argument, value, tmp_path):
    with pytest.raises(ValueError, match=rf"{argument} must be .* got {value}"):
        birds.load(cache_dir=tmp_path, **{argument: value})


def test_raw_pixels_say_little_about_the_class(medium):
    train = medium.train.images.reshape(len(medium.train), -1).astype(np.float32)
    test = medium.test.images.reshape(len(medium.test), -1).astype(np.float32)
    means = train.reshape(50, 12, -1).mean(axis=1)
    distances = (means**2).sum(axis=1) - 2 * test @ means.T
    accuracy = (distances.argmin(axis=1) == medium.test.labels).mean()
    assert accuracy < 0.4
