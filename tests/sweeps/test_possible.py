import pytest
from PIL import Image

from qpm_jax.config import default
from qpm_jax.sweeps import Axis, class_counter, expand, split_possible


def grid(features, per_class):
    axes = [
        Axis(("num_features",), tuple((n,) for n in features)),
        Axis(("per_class",), tuple((k,) for k in per_class)),
    ]
    return expand(default(), axes, [0])


def test_a_cell_that_cannot_be_is_left_out_with_its_reason():
    runs, left_out = split_possible(grid([5, 20], [3, 8]))
    assert [run.cell for run in runs] == [(5, 3), (20, 3), (20, 8)]
    assert list(left_out) == ["num_features=5,per_class=8,seed=0"]
    assert "must lie between 1 and config.num_features = 5" in left_out.popitem()[1]


def test_a_cell_with_too_few_sets_of_features_for_the_classes_is_left_out():
    runs, left_out = split_possible(grid([5, 20], [3, 5]), lambda config: 10)
    assert [run.cell for run in runs] == [(5, 3), (20, 3), (20, 5)]
    assert "gives only 1 different sets" in left_out.popitem()[1]


def test_a_value_that_no_cell_can_have_is_refused():
    with pytest.raises(ValueError, match=r"num_features=100000.*lie between 1 and"):
        split_possible(grid([20, 100_000], [3, 5]))


def test_a_grid_of_which_nothing_can_be_is_refused():
    runs = expand(default(), [Axis(("model.name",), (("resnet19",),))], [0])
    with pytest.raises(ValueError, match=r"No run is possible.*resnet18"):
        split_possible(runs)


def test_classes_are_counted_once_a_data_set(monkeypatch):
    loaded = []

    class Digits:
        class_names = tuple("0123456789")

    def load(name, **options):
        loaded.append((name, options))
        return Digits

    monkeypatch.setattr("qpm_jax.datasets.load", load)
    count = class_counter()
    for run in grid([20, 30], [3]):
        assert count(run.config) == 10
    assert loaded == [("birds", {})]


def photos_with_a_broken_one(root, skip_unreadable):
    for name in ("cat", "owl"):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(4):
            Image.new("RGB", (8, 8)).save(root / name / f"{number}.png")
    (root / "cat/2.png").write_bytes(b"")
    config = default()
    config.dataset.name = "folder"
    config.input.skip_unreadable = skip_unreadable
    with config.unlocked():
        config.dataset.options.root = str(root)
    return config


def test_classes_are_counted_without_the_images_that_runs_leave_out(tmp_path):
    count = class_counter()
    assert count(photos_with_a_broken_one(tmp_path, skip_unreadable=True)) == 2
    with pytest.raises(ValueError, match=r"cat/2\.png"):
        count(photos_with_a_broken_one(tmp_path, skip_unreadable=False))
