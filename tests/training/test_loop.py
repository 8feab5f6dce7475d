"""The loop on a network of one layer: same result whatever happened in between."""

import dataclasses
import math
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qpm_jax import checkpoints, stopping, training
from qpm_jax.datasets.augment import AugmentationPolicy
from qpm_jax.datasets.normalise import normalise
from qpm_jax.training import logs

CLASSES, FEATURES, SIDE = 3, 4, 4
STILL = AugmentationPolicy(flip=False, crop_padding=0, jitter=0.0)


class Tiny(nn.Module):
    """A 1×1 convolution, ReLU, pooling, and a linear head."""

    @nn.compact
    def __call__(self, images, train=False):
        maps = nn.relu(nn.Conv(FEATURES, (1, 1), name="backbone")(images))
        features = maps.mean(axis=(1, 2))
        dropped = nn.Dropout(0.2, deterministic=not train)(features)
        return nn.Dense(CLASSES, name="head")(dropped), features, maps


def _recipe(learning_rate=0.1, diversity=0.196, averaging=0.0):
    return training.Recipe(
        network=Tiny(),
        head_kernel=lambda params: params["head"]["kernel"],
        optimiser=training.optimiser("sgd", lambda step: learning_rate, 0.9, 5e-4),
        diversity=diversity,
        policy=STILL,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        averaging=averaging,
    )


def _state(recipe):
    example = np.zeros((1, SIDE, SIDE, 3), np.float32)
    return training.create(
        recipe.network.init(jax.random.key(0), example),
        recipe.optimiser,
        recipe.averaging,
    )


def _batch(step):
    """Class c is bright in channel c."""
    random = np.random.default_rng(step)
    labels = random.integers(CLASSES, size=8).astype(np.int32)
    images = random.integers(0, 100, (8, SIDE, SIDE, 3)).astype(np.uint8)
    images[np.arange(8), :, :, labels] += 150
    return {"image": images, "label": labels, "valid": np.ones(8, bool)}


def _batches_from(step):
    while True:
        yield _batch(step)
        step += 1


def _plan(total_steps, checkpoint_seconds=0.0, largest_loss=math.inf):
    return training.Plan("dense", total_steps, 10, 2, checkpoint_seconds, largest_loss)


def _train(
    folder,
    total_steps,
    recipe=None,
    batches_from=_batches_from,
    seconds=0.0,
    test_batches=lambda: [_batch(10_000)],
    largest_loss=math.inf,
    **options,
):
    recipe = recipe or _recipe()
    state = _state(recipe)
    with checkpoints.open_manager(folder / "checkpoints") as manager:
        restored = checkpoints.restore_latest(manager, state)
        state = state if restored is None else restored
        logs.forget_after(folder, "dense", int(state.step))
        with logs.open_log(folder) as log:
            return training.train(
                recipe,
                jax.random.key(1),
                state,
                batches_from,
                test_batches,
                _plan(total_steps, seconds, largest_loss),
                manager,
                log,
                **options,
            )


def _same(one, other):
    return jax.tree.all(jax.tree.map(lambda a, b: np.array_equal(a, b), one, other))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(folder, state) of 30 steps without an interruption."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, _train(folder, 30)


def test_training_learns(tmp_path):
    _train(tmp_path, 60)
    records = logs.read(tmp_path)
    assert [record["epoch"] for record in records] == [1, 2, 3, 4, 5, 6]
    assert records[-1]["test_accuracy"] >= 0.75
    assert "test_accuracy" not in records[0]
    assert records[-1]["loss"] < records[0]["loss"]
    assert records[-1]["diversity"] < 0


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_a_run_in_two_parts_ends_where_a_run_in_one_does(tmp_path, averaging):
    recipe = _recipe(averaging=averaging)
    whole = _train(tmp_path / "whole", 30, recipe)
    _train(tmp_path / "parts", 20, recipe)
    parts = _train(tmp_path / "parts", 30, recipe)
    assert _same(whole.params, parts.params)
    assert _same(whole.result, parts.result)
    assert _same(whole.opt_state, parts.opt_state)


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 1e9])
def test_an_interrupted_run_goes_on_to_the_same_end_and_the_same_log(
    tmp_path, whole, seconds
):
    def interrupted(step):
        for number, batch in enumerate(_batches_from(step)):
            if step + number == 17:
                raise KeyboardInterrupt
            yield batch

    with pytest.raises(KeyboardInterrupt):
        _train(tmp_path / "parts", 30, batches_from=interrupted, seconds=seconds)
    parts = _train(tmp_path / "parts", 30, seconds=seconds)
    _ends_like(whole, tmp_path / "parts", parts)


def _ends_like(whole, folder, state):
    """As `_same`, also of the logs, but for their clocks."""
    assert _same(whole[1], state)
    assert _records(whole[0]) == _records(folder)


def _records(folder):
    """Returns the log without its clock."""
    records = logs.read(folder)
    return [{k: r[k] for k in r if k not in ("time", "seconds")} for r in records]


@pytest.mark.parametrize("last", [0, 7, 10, 13, 30])
def test_a_run_asked_to_end_leaves_a_checkpoint_of_its_step_and_goes_on(
    tmp_path, whole, last
):
    with pytest.raises(stopping.Stopped, match=f"checkpoint of step {last} is written"):
        _train(tmp_path / "parts", 30, should_stop=lambda step: step == last)
    with checkpoints.open_manager(tmp_path / "parts" / "checkpoints") as manager:
        assert manager.latest_step() == last
    _ends_like(whole, tmp_path / "parts", _train(tmp_path / "parts", 30))


def test_a_run_asked_to_end_while_it_tests_leaves_the_record_to_the_next(
    tmp_path, whole
):
    asked = []

    def test_batches():
        yield _batch(10_000)
        asked.append("in the middle of the test")
        yield _batch(10_000)

    for _ in range(2):  # also the part that only makes up for the record
        with pytest.raises(stopping.Stopped, match="checkpoint of step 20 is written"):
            _train(
                tmp_path / "parts",
                30,
                test_batches=test_batches,
                should_stop=lambda step: bool(asked),
            )
    assert [record["step"] for record in logs.read(tmp_path / "parts")] == [10]
    _ends_like(whole, tmp_path / "parts", _train(tmp_path / "parts", 30))


def test_ctrl_c_in_the_middle_of_a_step_keeps_the_checkpoint_before(
    tmp_path, monkeypatch
):
    """The step has taken the state's buffers; there is nothing left to save."""
    compiled, calls = jax.jit, []

    def jit(function, **options):
        step = compiled(function, **options)
        if "donate_argnums" not in options:
            return step

        def interrupted(state, batch):
            calls.append(step(state, batch))
            if len(calls) == 12:
                raise KeyboardInterrupt
            return calls[-1]

        return interrupted

    monkeypatch.setattr(jax, "jit", jit)
    with pytest.raises(KeyboardInterrupt):
        _train(tmp_path, 30)
    with checkpoints.open_manager(tmp_path / "checkpoints") as manager:
        assert manager.latest_step() == 10


def _spoiled_at(step):
    """A recipe whose parameters are lost at that step, counted from 1."""

    def learning_rate(count):
        return jnp.where(count == step - 1, jnp.inf, 0.1)

    recipe = _recipe()
    optimiser = training.optimiser("sgd", learning_rate, 0.9, 5e-4)
    return dataclasses.replace(recipe, optimiser=optimiser)


def _with_positions(step):
    for number, batch in enumerate(_batches_from(step)):
        yield {**batch, "index": np.arange(8) + 8 * (step + number)}


@pytest.mark.parametrize("step", [13, 19, 20])
def test_numbers_that_are_lost_are_told_with_step_images_and_checkpoint(tmp_path, step):
    first = 8 * (step - 1)
    with pytest.raises(FloatingPointError) as error:
        _train(
            tmp_path,
            60,
            _spoiled_at(step),
            _with_positions,
            name_images=lambda index: [f"{i}.png" for i in index],
        )
    words = str(error.value)
    assert f"dense: step {step} is the first whose loss or parameters" in words
    assert f"images {first}, {first + 1}, " in words
    assert f"({first}.png, {first + 1}.png, " in words
    assert f"last good checkpoint is {tmp_path}/checkpoints/10." in words


def test_no_checkpoint_is_written_of_parameters_that_are_lost(tmp_path):
    with pytest.raises(FloatingPointError, match="step 13"):
        # Asked to end before the loop has looked at the numbers.
        _train(tmp_path, 60, _spoiled_at(13), should_stop=lambda step: step == 14)
    with checkpoints.open_manager(tmp_path / "checkpoints") as manager:
        assert manager.all_steps() == [10]


def test_numbers_that_are_lost_at_once_are_told_without_a_checkpoint(tmp_path):
    with pytest.raises(FloatingPointError, match=r"step 1 is .* no checkpoint yet"):
        _train(tmp_path, 60, _spoiled_at(1))


def test_with_debug_nans_the_operation_is_told(tmp_path):
    with (
        jax.debug_nans(True),
        pytest.raises(FloatingPointError, match=r"invalid value \(nan\)"),
    ):
        _train(tmp_path, 60, _spoiled_at(13))


def test_a_loss_far_above_guessing_stops_the_run_where_that_is_asked_for(tmp_path):
    recipe = _recipe(learning_rate=20.0)
    with pytest.raises(FloatingPointError, match=r"diverges.*config\.divergence"):
        _train(tmp_path, 60, recipe, largest_loss=2 * math.log(CLASSES))


def test_without_diversity_the_loss_is_cross_entropy_alone(tmp_path):
    _train(tmp_path, 10, _recipe(diversity=0.0))
    assert logs.read(tmp_path)[0]["diversity"] == 0.0


def _teacher_state(recipe):
    """A state with a teacher: another start of the same network."""
    example = np.zeros((1, SIDE, SIDE, 3), np.float32)
    own, teacher = (Tiny().init(jax.random.key(seed), example) for seed in (0, 5))
    return training.create({**own, "teacher": teacher}, recipe.optimiser, 0.5)


def test_a_network_that_only_learns_from_a_teacher_comes_to_its_answers():
    recipe = dataclasses.replace(
        _recipe(diversity=0.0, averaging=0.5), teacher=Tiny(), distillation=1.0
    )
    first = state = _teacher_state(recipe)
    take_step = jax.jit(partial(training.train_step, recipe, jax.random.key(1)))
    for step in range(300):
        state = take_step(state, _batch(step))
    images = normalise(_batch(7)["image"] / np.float32(255), recipe.mean, recipe.std)
    answers = [
        jax.nn.softmax(Tiny().apply(variables, images)[0])
        for variables in (first.variables, state.result, state.teacher)
    ]
    before, after = (np.abs(each - answers[2]).mean() for each in answers[:2])
    assert after < 0.3 * before
    assert _same(state.teacher, first.teacher)
    assert "teacher" not in state.result


def test_a_share_of_the_loss_is_the_teachers():
    def loss(share):
        recipe = dataclasses.replace(
            _recipe(diversity=0.0), teacher=Tiny(), distillation=share, temperature=3.0
        )
        state = _teacher_state(recipe)
        return training.train_step(recipe, jax.random.key(1), state, _batch(0))

    labels, mixed, told = (float(loss(share).totals.loss) for share in (0.0, 0.25, 1.0))
    assert mixed == pytest.approx(0.75 * labels + 0.25 * told, rel=1e-5)


def test_the_result_is_the_running_mean_of_the_weights_where_one_is_asked_for():
    recipe = _recipe(averaging=0.5)
    state = _state(recipe)
    expected = state.params["head"]["kernel"]
    take_step = jax.jit(partial(training.train_step, recipe, jax.random.key(1)))
    for step in range(12):
        state = take_step(state, _batch(step))
        decay = min(0.5, (2 + step) / (11 + step))
        expected = decay * expected + (1 - decay) * state.params["head"]["kernel"]
    found = state.result["params"]["head"]["kernel"]
    assert found == pytest.approx(np.asarray(expected), abs=1e-6)
    assert not np.allclose(found, state.params["head"]["kernel"], atol=1e-4)


def test_the_result_is_the_weights_themselves_without_averaging():
    state = _state(_recipe())
    assert _same(state.result, state.variables)
    assert not state.averaged


def test_padding_does_not_count_in_test_figures():
    recipe = _recipe()
    state = _state(recipe)
    whole = _batch(3)
    padded = {k: np.concatenate([v, v[:4]]) for k, v in whole.items()}
    padded["valid"][8:] = False

    def function(variables, batch):
        return training.test_step(
            recipe.network, recipe.mean, recipe.std, variables, batch
        )

    one = training.test_figures(function, state.variables, [whole])
    other = training.test_figures(function, state.variables, [padded])
    assert one == pytest.approx(other)


def test_variables_carry_batch_statistics_only_where_there_are_some():
    state = _state(_recipe())
    assert set(state.variables) == {"params"}
    assert set(state.replace(batch_stats={"x": 1}).variables) == {
        "params",
        "batch_stats",
    }
