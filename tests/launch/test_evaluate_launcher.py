"""What `launch.evaluate` reads: how alike the classes are, from a file."""

import numpy as np
import pytest

from launch.evaluate import read_similarity


def test_a_similarity_is_read_from_npy_and_csv(tmp_path):
    similarity = np.array([[0.0, 0.25], [0.25, 0.0]])
    np.save(tmp_path / "classes.npy", similarity)
    np.savetxt(tmp_path / "classes.csv", similarity, delimiter=",")
    for name in ("classes.npy", "classes.csv"):
        np.testing.assert_array_equal(read_similarity(str(tmp_path / name)), similarity)


def test_a_file_that_holds_no_numbers_is_named(tmp_path):
    (tmp_path / "classes.csv").write_text("one,two\n")
    for name in ("classes.csv", "missing.npy"):
        with pytest.raises(ValueError, match=f"class_similarity .*{name} cannot"):
            read_similarity(str(tmp_path / name))
