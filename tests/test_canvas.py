"""Blank pictures: no window, no state that others would share."""

import io

import pytest
from PIL import Image

from qpm_jax.canvas import blank, percent_axis, plain, png


def test_a_picture_has_the_shape_asked_for() -> None:
    figure = blank(2.0, 1.0)
    plain(figure.add_subplot())
    width, height = Image.open(io.BytesIO(png(figure))).size
    assert width == 2 * height


def test_plain_axes_have_no_box_at_the_top_and_the_right() -> None:
    axes = blank(2.0, 1.0).add_subplot()
    plain(axes)
    assert not axes.spines["top"].get_visible()
    assert axes.spines["left"].get_visible()


@pytest.mark.parametrize(
    ("share", "label"),
    [(0.425, "42.5%"), (0.1, "10%"), (0.1 + 0.2, "30%"), (0.9975, "99.75%"), (0, "0%")],
)
def test_a_tick_is_not_rounded_to_whole_percent(share: float, label: str) -> None:
    axes = blank(2.0, 1.0).add_subplot()
    percent_axis(axes)
    assert axes.yaxis.get_major_formatter()(share, 0) == label
