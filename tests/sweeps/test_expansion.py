import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.config import default
from qpm_jax.sweeps import Axis, expand
from qpm_jax.sweeps.expansion import run_name

FEATURES = Axis(("num_features",), ((20,), (30,)))
PER_CLASS = Axis(("per_class",), ((3,), (5,)))


def test_every_point_of_the_grid_and_every_seed_is_a_run():
    runs = expand(default(), [FEATURES, PER_CLASS], [0, 1])
    assert [run.name for run in runs[:3]] == [
        "num_features=20,per_class=3,seed=0",
        "num_features=20,per_class=3,seed=1",
        "num_features=20,per_class=5,seed=0",
    ]
    assert len(runs) == 8
    last = runs[-1]
    assert (last.config.num_features, last.config.per_class, last.config.seed) == (
        30,
        5,
        1,
    )
    assert last.cell == (30, 5)


def test_the_configuration_given_is_left_as_it_is():
    config = default()
    expand(config, [FEATURES], [7])
    assert config.to_dict() == default().to_dict()


def test_keys_of_sections_and_options_of_data_sets_are_set():
    axes = [
        Axis(("dense.epochs",), ((3,),)),
        Axis(("dataset.options.images_per_class",), ((4,),)),
    ]
    (run,) = expand(default(), axes, [0])
    assert run.config.dense.epochs == 3
    assert run.config.dataset.options.images_per_class == 4


def test_seeds_alone_are_a_sweep():
    assert [run.name for run in expand(default(), [], [3, 4])] == ["seed=3", "seed=4"]


@pytest.mark.parametrize(
    ("axes", "seeds", "message"),
    [
        ([], [], "seeds is empty"),
        ([], [1, 1], "--seeds has 1 twice"),
        ([FEATURES, FEATURES], [0], "--grid keys has num_features twice"),
        ([Axis(("per_class",), ((3,), (3,)))], [0], "per_class has 3 twice"),
        ([Axis(("per_clas",), ((3,),))], [0], "Did you mean per_class"),
        ([Axis(("seed",), ((3,),))], [0], "give --seeds"),
        ([Axis(("per_class",), (("3",),))], [0], "config.per_class is '3'; it takes"),
    ],
)
def test_what_cannot_be_expanded_is_refused(axes, seeds, message):
    with pytest.raises(ValueError, match=message):
        expand(default(), axes, seeds)


def test_a_long_name_in_any_alphabet_is_a_folder(tmp_path):
    (tmp_path / run_name({"model.weights": 300 * "鳥"}, 0)).mkdir()


@given(st.lists(st.text(max_size=300), min_size=2, max_size=4, unique=True))
@settings(max_examples=30, deadline=None)
def test_any_values_give_different_names_that_are_folders(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("names")
    for value in values:
        name = run_name({"model.weights": value}, 0)
        assert "/" not in name
        (folder / name).mkdir()  # fails where the name is taken or too long
    assert len(list(folder.iterdir())) == len(values)
