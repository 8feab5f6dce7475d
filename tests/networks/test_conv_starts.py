"""How convolutional networks to start from are made, judged and kept."""

import dataclasses
import functools

import numpy as np
import pytest

from qpm_jax.networks import ConvProblem, weight_family
from qpm_jax.networks.conv_network import pooled
from qpm_jax.networks.conv_solve import solve_conv
from qpm_jax.networks.starts import conv_training
from qpm_jax.networks.starts.conv_starts import (
    conv_pruned,
    conv_repaired,
    conv_starts,
    conv_zero,
    left_out_accuracy,
)


def specks(images=20, share=0.5, seed=0, **settings):
    """Noise, a little brighter in the second class."""
    random = np.random.default_rng(seed)
    labels = (np.arange(images) >= share * images).astype(int)
    pixels = random.uniform(0, 1, (images, 4, 4)) + 0.2 * labels[:, None, None]
    return ConvProblem(pixels, labels, 2, **settings)


@pytest.mark.parametrize("finished", [0, 1, 2])
def test_an_interrupt_while_starts_are_trained_keeps_those_that_are_done(
    finished, monkeypatch
):
    problem, train, done = specks(l1=1e-4), conv_training.train_conv, []

    def pressed(*args, **_):
        if len(done) == finished:
            raise KeyboardInterrupt
        done.append(conv_repaired(problem, train(*args, steps=60)))
        return done[-1]

    monkeypatch.setattr(conv_training, "train_conv", pressed)
    found = solve_conv(problem, time_limit=600, threads=1, restarts=3)
    assert found.status == "interrupted"
    known = [conv_zero(problem), *done]
    assert found.objective == min(map(problem.objective, known))
    assert found.objective == problem.objective(found.network)


def refitted_accuracy(problem, network):
    """Every image predicted by a regression on all others, fitted anew."""
    inputs = pooled(network, problem.images).reshape(len(problem.labels), -1)
    around = inputs - inputs.mean(axis=0)
    ridge = 0.3 * (around**2).sum() / inputs.shape[1] * np.eye(inputs.shape[1])
    wanted = 2.0 * np.eye(problem.num_classes)[problem.labels]
    right = 0
    for image, label in enumerate(problem.labels):
        others = np.arange(len(inputs)) != image
        centre, mean = inputs[others].mean(axis=0), wanted[others].mean(axis=0)
        seen, told = inputs[others] - centre, wanted[others] - mean
        slopes = np.linalg.solve(seen.T @ seen + ridge, seen.T @ told)
        right += ((inputs[image] - centre) @ slopes + mean).argmax() == label
    return right / len(inputs)


@pytest.mark.parametrize("share", [0.5, 0.85])
def test_left_out_accuracy_is_that_of_regressions_without_the_image(share, random_conv):
    problem = specks(40, share)
    network = random_conv(0, problem)
    told = left_out_accuracy(problem, network)
    assert told == pytest.approx(refitted_accuracy(problem, network))


def test_a_lottery_ticket_starts_from_the_random_weights_of_the_pruned_network(
    monkeypatch,
):
    # training that moves nothing: what it returns are the random weights themselves
    still = functools.partial(conv_training.train_conv, learning_rate=0.0)
    monkeypatch.setattr(conv_training, "train_conv", still)
    problem = specks(channels=3, family=weight_family("bilinear"))
    starts = conv_starts(problem, seed=5, restarts=3)
    assert {each.seed for each in starts} == {5, 1005, 2005}
    for start in starts:
        random = start.trained.readout
        least = np.sort(np.abs(random), axis=None)[-6]
        kept = np.where(np.abs(random) >= least, random, 0.0)
        wanted = conv_repaired(
            problem, dataclasses.replace(start.trained, readout=kept)
        )
        ticket = conv_pruned(problem, start, 6, seed=9, rewind=True)
        assert np.array_equal(ticket.readout, wanted.readout)
        assert np.array_equal(ticket.filters, wanted.filters)


def test_pruning_goes_on_from_the_trained_weights_or_rewinds_them():
    problem = specks(40, family=weight_family("bilinear"))
    (start,) = conv_starts(problem, restarts=1)
    goes_on, ticket = (
        conv_pruned(problem, start, 4, rewind=rewind) for rewind in (False, True)
    )
    for network in (goes_on, ticket):
        assert 0 < (network.readout != 0).sum() <= 4
    assert not np.array_equal(goes_on.filters, ticket.filters)
