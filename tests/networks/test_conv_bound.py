"""What counting and bounding a convolutional program need of memory."""

import dataclasses
import tracemalloc

import numpy as np
import pytest

from qpm_jax import solvers
from qpm_jax.networks import ConvProblem, build_conv, conv_program_size
from qpm_jax.networks.bounds import conv_bound
from qpm_jax.networks.programs import pair_rows
from qpm_jax.networks.starts.conv_starts import conv_zero


def peak(call):
    """The most bytes that are held at once, and the answer."""
    tracemalloc.start()
    try:
        answer = call()
        return tracemalloc.get_traced_memory()[1], answer
    finally:
        tracemalloc.stop()


def noise(images, side, **settings):
    pixels = np.random.default_rng(0).uniform(0, 1, (images, side, side))
    return ConvProblem(pixels, np.arange(images) % 2, 2, **settings)


def test_a_program_is_counted_without_making_it():
    problem = noise(200, 28)
    most, size = peak(lambda: conv_program_size(problem))
    assert size["variables"] > 10**6
    assert most < 10**6


def test_the_memory_of_the_bound_does_not_grow_as_all_pairs():
    problem = noise(6000, 2, l1=0.05)
    most, bound = peak(lambda: conv_bound.pair_bound(problem, 20.0))
    assert most < 6000**2 * 8
    assert 0 < bound <= problem.objective(conv_zero(problem))


def test_images_of_one_class_alone_bound_nothing(monkeypatch):
    monkeypatch.setattr(pair_rows, "MOST_IMAGES", 1)
    assert conv_bound.pair_bound(noise(6, 2, l1=0.05), 5.0) == 0


@pytest.mark.parametrize("encoding", ["one_hot", "binary"])
def test_the_relaxation_of_the_whole_program_is_no_less_than_the_bound(encoding):
    problem = noise(8, 4, l1=0.05, label_encoding=encoding)
    whole = build_conv(problem).program
    relaxed = dataclasses.replace(whole, integer=np.zeros_like(whole.integer))
    bound = conv_bound.pair_bound(problem, 600.0)
    assert 0 < bound <= solvers.solve(relaxed, threads=1).objective + 1e-9
