"""One process with eight devices for all tests, and jobs of real processes."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent


def _load(name):
    specification = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny():
    """The module of the tiny run, to run it in this process, alone."""
    return _load("tiny_run")


@pytest.fixture(scope="session")
def on_virtual_devices(made_once):
    """Returns a function: number of devices, part -> its arrays by name."""

    def make(path):
        command = [sys.executable, HERE / "virtual_devices.py", path]
        subprocess.run(command, check=True, env=_environment())

    return _named(made_once("virtual_devices.npz", make))


@pytest.fixture(scope="session")
def on_four_processes(start_job, tmp_path_factory):
    """The same of a job of four processes: part -> its arrays by name."""
    path = tmp_path_factory.mktemp("four") / "results.npz"
    job = start_job(["virtual_devices.py", path], 4)
    assert job.wait() == [0] * 4, job.said(0)
    return partial(_named(path), 4)


def _named(path):
    with np.load(path) as arrays:
        results = dict(arrays)

    def named(count, part):
        prefix = f"{count}/{part}/"
        return {
            name.removeprefix(prefix): values
            for name, values in results.items()
            if name.startswith(prefix)
        }

    return named


def _environment(**more):
    """Ours without what describes the machine these tests run on."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "QPM_"))}
    # Programs run for milliseconds here; to compile them with care would take longer.
    hasty = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    return {**kept, **hasty, **more}


class Job:
    """Several processes of one command on this machine."""

    def __init__(self, command, count, folder):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            port = free.getsockname()[1]
        self.logs = [folder / f"process{number}.txt" for number in range(count)]
        address = f"localhost:{port}"
        self.processes = [
            self._start(command, address, count, number) for number in range(count)
        ]

    def _start(self, command, address, count, number):
        environment = _environment(
            QPM_COORDINATOR=address,
            QPM_NUM_PROCESSES=str(count),
            QPM_PROCESS_ID=str(number),
        )
        with self.logs[number].open("w") as log:
            return subprocess.Popen(
                [sys.executable, *map(str, command)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
            )

    def wait(self, seconds=600):
        """Returns every exit status."""
        deadline = time.monotonic() + seconds
        return [p.wait(max(0.1, deadline - time.monotonic())) for p in self.processes]

    def said(self, number):
        return self.logs[number].read_text()

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def start_job(tmp_path_factory):
    """Returns a function: script with arguments, number of processes -> running job."""
    jobs = []

    def start(command, count):
        folder = tmp_path_factory.mktemp("job")
        jobs.append(Job([HERE / command[0], *command[1:]], count, folder))
        return jobs[-1]

    yield start
    for job in jobs:
        job.close()


@pytest.fixture(scope="session")
def run_job(start_job):
    """Returns a function: number of processes, work directory, mode, phases -> job."""

    def run(count, workdir, mode, *phases):
        job = start_job(["tiny_run.py", workdir, mode, *phases], count)
        statuses = job.wait()
        assert statuses == [0] * count, "\n".join(map(job.said, range(count)))
        return job

    return run
