import csv
import io
import math

import pytest

from qpm_jax.assignment.trace import TracePoint, as_csv, picture, record


def test_only_points_that_say_something_new_are_kept():
    trace = []
    for point in ((0, 1, math.inf), (1, 1, 5), (2, 1, 5), (3, 2, 5)):
        record(trace, TracePoint(*point))
    assert [point.seconds for point in trace] == [0, 1, 3]


def test_the_table_leaves_empty_what_is_not_known():
    trace = [TracePoint(0.5, 10.0, math.inf), TracePoint(1.0, 10.0, 11.0)]
    rows = list(csv.DictReader(io.StringIO(as_csv(trace))))
    assert rows[0] == {"seconds": "0.5", "objective": "10", "bound": "", "gap": ""}
    assert float(rows[1]["gap"]) == pytest.approx(0.1)


@pytest.mark.parametrize("bound", [math.inf, 12.0])
def test_the_picture_is_a_png_with_and_without_a_bound(bound):
    from PIL import Image

    trace = [TracePoint(0.0, -math.inf, math.inf), TracePoint(1.0, 10.0, bound)]
    image = Image.open(io.BytesIO(picture(trace, "title")))
    assert image.format == "PNG"
    assert image.width > 800


def test_an_empty_trace_has_no_picture():
    with pytest.raises(ValueError, match="trace is empty"):
        picture([], "title")
