"""Whether freed memory is kept: seen in a process of its own, by its page faults."""

import subprocess
import sys

import pytest

FAULTS = """
import resource
from launch.host_memory import keep_freed_memory
{call}
import numpy as np
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(2**24)
before = faults()
for _ in range(5):
    np.ones(2**24)
print(faults() - before)
"""


def _faults(call):
    command = [sys.executable, "-c", FAULTS.format(call=call)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the settings are glibc's")
def test_memory_freed_is_used_again_without_new_pages():
    assert _faults("assert keep_freed_memory()") < _faults("") / 10


def test_another_c_library_is_left_alone(monkeypatch):
    from launch import host_memory

    monkeypatch.setattr(host_memory.ctypes, "CDLL", lambda name: object())
    assert not host_memory.keep_freed_memory()
