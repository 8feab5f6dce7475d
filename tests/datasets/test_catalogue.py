"""Data sets by name: what is there, what is nearly there, which options each takes."""

import importlib
import inspect
import re

import numpy as np
import pytest
from PIL import Image

from qpm_jax import datasets
from qpm_jax.datasets import catalogue
from qpm_jax.datasets.option_kinds import fitted


def test_the_names_are_sorted_and_hold_the_built_in_set():
    assert list(datasets.names()) == sorted(datasets.names())
    assert {"birds", "cub", "cub50", "digits", "folder"} <= set(datasets.names())


def test_digits_come_as_rgb_with_a_quarter_of_each_class_held_back():
    digits = datasets.load("digits")
    assert digits.train.images.shape == (1347, 32, 32, 3)
    assert digits.test.images.shape == (450, 32, 32, 3)
    assert digits.train.images.max() == 255
    shares = np.bincount(digits.test.labels) / (
        np.bincount(digits.train.labels) + np.bincount(digits.test.labels)
    )
    np.testing.assert_allclose(shares, 0.25, atol=0.01)


def test_digits_keep_their_eight_pixels_where_asked():
    digits = datasets.load("digits", image_size=8)
    assert digits.image_size == (8, 8)
    assert set(np.unique(digits.train.images)) == {
        round(v * 255 / 16) for v in range(17)
    }


def test_digits_cannot_be_shrunk():
    with pytest.raises(ValueError, match="at least 8, got 4"):
        datasets.load("digits", image_size=4)


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(ValueError, match=r"'digit'\. Did you mean digits\?.*birds"):
        datasets.load("digit")


def test_a_name_like_no_other_offers_the_list():
    with pytest.raises(ValueError, match=r"unknown data set 'zzz'\. There are: birds"):
        datasets.load("zzz")


@pytest.mark.parametrize("module", ["cub", "imagenet", "stanford_cars"])
def test_a_name_of_tensorflow_datasets_offers_ours(module):
    prepared = importlib.import_module(f"qpm_jax.datasets.{module}").PREPARED
    with pytest.raises(ValueError, match=rf"It is called {module} here\. There are:"):
        datasets.load(prepared.name)


def test_an_unknown_option_names_the_allowed_ones():
    with pytest.raises(ValueError, match="no option size; allowed: image_size, test_"):
        datasets.load("digits", size=3)


def test_a_missing_option_is_named():
    with pytest.raises(ValueError, match="needs the option root"):
        datasets.load("folder")


def test_options_show_the_defaults_and_the_presets():
    assert datasets.options("cub50")["classes"] == 50
    assert datasets.options("cub")["classes"] is None
    assert datasets.options("folder")["root"] is inspect.Parameter.empty


def test_a_set_of_preset_options_goes_by_its_own_name(monkeypatch):
    entry = ("qpm_jax.datasets.digits", {"image_size": 8})
    monkeypatch.setitem(catalogue._ENTRIES, "small_digits", entry)
    digits = datasets.load("small_digits")
    assert (digits.name, digits.image_size) == ("small_digits", (8, 8))


@pytest.mark.parametrize(
    ("name", "option", "value", "takes"),
    [
        ("cub", "cropped", "no", "true or false"),
        ("cub", "cropped", 0, "true or false"),
        ("cub", "cache_gigabytes", "2GB", "a number"),
        ("cub", "cache_gigabytes", True, "a number"),
        ("cub", "classes", "abc", "a whole number or none"),
        ("cub", "classes", 2.5, "a whole number or none"),
        ("cub50", "classes", "ten", "a whole number or none"),
        ("cub", "root", 2.1, "text or none"),
        ("digits", "seed", None, "a whole number"),
        ("folder", "mean", "grey", "a list of numbers or none"),
        ("folder", "mean", ("0.5", 0.5, 0.5), "a list of numbers or none"),
        ("folder", "root", None, "text"),
    ],
)
def test_an_option_of_another_kind_is_refused(name, option, value, takes, tmp_path):
    required = {"root": tmp_path} if name == "folder" else {}
    message = rf"option {option} of .*'{name}' is {re.escape(repr(value))}; it takes "
    with pytest.raises(ValueError, match=f"{message}{takes}$"):
        datasets.load(name, **required | {option: value})


def test_a_folder_whose_name_is_a_number_is_found(tmp_path, monkeypatch):
    for index in range(2):
        (tmp_path / "2023/owl").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / f"2023/owl/{index}.png")
    monkeypatch.chdir(tmp_path)
    assert datasets.load("folder", root=2023).class_names == ("owl",)


def test_numbers_of_numpy_and_whole_numbers_for_others_will_do():
    digits = datasets.load("digits", image_size=np.int64(8), test_fraction=0.5)
    assert digits.image_size == (8, 8)
    with pytest.raises(ValueError, match="test_fraction"):
        datasets.load("digits", test_fraction=1)


def test_every_option_of_every_set_takes_its_own_default():
    for name in datasets.names():
        loader, _ = catalogue._entry(name)
        known = {
            option: value
            for option, value in datasets.options(name).items()
            if value is not inspect.Parameter.empty
        }
        assert fitted(name, loader, known) == known
