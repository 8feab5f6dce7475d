import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.networks import (
    NetworkProblem,
    ReLUNetwork,
    build_dense,
    neuron_bound,
    weight_family,
)
from qpm_jax.networks.bounds.by_neurons import bound as bound_module
from qpm_jax.networks.bounds.by_neurons.ascent import climb, gains
from qpm_jax.networks.bounds.by_neurons.certificate import Certificate
from qpm_jax.networks.bounds.by_neurons.dual_program import (
    Multipliers,
    Neurons,
    best_multipliers,
    hinges,
)
from qpm_jax.networks.bounds.by_neurons.hull_rows import hull_rows, nearest_rows
from qpm_jax.networks.bounds.by_neurons.output_choices import output_choices
from qpm_jax.networks.bounds.by_neurons.pricing import largest_gain, relaxed_gain
from qpm_jax.networks.bounds.by_neurons.pricing_program import Pricing, make_columns
from qpm_jax.networks.programs.rows import stacked
from qpm_jax.networks.starts.dense_starts import repaired, ridge_start, zero_network


def some_neurons(seed, problem, number=200):
    random = np.random.default_rng(seed)
    limit, features = problem.weight_limit, problem.features.shape[1]
    choices = output_choices(problem)
    return Neurons(
        random.uniform(-limit, limit, (number, features))
        * random.choice([0.0, 0.1, 0.5, 1.0], (number, 1)),
        random.uniform(-limit, limit, number),
        random.integers(len(choices.prices), size=number),
    )


class TestTheBound:
    @pytest.mark.parametrize("encoding", ["one_hot", "binary"])
    @given(
        st.integers(0, 10**6), st.sampled_from([(0.02, 0.0), (0.0, 0.05), (0.01, 0.02)])
    )
    @settings(max_examples=8, deadline=None)
    def test_no_network_is_below_it(self, blobs, encoding, seed, prices):
        l1, l2 = prices
        problem = blobs(seed, label_encoding=encoding, l1=l1, l2=l2)
        start = ridge_start(problem)
        bound = neuron_bound(problem, problem.objective(start), 2.0)
        random = np.random.default_rng(seed)
        for scale in (0.3, 1.0, 3.0):
            drawn = ReLUNetwork(
                tuple(scale * random.normal(size=w.shape) for w in start.weights),
                tuple(random.normal(size=b.shape) for b in start.biases),
            )
            assert bound <= problem.objective(repaired(problem, drawn)) + 1e-7
        assert 0 <= bound <= problem.objective(start)

    @pytest.mark.parametrize("encoding", ["one_hot", "binary"])
    @pytest.mark.parametrize("seed", range(3))
    def test_it_is_near_the_optimum_where_that_is_known(self, blobs, encoding, seed):
        problem = blobs(seed, 8, 2, hidden=(1,), label_encoding=encoding, l1=0.05)
        optimum = solvers.solve(build_dense(problem).program, threads=1)
        assert optimum.status == "optimal"
        bound = neuron_bound(problem, optimum.objective, 20.0)
        assert bound <= optimum.objective + 1e-6
        assert bound > 0.9 * optimum.objective

    def test_it_holds_for_wider_networks_too(self, blobs):
        narrow = blobs(1, 8, 2, hidden=(1,), l1=0.05)
        wide = dataclasses.replace(narrow, hidden=(3,))
        optimum = solvers.solve(build_dense(wide).program, threads=1)
        assert optimum.status == "optimal"
        assert neuron_bound(narrow, 1.0, 10.0) <= optimum.objective + 1e-6

    def test_where_neurons_cost_too_much_no_network_is_the_best(self, blobs):
        problem = blobs(0, 12, 2, l1=10.0)
        constant = problem.objective(zero_network(problem))
        assert neuron_bound(problem, constant, 10.0) == pytest.approx(constant)

    def test_totals_beyond_the_last_are_not_forgotten(self, blobs, monkeypatch):
        problem = blobs(1, 8, 2, hidden=(1,), l1=0.05)
        assert neuron_bound(problem, 1.0, 10.0) > 0.1
        monkeypatch.setattr(bound_module, "_MOST_TOTALS", 2)
        assert neuron_bound(problem, 1.0, 10.0) == pytest.approx(2 * 0.05)

    def test_every_bound_is_told_and_they_rise(self, blobs):
        problem, told = blobs(0, l1=0.02), []
        last = neuron_bound(problem, 0.9, 5.0, hear=told.append)
        assert told == sorted(told)
        assert last == told[-1]

    def test_without_a_limit_of_time_it_ends_at_the_gap(self, blobs):
        problem = blobs(1, 9, l1=0.03)
        bound = neuron_bound(problem, 0.9, math.inf)
        assert bound == pytest.approx(neuron_bound(problem, 0.9, 60.0))

    def test_a_layer_costs_its_price(self, blobs):
        problem = blobs(0, l1=0.05)
        priced = dataclasses.replace(problem, layer_price=0.5)
        plain = neuron_bound(problem, 0.9, 10.0, gap=0.0)
        assert neuron_bound(priced, 1.4, 10.0, gap=0.0) == pytest.approx(
            plain + 0.5, abs=0.01
        )

    @pytest.mark.parametrize(
        "changes",
        [
            {"hidden": (2, 2)},
            {"l1": 0.0},
            {"family": "bilinear"},
            {"count": 20, "classes": 10, "family": "grid"},
        ],
        ids=["two layers", "free neurons", "any output weight", "too many choices"],
    )
    def test_it_is_nothing_where_it_does_not_apply(self, blobs, changes):
        assert neuron_bound(blobs(0, **changes), 1.0, 1.0) == 0

    @pytest.mark.parametrize(
        ("objective", "limits", "words"),
        [
            (np.inf, {}, "objective is inf; give that of a network"),
            (np.nan, {}, "objective is nan"),
            (1.0, {"time_limit": -1.0}, r"time_limit is -1\.0; it must be 0 seconds"),
            (1.0, {"gap": -0.1}, r"gap is -0\.1; it must be a fraction"),
        ],
    )
    def test_what_is_out_of_range_is_refused_by_name(
        self, blobs, objective, limits, words
    ):
        with pytest.raises(ValueError, match=words):
            neuron_bound(blobs(0), objective, **limits)

    def test_without_time_it_is_nothing(self, blobs):
        assert neuron_bound(blobs(0), 1.0, 0.0) == 0


class TestOutputChoices:
    @pytest.mark.parametrize("family", ["ternary", "grid"])
    @pytest.mark.parametrize("encoding", ["one_hot", "binary"])
    def test_every_vector_has_a_choice_of_its_effect_that_is_no_dearer(
        self, blobs, family, encoding
    ):
        problem = blobs(0, family=family, label_encoding=encoding, l1=0.01, l2=0.02)
        choices = output_choices(problem)
        limit, step = problem.family.limit, problem.family.step
        values = np.arange(-limit, limit + step / 2, step)
        for vector in itertools.product(values, repeat=problem.widths[-1]):
            v = np.array(vector)
            change = choices.weights - v
            same = (
                np.ptp(change, axis=1)
                if encoding == "one_hot"
                else np.abs(change).max(1)
            )
            price = 0.01 * np.abs(v).sum() + 0.02 * (v**2).sum()
            effect = np.ptp(v) if encoding == "one_hot" else np.abs(v).max()
            if effect < 1e-9:
                continue
            assert choices.prices[same < 1e-9].min() <= price + 1e-12

    def test_prices_count_the_neuron(self, blobs):
        plain = output_choices(blobs(0, l1=0.01))
        priced = output_choices(blobs(0, l1=0.01, neuron_price=0.1))
        np.testing.assert_allclose(priced.prices, plain.prices + 0.1)
        np.testing.assert_allclose(priced.sizes, np.abs(priced.weights).sum(axis=1))


class TestMultipliers:
    @pytest.mark.parametrize("encoding", ["one_hot", "binary"])
    @given(st.integers(0, 10**6))
    @settings(max_examples=10, deadline=None)
    def test_they_bound_networks_of_the_neurons_at_hand(self, blobs, encoding, seed):
        problem = blobs(seed, label_encoding=encoding, l1=0.02, l2=0.01)
        choices, neurons = output_choices(problem), some_neurons(seed, problem, 30)
        found = best_multipliers(
            problem, choices, hinges(problem), neurons, np.inf, 10.0
        )
        assert found.size_price == 0
        assert gains(problem, choices, found, neurons).max() <= 1e-6
        random = np.random.default_rng(seed)
        for _ in range(10):
            some = random.integers(len(neurons.choice), size=2)
            network = ReLUNetwork(
                (neurons.weights[some], choices.weights[neurons.choice[some]].T),
                (neurons.biases[some], random.uniform(-3, 3, problem.widths[-1])),
            )
            assert found.constant <= problem.objective(network) + 1e-6

    def test_one_hinge_a_rival_or_a_bit(self, blobs):
        assert len(hinges(blobs(0, 12, 3)).instance) == 24
        bits = hinges(blobs(0, 12, 3, label_encoding="binary"))
        assert len(bits.instance) == 24 == bits.loss.max() + 1


class TestPricing:
    @given(st.integers(0, 10**6), st.sampled_from([0.0, 0.05]))
    @settings(max_examples=15, deadline=None)
    def test_no_neuron_gains_more(self, blobs, seed, l2):
        problem = blobs(seed, 10, 2, l1=0.02, l2=l2)
        choices, neurons = output_choices(problem), some_neurons(seed, problem)
        random = np.random.default_rng(seed)
        slopes = random.normal(size=(10, 2)) / 10
        multipliers = Multipliers(slopes, 0.0, 0.0)
        which = int(random.integers(len(choices.prices)))
        same = dataclasses.replace(neurons, choice=np.full(200, which))
        reached = climb(problem, choices, multipliers, same, random)
        every = same + reached[np.array([which])]
        own = gains(problem, choices, multipliers, every) + choices.prices[which]
        asked = Pricing(
            problem, slopes @ choices.weights[which], reached.weights[which]
        )
        relaxed = relaxed_gain(asked, 1e-4, 5, 20.0)
        gain = largest_gain(asked, 1e-4, 20.0, relaxed.cuts)
        assert own.max() <= gain.most + 1e-6
        assert gain.most <= relaxed.most + 1e-6
        if gain.weights is not None:
            found = gain.neuron(which)
            exact = gains(problem, choices, multipliers, found)[0]
            exact += choices.prices[which]
            # tangents stand for squares, and the solver stops at one percent
            assert exact >= 0.9 * gain.most - 0.01

    @given(st.integers(0, 10**6))
    @settings(max_examples=15, deadline=None)
    def test_cuts_hold_for_every_neuron(self, blobs, seed):
        problem = blobs(seed, 14, 2, l1=0.0, l2=0.01)
        random = np.random.default_rng(seed)
        asked = Pricing(problem, random.normal(size=14), np.zeros(2))
        columns = make_columns(asked)
        guess = np.abs(random.normal(size=columns.number))
        guess[columns.gaining] += 10
        rows = [*nearest_rows(asked, columns), hull_rows(asked, columns, guess, 9.0)]
        matrix, _, upper = stacked(rows, columns.number)
        for neuron in some_neurons(seed, problem, 20).weights:
            bias = random.normal()
            values = np.zeros(columns.number)
            values[columns.plus] = np.maximum(neuron, 0)
            values[columns.minus] = np.maximum(-neuron, 0)
            reach = np.maximum(problem.features @ neuron + bias, 0)
            values[columns.gaining] = reach[asked.slopes > 0]
            values[columns.losing] = reach[asked.slopes < 0]
            assert (matrix @ values <= upper + 1e-9).all()

    def test_cuts_make_the_relaxation_tighter(self, blobs):
        problem = blobs(3, 40, 2, l1=0.01, l2=0.02)
        slopes = np.where(problem.labels == 0, 1.0, -1.0) / 40
        asked = Pricing(problem, slopes, np.zeros(2))
        bounds = [relaxed_gain(asked, 0.0, rounds, 20.0).most for rounds in (0, 2, 9)]
        assert bounds[0] > bounds[1] >= bounds[2]
        assert bounds[2] >= largest_gain(asked, 0.0, 20.0).most - 1e-6

    def test_nothing_is_gained_where_every_instance_loses(self, blobs):
        asked = Pricing(blobs(0, 10, 2), -np.ones(10), np.zeros(2))
        assert relaxed_gain(asked, 0.5, 3, 1.0).most == 0.5
        assert largest_gain(asked, 0.5, 1.0).most == 0.5

    def test_without_time_nothing_is_known(self, blobs):
        asked = Pricing(blobs(0, 10, 2), np.array([1.0, -1.0] * 5), np.zeros(2))
        assert relaxed_gain(asked, 0.5, 3, 0.0).most == np.inf
        assert largest_gain(asked, 0.5, 0.0).most == np.inf


class TestCertificate:
    def test_a_gain_of_half_a_price_takes_a_third(self, blobs):
        choices = output_choices(blobs(0))
        ratios = np.zeros(len(choices.prices))
        ratios[0] = 0.5
        certificate = Certificate(Multipliers(np.zeros((12, 3)), 0.1, 0.3), ratios)
        np.testing.assert_allclose(
            certificate.bounds(choices, np.array([0.0, 3.0])), [0.3, 0.4]
        )

    def test_only_neurons_that_a_total_can_hold_count(self, blobs):
        choices = output_choices(blobs(0))
        ratios = np.where(choices.sizes <= 1, 0.0, np.inf)
        certificate = Certificate(Multipliers(np.zeros((12, 3)), 0, 0.3), ratios)
        np.testing.assert_allclose(
            certificate.bounds(choices, np.array([0.0, 1.0, 2.0])), [0.3, 0.3, 0.0]
        )

    @given(st.integers(0, 10**6))
    @settings(max_examples=10, deadline=None)
    def test_scaled_multipliers_cover_every_neuron(self, blobs, seed):
        problem = blobs(seed, l1=0.02, l2=0.01)
        choices, neurons = output_choices(problem), some_neurons(seed, problem)
        random = np.random.default_rng(seed)
        multipliers = Multipliers(random.normal(size=(12, 3)) / 12, 0.005, 0.0)
        gained = gains(problem, choices, multipliers, neurons)
        ratio = max(0.0, (gained / choices.prices[neurons.choice]).max())
        scale = 1 / (1 + ratio)
        scaled = Multipliers(scale * multipliers.slopes, scale * 0.005, 0.0)
        assert gains(problem, choices, scaled, neurons).max() <= 1e-9


def test_a_grid_as_fine_as_the_tolerance_has_no_bound_by_neurons():
    labels = np.arange(12) % 2
    features = np.where(labels, 1.0, -1.0)[:, None]
    problem = NetworkProblem(
        features,
        labels,
        2,
        (1,),
        weight_family("grid", step=4e-10, bits=3),
        "binary",
        l1=0.0,
        neuron_price=0.01,
        weight_limit=1e9,
    )
    network = ReLUNetwork(
        (np.array([[1e9]]), np.array([[problem.family.limit]])),
        (np.array([1e9]), np.array([-1.2])),
    )
    assert neuron_bound(problem, 1.0, 5.0) <= problem.objective(network)
