"""Programs made whole: what is multiplied, what moves, what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.solvers.whole_coefficients import (
    NoWholeNumberError,
    whole_coefficients,
)


def test_sides_between_whole_numbers_move_inwards_and_the_factor_is_least(bits_program):
    whole, factor = whole_coefficients(
        bits_program([0.5, 0.75], [[1, 1]], [0.5], [1.5])
    )
    assert factor == 4
    assert whole.objective.tolist() == [2, 3]
    assert (whole.row_lower[0], whole.row_upper[0]) == (1, 1)


def test_rows_of_fractions_are_multiplied_with_their_sides_and_others_left(
    bits_program,
):
    rows = [[0.1, 0.25], [2, 4], [1 / 3, 0]]
    some = bits_program([1, 1], rows, [0.35, -np.inf, -1], [np.inf, 3.5, 2 / 3])
    whole, factor = whole_coefficients(some)
    assert factor == 1
    assert whole.rows.toarray().tolist() == [[2, 5], [2, 4], [1, 0]]
    assert whole.row_lower.tolist() == [7, -np.inf, -3]
    assert whole.row_upper.tolist() == [np.inf, 3, 2]
    assert some.rows.toarray().tolist() == rows


@given(
    st.tuples(st.integers(-999, 999), st.integers(-(10**6), 10**6)),
    st.tuples(st.integers(-99, 99), st.integers(-(10**6), 10**6)),
    st.integers(0, 6),
)
def test_a_point_on_both_sides_of_a_row_stays_there(
    bits_program, numbers, point, digits
):
    numbers, point, scale = np.array(numbers), np.array(point), 10.0**digits
    side = [numbers @ point / scale]
    whole, _ = whole_coefficients(bits_program([0, 0], numbers / scale, side, side))
    assert whole.rows @ point == whole.row_lower == whole.row_upper


def test_only_linear_programs_of_whole_variables_are_made_whole(bits_program):
    some = bits_program([1, 1], [[1, 1]], [0], [1])
    squares = solvers.MixedIntegerProgram(**{**vars(some), "quadratic": np.eye(2)})
    with pytest.raises(ValueError, match="more than linear rows"):
        whole_coefficients(squares)
    mixed = solvers.MixedIntegerProgram(**{**vars(some), "integer": [True, False]})
    with pytest.raises(ValueError, match="variable 1 of the program is continuous"):
        whole_coefficients(mixed)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rows": [[np.pi, 1]]}, "row 0 holds 3.14.*no factor up to 1000000"),
        ({"rows": [[2.0**60, 1]]}, "rows holds 1.15.*2\\*\\*53 at most"),
        ({"rows": [[2.0**45, 0.001]]}, "rows holds 3.5"),
        ({"objective": [np.pi, 1]}, "objective holds 3.14.*fewer digits"),
        ({"objective": [2.0**60, 1]}, "must be whole, and 2"),
    ],
)
def test_numbers_that_cannot_be_made_whole_are_named(changes, words, bits_program):
    fields = vars(bits_program([1, 1], [[1, 1]], [0], [1])) | changes
    with pytest.raises(ValueError, match=words):
        whole_coefficients(solvers.MixedIntegerProgram(**fields))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"row_lower": [0.2], "row_upper": [0.8]}, "the sides of row 0"),
        ({"lower": [0, 0.2], "upper": [1, 0.8]}, "the sides of variable 1"),
    ],
)
def test_sides_without_a_whole_number_between_them_are_named(
    changes, words, bits_program
):
    fields = vars(bits_program([1, 1], [[1, 1]], [0], [1])) | changes
    with pytest.raises(NoWholeNumberError, match=words):
        whole_coefficients(solvers.MixedIntegerProgram(**fields))
