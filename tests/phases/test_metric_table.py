"""The table of metrics: every label, published values where known, old runs."""

from qpm_jax.phases import metric_table


def columns(**values):
    return metric_table.filled({"dense": values, "qpm": values, "published": {}})


def test_a_run_of_before_a_metric_was_added_has_no_value_of_it():
    old = {"dense": {"accuracy": 0.5}, "qpm": {"accuracy": 0.4}}
    result = metric_table.filled(old)
    assert set(result) == {"dense", "qpm", "published"}
    assert result["qpm"]["accuracy"] == 0.4
    assert set(result["qpm"]) == set(metric_table.METRICS)
    assert result["qpm"]["deletion"] is None
    assert "Deletion" in metric_table.table(old)


def test_the_table_names_every_metric_and_which_way_is_better():
    lines = metric_table.table(columns(accuracy=0.5)).splitlines()
    for line, metric in zip(lines[1:], metric_table.METRICS.values(), strict=False):
        assert line.startswith(f"{metric.label} ({metric.better} is better)")
    assert "published" not in lines[0]
    assert lines[-1].split()[-1] == "100.0%"


def test_published_values_are_a_column_where_they_are_known():
    values = columns(accuracy=0.8, sid_at_5=0.7)
    values["published"] = {"accuracy": 0.851}
    lines = metric_table.table(values, "of the paper").splitlines()
    assert lines[0].split() == ["dense", "QPM", "published"]
    assert lines[1].split()[-3:] == ["80.0%", "80.0%", "85.1%"]
    assert lines[-1] == "of the paper"


def test_fractions_are_percent_and_counts_numbers():
    assert metric_table.format_metric("features", 50.0) == "50"
    assert metric_table.format_metric("accuracy", 0.1234) == "12.3%"
    assert metric_table.format_metric("plausibility", None) == "–"
