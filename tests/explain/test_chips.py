"""Chips name a feature on its colour."""

from qpm_jax.explain.chips import feature_chips


def test_a_chip_says_the_name_and_leads_to_the_card(contents):
    text = feature_chips(contents(), (1, 2))
    assert 'href="#feature-1"' in text
    assert ">striped wing</a>" in text
    assert ">15</a>" in text
    assert 'title="feature 15"' in text


def test_no_features_are_a_dash(contents):
    assert feature_chips(contents(), ()) == "–"
