"""The table of metrics, and what is behind it."""

from qpm_jax.explain import MetricRow
from qpm_jax.explain.metric_page import details_section, results_section


def test_published_values_get_a_column_and_a_source_where_there_are_some(contents):
    assert "Published" not in results_section(contents())
    row = MetricRow("Accuracy", 0.9, 0.89, published="85.1 ± 0.3")
    text = results_section(contents(metrics=(row,), published_setting="of the paper"))
    assert "<td>85.1 ± 0.3</td>" in text
    assert "Of the paper." in text


def test_without_metrics_or_details_there_is_no_section(contents):
    assert results_section(contents(metrics=())) == ""
    assert details_section(contents(details={})) == ""


def test_the_curves_of_both_models_and_of_chance_are_drawn(contents):
    text = details_section(contents())
    assert text.count("<polyline") == 3 + 2
    assert "on 20 test images" in text


def test_a_confusion_names_the_features_that_led_there_and_those_against(contents):
    text = details_section(contents())
    assert 'data-pair="0,1"' in text
    led, against = text.index("+0.90"), text.index("−0.40")
    assert led < against
    assert "striped wing" in text


def test_features_are_listed_with_what_they_stand_for(contents):
    text = details_section(contents())
    assert "wing: red" in text
    assert "250.0\u00a0%" in text
    assert "61.0\u00a0%" in text


def test_what_is_not_known_is_left_out(contents):
    unknown = {"monosemanticity": None, "local_monosemanticity": None}
    details = {"qpm": {"features": {"3": unknown}, "plausibility": None}}
    assert details_section(contents(details=details)) == ""


def test_a_confusion_of_classes_the_page_does_not_know_has_no_link(contents):
    entry = {"class": "old", "taken_for": "lark", "images": 1, "share": 0.1}
    details = {"qpm": {"confusions": [{**entry, "lead": -0.1, "features": {}}]}}
    text = details_section(contents(details=details))
    assert "data-pair" not in text
    assert "−0.10" in text
