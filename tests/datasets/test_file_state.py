"""Whether files are still what they were."""

import os

from qpm_jax.datasets.file_state import state_of


def test_size_time_path_and_facts_count(tmp_path):
    path = tmp_path / "a"
    path.write_text("one")
    os.utime(path, ns=(0, 10))
    states = [state_of([path]), state_of([path], "fact"), state_of([tmp_path / "b"])]
    assert state_of([path]) == states[0]
    os.utime(path, ns=(0, 20))
    states.append(state_of([path]))
    path.write_text("other")
    os.utime(path, ns=(0, 20))
    states.append(state_of([path]))
    assert len(set(states)) == 5


def test_an_absent_file_that_comes_changes_the_state(tmp_path):
    before = state_of([tmp_path / "a"])
    (tmp_path / "a").write_text("")
    assert state_of([tmp_path / "a"]) != before
