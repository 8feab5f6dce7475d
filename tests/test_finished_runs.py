import pytest

from qpm_jax.finished_runs import append_run, read_runs


def name_of(values):
    return values["name"]


def test_runs_are_read_back_in_the_order_in_which_they_were_done(tmp_path):
    folder = tmp_path / "new"
    assert read_runs(folder, name_of) == []
    append_run(folder, '{"name": "a"}')
    append_run(folder, '{"name": "b"}')
    assert read_runs(folder, name_of) == ["a", "b"]


def test_a_file_cut_off_at_its_end_by_hand_is_gone_on_with(tmp_path):
    (tmp_path / "runs.jsonl").write_text('{"name": "a"}')
    append_run(tmp_path, '{"name": "b"}')
    assert read_runs(tmp_path, name_of) == ["a", "b"]


@pytest.mark.parametrize("line", ['{"name"', "{}", "[]", ""])
def test_a_line_that_is_none_is_refused_with_what_to_do(tmp_path, line):
    append_run(tmp_path, '{"name": "a"}')
    append_run(tmp_path, line)
    with pytest.raises(ValueError, match=r"runs\.jsonl holds a .* remove that line"):
        read_runs(tmp_path, name_of)
