"""The images of a run: what its settings make of them, and what is refused at once."""

import numpy as np
import pytest
from PIL import Image

from qpm_jax import models, statistics
from qpm_jax.config import default
from qpm_jax.datasets.dataset import Dataset, Split
from qpm_jax.phases import data, inputs
from qpm_jax.phases.setting import dense_network, prepare


def _config(**inputs):
    config = default()
    config.num_features, config.per_class = 8, 3
    config.batch_size = config.evaluation_batch_size = 4
    config.image_size = 16
    config.input.update(inputs)
    return config


def _dataset(train_labels, classes=3):
    images = np.random.default_rng(0).integers(0, 256, (len(train_labels), 16, 16, 3))
    return Dataset(
        name="mine",
        class_names=tuple(f"class {c}" for c in range(classes)),
        train=Split(images.astype(np.uint8), np.array(train_labels)),
        test=Split(images.astype(np.uint8), np.array(train_labels)),
        image_size=None,
        mean=(0.1, 0.2, 0.3),
        std=(0.4, 0.5, 0.6),
    )


def test_hosts_that_have_found_different_images_are_told_so():
    ours, theirs = _dataset([0, 1, 2, 2]), _dataset([0, 1, 2])
    said = []
    for dataset in (ours, theirs):
        data.check_same_everywhere(dataset, lambda words: said.append(words) or [words])
    data.check_same_everywhere(ours, lambda words: [words, said[0]])
    with pytest.raises(
        ValueError,
        match=r"process 0: 4 training and 4 test images of 3 classes.*"
        r"process 1: 3 training and 3 test",
    ):
        data.check_same_everywhere(ours, lambda words: [words, said[1]])


def test_hosts_with_as_many_images_of_other_classes_are_told_apart():
    said = []
    for labels in ([0, 1, 2, 2], [0, 1, 1, 2]):
        data.check_same_everywhere(
            _dataset(labels), lambda words: said.append(words) or [words]
        )
    assert said[0] != said[1]


def test_colours_are_the_models_unless_the_data_sets_are_asked_for():
    specification = models.specification("resnet50")
    own, dataset = _config(normalisation="dataset"), _dataset([0, 1, 2])
    assert data.channels(_config(), specification, dataset) == (
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
    )
    expected = (dataset.mean, dataset.std)
    assert data.channels(own, specification, dataset) == expected


def test_a_model_without_published_weights_has_the_data_sets_colours():
    small, dataset = models.specification("resnet_small"), _dataset([0, 1, 2])
    assert data.channels(_config(), small, dataset) == (dataset.mean, dataset.std)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fit": "centre"}, r"config\.fit is 'centre'\. Did you mean centre_crop"),
        (
            {"augmentation": {"crop": "randon"}},
            r"augmentation\.crop is 'randon'.*random",
        ),
        ({"input": {"normalisation": "own"}}, "There are: model, dataset"),
        (
            {"input": {"threads": 0}},
            r"config\.input\.threads is 0; it must be at least 1",
        ),
        (
            {"input": {"workers": -1}},
            r"config\.input\.workers is -1; it must be at least",
        ),
    ],
)
def test_impossible_settings_are_refused(tmp_path, change, message):
    config = _config()
    config.update(change)
    with pytest.raises(ValueError, match=message):
        prepare(config, tmp_path, _dataset([0, 1, 2]))


@pytest.mark.parametrize("asked", [False, True])
def test_a_runs_backbone_has_the_options_that_are_set(tmp_path, asked):
    config = _config()
    config.model.update(name="mobilenet_v2", reduced_strides=asked)
    config.model.unbounded_maps = asked
    for network in (
        prepare(config, tmp_path / "run", _dataset([0, 1, 2])).network,
        dense_network(config, 3),
    ):
        assert network.backbone.unbounded_maps == asked
        assert network.backbone.reduced_strides == asked
        assert (network.num_classes, network.dropout) == (3, config.dense.dropout)


def test_a_class_without_training_images_is_named(tmp_path):
    message = r"no training image of 2 of its 4 classes: class 1, class 3\. Add images"
    with pytest.raises(ValueError, match=message):
        prepare(_config(), tmp_path, _dataset([0, 2, 2], classes=4))


def test_how_batches_are_prepared_may_change_and_what_is_seen_may_not(tmp_path):
    dataset = _dataset([0, 1, 2])
    prepare(_config(), tmp_path, dataset)
    (tmp_path / "dense").mkdir()
    (tmp_path / "dense" / "done.json").touch()
    prepare(_config(threads=1, workers=3), tmp_path, dataset)
    with pytest.raises(ValueError, match=r"input\.normalisation: 'model' -> 'dataset'"):
        prepare(_config(normalisation="dataset"), tmp_path, dataset)
    with pytest.raises(ValueError, match=r"input\.skip_unreadable: False -> True"):
        prepare(_config(skip_unreadable=True), tmp_path, dataset)


def test_a_run_remembers_the_name_of_the_images_it_was_given(tmp_path):
    prepare(_config(), tmp_path, _dataset([0, 1, 2]))
    assert inputs.read(tmp_path).dataset == "mine"


def test_a_run_reads_the_crops_and_colours_of_its_settings(tmp_path):
    config = _config(normalisation="dataset")
    config.model.name = "mobilenet_v2"
    config.augmentation.crop = "random"
    config.augmentation.crop_padding = 2
    setting = prepare(config, tmp_path, _dataset([0, 1, 2, 0]))
    assert setting.mean == (0.1, 0.2, 0.3)
    batch = next(setting.training_from(0))
    images = np.asarray(batch["image"])
    seen = setting.dataset.train.images[np.asarray(batch["index"])]
    assert images.shape == (4, 16, 16, 3)
    assert (images != seen).any()


def _photo_config(root, **inputs):
    for name in ("cat", "owl"):
        for part in ("train", "test"):
            folder = root / part / name
            folder.mkdir(parents=True)
            for number in range(4):
                pixels = np.full((20, 20, 3), 10 * number, np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.jpg")
    config = _config(**inputs)
    config.dataset.name = "folder"
    with config.unlocked():
        config.dataset.options.root = str(root)
    return config


@pytest.mark.parametrize("kept", [5, 250, -20])
def test_unreadable_photos_are_left_out_of_a_run_where_asked(tmp_path, kept):
    """Whether the damage is at the beginning of the file or at its end."""
    config = _photo_config(tmp_path)
    broken = tmp_path / "train/cat/2.jpg"
    broken.write_bytes(broken.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"cat/2\.jpg cannot be decoded"):
        data.load(config)
    config.input.skip_unreadable = True
    assert len(data.load(config).train) == 7


def test_sets_that_do_not_look_at_their_photos_are_looked_through_afterwards(
    monkeypatch,
):
    looked = []
    monkeypatch.setattr(
        "qpm_jax.datasets.without_unreadable",
        lambda dataset, threads: looked.append(threads) or dataset,
    )
    config = _config(threads=3)
    config.dataset.name = "digits"
    data.load(config)
    config.input.skip_unreadable = True
    data.load(config)
    assert looked == [3]


def test_a_class_with_one_training_image_goes_through_the_statistics():
    """Its features have no spread; everything that divides by one must stay finite."""
    random = np.random.default_rng(0)
    maps = random.random((5, 4, 4, 6)).astype(np.float32)
    labels = np.array([0, 1, 1, 1, 1])
    state = statistics.init(6, 2)
    state = statistics.update(state, maps.mean(axis=(1, 2)), maps, labels)
    result = statistics.finish(state)
    for name in ("similarity", "redundancy", "bias", "mean", "std"):
        assert np.isfinite(getattr(result, name)).all()
