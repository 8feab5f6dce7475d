"""Blank pictures: no window, no state that others would share."""

import io

from PIL import Image

from qpm_jax.canvas import blank, plain, png


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
