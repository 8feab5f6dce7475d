"""Flags of every launcher that concern numbers."""

import os

import jax
import pytest
from absl import flags
from absl.testing import flagsaver

from launch import app


@pytest.fixture
def given(monkeypatch):
    """Returns a function: flags by name -> what the launchers do with them."""
    flags.FLAGS.mark_as_parsed()
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    updates = []
    monkeypatch.setattr(jax.config, "update", lambda *update: updates.append(update))

    def set_up(**values):
        with flagsaver.flagsaver(**values):
            app._set_up_numbers()
        return updates

    return set_up


def test_by_default_numbers_are_left_as_they_are(given):
    assert given() == []
    assert os.environ["XLA_FLAGS"] == "--xla_cpu_enable_fast_math=false"


def test_deterministic_adds_to_the_flags_of_the_compiler(given):
    given(deterministic=True)
    assert os.environ["XLA_FLAGS"] == (
        "--xla_cpu_enable_fast_math=false --xla_gpu_deterministic_ops=true"
    )


def test_debug_nans_lets_jax_look_at_every_operation(given):
    assert given(debug_nans=True) == [("jax_debug_nans", True)]
