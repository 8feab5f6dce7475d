"""How figures and facts are written."""

import jax.numpy as jnp
import numpy as np
import pytest

from qpm_jax.explain import markup


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.851, "85.1\u00a0%"),
        (None, "–"),
        (float("nan"), "–"),
        ("85 ± 1 <", "85 ± 1 &lt;"),
    ],
)
def test_fractions_are_written_as_percentages(value, text):
    assert markup.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (50, "50"),
        (np.float32(2048), "2,048"),
        (jnp.asarray(0.5), "0.500"),
        (41.234567, "41.23"),
        (12345.678, "12,346"),
        (1.5e-7, "1.5e-07"),
        (-0.25, "-0.250"),
        (None, "–"),
        (float("inf"), "–"),
        ([1], "–"),
        ("native & fast", "native &amp; fast"),
    ],
)
def test_numbers_get_as_many_digits_as_they_deserve(value, text):
    assert markup.number(value) == text


def test_gaps_keep_three_digits():
    assert markup.gap(0.00011) == "0.011\u00a0%"
    assert markup.gap(None) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.416, "0.42 s"),
        (12.34, "12.3 s"),
        (250, "4 min 10 s"),
        (3725, "1 h 2 min"),
        (None, "–"),
    ],
)
def test_durations_are_written_in_the_units_a_person_uses(value, text):
    assert markup.seconds(value) == text


def test_nested_facts_become_headed_groups():
    text = markup.nested_facts(
        {"seed": 0, "rate": 0.1, "none": None, "sizes": (4, 5), "of <b>": {"a": "<"}}
    )
    assert "<dt>sizes</dt><dd>4, 5</dd>" in text
    assert "<h3>of &lt;b&gt;</h3><dl><div><dt>a</dt><dd>&lt;</dd>" in text
    assert markup.nested_facts({}) == ""


def test_plurals():
    assert markup.plural(1, "class", "classes") == "1 class"
    assert markup.plural(1200, "feature") == "1,200 features"
