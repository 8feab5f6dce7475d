import sys
import time

from qpm_jax.training import logs


def test_records_come_back_in_order(tmp_path):
    with logs.open_log(tmp_path) as log:
        log.write("dense", 1, loss=0.5)
        log.write("dense", 2, loss=0.25, accuracy=0.5)
    first, second = logs.read(tmp_path)
    assert (first["phase"], first["step"], first["loss"]) == ("dense", 1, 0.5)
    assert second["accuracy"] == 0.5


def test_a_run_without_a_log_has_no_records(tmp_path):
    assert logs.read(tmp_path) == []
    logs.forget_after(tmp_path, "dense", 0)


def test_a_last_line_cut_short_is_left_out(tmp_path):
    with logs.open_log(tmp_path) as log:
        log.write("dense", 1, loss=0.5)
        log.write("dense", 2, loss=0.25)
    path = tmp_path / "log.jsonl"
    path.write_text(path.read_text()[:-20])
    assert [record["step"] for record in logs.read(tmp_path)] == [1]


def test_a_resumed_phase_forgets_what_it_writes_again(tmp_path):
    with logs.open_log(tmp_path) as log:
        for phase, step in [("dense", 1), ("dense", 2), ("dense", 3), ("other", 9)]:
            log.write(phase, step)
    logs.forget_after(tmp_path, "dense", 2)
    kept = [(record["phase"], record["step"]) for record in logs.read(tmp_path)]
    assert kept == [("dense", 1), ("dense", 2), ("other", 9)]


def test_a_resumed_phase_counts_the_seconds_of_its_earlier_parts(tmp_path):
    assert logs.seconds_spent(tmp_path, "dense") == 0
    with logs.open_log(tmp_path, started=time.monotonic() - 100) as log:
        log.write("dense", 1)
    earlier = logs.seconds_spent(tmp_path, "dense")
    assert 100 <= earlier < 160
    with logs.open_log(tmp_path, started=time.monotonic() - earlier) as log:
        log.write("dense", 2)
        log.write("other", 1)
    assert earlier <= logs.seconds_spent(tmp_path, "dense") < 220


def test_event_files_lie_beside_the_log_where_tensorboard_is_installed(tmp_path):
    import pytest

    loader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_file_loader",
        reason="tensorboard is not installed",
        exc_type=ImportError,
    )
    with logs.open_log(tmp_path) as log:
        log.write("dense", 7, loss=0.5, note="text is left to the JSON log")
    (path,) = (tmp_path / "tensorboard").iterdir()
    events = list(loader.LegacyEventFileLoader(str(path)).Load())
    values = [(e.step, v.tag, v.simple_value) for e in events for v in e.summary.value]
    assert values == [(7, "dense/loss", 0.5)]


def test_without_tensorboard_there_are_no_event_files(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.setattr(logs.importlib.util, "find_spec", lambda name: None)
    with logs.open_log(tmp_path) as log:
        log.write("dense", 1, loss=0.5)
    assert [entry.name for entry in tmp_path.iterdir()] == ["log.jsonl"]
