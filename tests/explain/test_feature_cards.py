"""Feature cards: whom a feature describes, what it goes with, and its name."""

from qpm_jax.explain.feature_cards import features_section


def test_a_card_shows_name_classes_and_what_was_measured(contents):
    text = features_section(contents())
    card = text[text.index('id="feature-1"') : text.index('id="feature-2"')]
    assert "Feature 14" in card
    assert 'value="striped wing"' in card
    assert '<a href="#class-0">wren</a>' in card
    assert "wing: red" in card
    assert "61.0\u00a0% over all classes" in card
    assert "100\u00a0% of its classes" in card


def test_a_feature_without_photos_or_classes_still_has_its_card(contents):
    assignment = contents().assignment.copy()
    assignment[:, 1] = False
    text = features_section(contents(assignment=assignment, details={}))
    card = text[text.index('id="feature-1"') : text.index('id="feature-2"')]
    assert "no class" in card
    assert "view" not in card


def test_without_examples_the_lead_promises_no_images(contents):
    assert "images" not in features_section(contents(examples=None, details={}))
