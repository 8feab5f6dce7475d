"""Batches from other processes: the same ones, and nothing is left behind."""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import cloudpickle
import numpy as np
import pytest
from PIL import Image

from qpm_jax import datasets
from qpm_jax.datasets import worker_processes
from qpm_jax.datasets.dataset import Split
from qpm_jax.datasets.lazy_images import ImageSource, LazyImages
from qpm_jax.stopping import NOTICES

SIZE = (6, 7)
COUNT = 12

# What a person's program does: it reads, and something happens to it.
PROGRAM = """
import sys, time
import numpy as np
from pathlib import Path
from qpm_jax import datasets
from qpm_jax.datasets.dataset import Split
from qpm_jax.datasets.lazy_images import ImageSource, LazyImages
from qpm_jax.stopping import NOTICES

if __name__ == "__main__":
    sources = [ImageSource(f"{i}.png") for i in range(12)]
    split = Split(LazyImages(Path(sys.argv[1]), sources), np.zeros(12, int))
    batches = datasets.training_batches(split, 2, (6, 7), 0)
    read = datasets.iterate_from(batches, 0, num_workers=2)
    next(read)
    print("reading", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def photos(tmp_path):
    random = np.random.default_rng(0)
    for number in range(COUNT):
        pixels = random.integers(0, 256, (9 + number, 12, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    return tmp_path


def _split(folder):
    sources = [ImageSource(f"{number}.png") for number in range(COUNT)]
    return Split(LazyImages(folder, sources), np.arange(COUNT) % 3)


def _running():
    """Returns the parent of every process that has not ended, by /proc."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[int(entry)] = int(parent)
    return parents


def _children(pid):
    return {child for child, parent in _running().items() if parent == pid}


def _gone(pids, seconds=60):
    for _ in range(10 * seconds):
        if not pids & _running().keys():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_processes_give_what_threads_give_and_end_when_they_are_closed(photos):
    before = _children(os.getpid())
    batches = datasets.training_batches(
        _split(photos), 4, SIZE, 1, crop="random_resized"
    )
    read = datasets.iterate_from(batches, 3, num_workers=2)
    for step, batch in enumerate(itertools.islice(read, 4), 3):
        assert batch.keys() == batches[step].keys()
        for name, values in batches[step].items():
            assert type(batch[name]) is np.ndarray
            np.testing.assert_array_equal(batch[name], values)
    read.close()
    # multiprocessing's own helper may stay; it ends with the program
    assert len(_children(os.getpid()) - before) <= 1


@pytest.mark.slow
def test_an_error_in_a_process_reaches_the_loop(photos):
    (photos / "7.png").write_bytes(b"no photo")
    batches = datasets.evaluation_batches(_split(photos), 4, SIZE, num_workers=1)
    with pytest.raises(ValueError, match=r"7\.png cannot be decoded"):
        list(batches)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_a_program_that_ends(photos, ending):
    script = photos / "program.py"
    script.write_text(PROGRAM)
    program = subprocess.Popen(
        [sys.executable, script, photos],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert program.stdout.readline() == b"reading\n"
        started = _children(program.pid)
        assert len(started) >= 2
        # A terminal's Ctrl-C reaches the whole group.
        if ending == signal.SIGINT:
            os.killpg(program.pid, ending)
        else:
            program.kill()
        program.wait(timeout=120)
        assert _gone(started)
    finally:
        program.kill()
        program.communicate()


@pytest.mark.slow
def test_a_process_that_was_killed_is_reported(photos):
    before = set(multiprocessing.active_children())
    batches = datasets.training_batches(_split(photos), 4, SIZE, 1)
    read = datasets.iterate_from(batches, 0, num_workers=1)
    next(read)
    for process in set(multiprocessing.active_children()) - before:
        process.kill()
    with pytest.raises(RuntimeError, match=r"ended from outside.*input\.workers"):
        list(itertools.islice(read, 10))


def test_a_process_reads_the_pipeline_it_was_given(monkeypatch):
    handlers = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(worker_processes, "_pickled", b"")
    worker_processes._pipeline.cache_clear()
    worker_processes._begin(cloudpickle.dumps(["first", "second"]))
    assert worker_processes._read(1) == "second"
    assert handlers[signal.SIGINT] == signal.SIG_IGN


def test_images_that_cannot_move_to_another_process_are_refused():
    class Open:
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return np.zeros((4, 4, 3), np.uint8)

        def __reduce__(self):
            raise TypeError("an open file")

    batches = datasets.training_batches(Split(Open(), np.arange(2)), 2, (4, 4), 0)
    with pytest.raises(
        ValueError, match=r"other processes \(an open file\); set config"
    ):
        next(datasets.iterate_from(batches, num_workers=1))


def test_a_process_leaves_ctrl_c_and_notices_to_its_parent(monkeypatch):
    heard = {}
    monkeypatch.setattr(signal, "signal", heard.__setitem__)
    monkeypatch.setattr(worker_processes, "_end_with_parent", lambda: None)
    monkeypatch.setattr(worker_processes, "_pickled", b"")
    worker_processes._begin(b"a pipeline")
    assert heard == dict.fromkeys((signal.SIGINT, *NOTICES), signal.SIG_IGN)


def test_a_process_ends_with_its_parent(monkeypatch):
    class Parent:
        def join(self):
            joined.append(True)

    joined, codes = [], []
    monkeypatch.setattr(multiprocessing, "parent_process", Parent)
    monkeypatch.setattr(os, "_exit", codes.append)
    worker_processes._end_with_parent()
    assert (joined, codes) == ([True], [1])


def test_a_number_of_processes_below_zero_is_refused():
    split = Split(np.zeros((2, 4, 4, 3), np.uint8), np.arange(2))
    batches = datasets.training_batches(split, 2, (4, 4), 0)
    with pytest.raises(ValueError, match="num_workers at least 0, got 0, 2 and -1"):
        datasets.iterate_from(batches, num_workers=-1)
