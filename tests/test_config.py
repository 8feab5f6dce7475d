import pytest

from qpm_jax import config as configuration


def test_defaults_are_the_published_ones():
    config = configuration.default()
    assert (config.num_features, config.per_class) == (50, 5)
    assert config.dense.learning_rate == 0.005
    assert config.dense.head_learning_rate == 0.01
    assert config.finetune.momentum == 0.95
    assert config.dense.diversity == config.finetune.diversity == 0.196


def test_a_configuration_survives_its_file():
    config = configuration.default()
    config.num_features = 20
    again = configuration.from_dict(config.to_dict())
    assert again.to_dict() == config.to_dict()


def test_absent_keys_take_their_default():
    config = configuration.from_dict({"num_features": 7})
    assert config.num_features == 7
    assert config.per_class == 5


def test_options_of_a_data_set_are_free():
    config = configuration.from_dict(
        {"dataset": {"name": "folder", "options": {"root": "x", "deep": {"a": 1}}}}
    )
    assert config.dataset.options.root == "x"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"num_featurs": 3}, r"config\.num_featurs does not exist.*num_features"),
        ({"epochs": 3}, r"config\.epochs does not exist.*dense\.epochs"),
        ({"num_features": "many"}, r"config\.num_features is 'many'; it takes int"),
        ({"seed": True}, r"config\.seed is True; it takes int"),
        ({"assign": {"bias": 1}}, r"config\.assign\.bias is 1; it takes bool"),
    ],
)
def test_unknown_keys_and_wrong_types_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        configuration.from_dict(values)


def test_a_whole_number_may_stand_for_a_float():
    assert configuration.from_dict({"assign": {"time_limit": 3}}).assign.time_limit == 3
