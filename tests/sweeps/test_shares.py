import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.sweeps.shares import (
    device_environment,
    processor_shares,
    share_processors,
)


@given(st.integers(1, 64), st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_processors_are_shared_out_as_equally_as_can_be(processors, runs):
    shares = processor_shares(range(processors), runs)
    sizes = [len(share) for share in shares]
    assert len(shares) == runs
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1
    assert set().union(*shares) == set(range(processors))
    if runs <= processors:
        assert sum(sizes) == processors


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_a_process_gets_its_share_and_one_that_has_ended_is_no_matter():
    ours = os.sched_getaffinity(0)
    with subprocess.Popen(
        [sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE
    ) as process:
        share_processors([process.pid, 2**22])
        assert os.sched_getaffinity(process.pid) <= ours
        assert len(os.sched_getaffinity(process.pid)) == max(1, -(-len(ours) // 2))
        share_processors([process.pid])
        assert os.sched_getaffinity(process.pid) == ours
    assert os.sched_getaffinity(0) == ours
    share_processors([])


def test_accelerators_go_round_and_crowds_divide_their_memory():
    assert device_environment(0, 4, []) == {}
    assert device_environment(2, 2, ["0", "3"]) == {"CUDA_VISIBLE_DEVICES": "0"}
    assert device_environment(1, 4, ["0", "3"]) == {
        "CUDA_VISIBLE_DEVICES": "3",
        "XLA_CLIENT_MEM_FRACTION": "0.450",
    }
