"""Options of any data set on the command line, whatever the config file names."""

import pytest

from launch.dataset_options import split


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("0.25", 0.25),
        ("true", True),
        ("False", False),
        ("none", None),
        ("photos/2020", "photos/2020"),
        ("2023_01", "2023_01"),  # a folder; Python reads 202301
        ("(0.5,0.4,0.3)", (0.5, 0.4, 0.3)),
        ("", ""),
    ],
)
def test_values_read_as_what_they_look_like(text, value):
    others, options = split(["prog", f"--config.dataset.options.x={text}", "--y=1"])
    assert options == {"x": value}
    assert others == ["prog", "--y=1"]


def test_a_value_may_follow_as_its_own_argument():
    others, options = split(["-config.dataset.options.root", "my photos", "--y"])
    assert options == {"root": "my photos"}
    assert others == ["--y"]


def test_an_option_without_a_value_is_refused():
    with pytest.raises(ValueError, match=r"root has no value; give --config.*VALUE"):
        split(["--config.dataset.options.root"])
