import pytest

from qpm_jax.sweeps import Axis, parse_axis


def test_values_are_read_as_what_the_default_is():
    assert parse_axis("num_features=20,30").values == ((20,), (30,))
    assert parse_axis("dense.learning_rate=1,0.1").values == ((1.0,), (0.1,))
    assert parse_axis("assign.bias=true,False").values == ((True,), (False,))
    assert parse_axis("model.name=resnet18").values == (("resnet18",),)
    assert parse_axis("model.weights=12,a:b").values == (("12",), ("a:b",))


def test_options_of_a_data_set_are_read_as_what_they_look_like():
    axis = parse_axis("dataset.options.images_per_class=10,many,none")
    assert axis.values == ((10,), ("many",), (None,))


def test_keys_that_change_together_are_one_axis():
    axis = parse_axis("num_features:per_class=20:3,50:5")
    assert axis == Axis(("num_features", "per_class"), ((20, 3), (50, 5)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("num_features", r"no axis; give --grid=KEY=VALUE,VALUE"),
        ("num_features=", r"no axis"),
        ("num_featurs=3", r"num_featurs does not exist. Did you mean num_features"),
        ("dense=3", r"config.dense does not exist"),
        ("seed=0,1", r"--seeds=0,1,2"),
        ("num_features=many", r"num_features=many; it takes int, such as 50"),
        ("num_features=2.5", r"num_features=2.5; it takes int"),
        ("num_features=true", r"num_features=true; it takes int"),
        ("assign.bias=1", r"assign.bias=1; it takes bool, such as True"),
        ("num_features:per_class=20", r"20 has 1 values for 2 keys.*=50:5"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(text, message):
    with pytest.raises(ValueError, match=message):
        parse_axis(text)
