"""Several hosts of a job, as processes on this machine."""

import socket
import subprocess
import sys

import jax
import numpy as np
import pytest
from jax.experimental import multihost_utils

from qpm_jax import stopping
from qpm_jax.training import agreement

HOST = """
import sys
import jax
jax.config.update("jax_enable_preemption_service", False)
jax.distributed.initialize(sys.argv[1], 2, int(sys.argv[2]))
from qpm_jax.distributed import from_all
from qpm_jax.training.agreement import any_host, asks
for step in range(1, 99):
    if not asks(step):
        continue
    # Host 0 wants a checkpoint from step 5 on, host 1 is warned at step 25.
    wish = step >= (5 if sys.argv[2] == "0" else 25)
    stop, due = any_host(sys.argv[2] == "1" and wish, sys.argv[2] == "0" and wish)
    print(step, stop, due)
    if stop:
        break
print(from_all("größer" * int(sys.argv[2])), from_all(""))
"""


def test_alone_every_step_is_a_question_and_every_wish_is_granted():
    assert all(agreement.asks(step) for step in range(5))
    assert agreement.any_host(True, False) == (True, False)


@pytest.fixture
def with_other(monkeypatch):
    """Returns a function of another host's wishes, which makes this one of two."""

    def join(*wishes):
        monkeypatch.setattr(jax, "process_count", lambda: 2)
        monkeypatch.setattr(
            multihost_utils,
            "process_allgather",
            lambda own: np.stack([own, np.array(wishes)]),
        )

    return join


def test_several_hosts_ask_at_some_steps_and_grant_what_one_of_them_wishes(with_other):
    with_other(False, True, False)
    every = agreement.EVERY
    asked = [step for step in range(2 * every + 1) if agreement.asks(step)]
    assert asked == [0, every, 2 * every]
    assert agreement.any_host(True, False, False) == (True, True, False)


def test_a_host_leaves_with_another_that_was_warned_where_all_ask(with_other):
    with_other(True)
    for number in range(1, agreement.EVERY):
        agreement.leave_if_asked(number)
    with pytest.raises(stopping.Stopped, match="Another host was asked to end"):
        agreement.leave_if_asked(agreement.EVERY)


def test_a_host_that_was_warned_says_what_came(with_other, monkeypatch):
    with_other(False)
    agreement.leave_if_asked()
    monkeypatch.setattr(stopping, "heard", lambda: "SIGUSR1")
    with pytest.raises(stopping.Stopped, match="SIGUSR1 came") as stopped:
        agreement.leave_if_asked()
    assert stopped.value.code == 0


def test_alone_nobody_is_asked(monkeypatch):
    monkeypatch.setattr(agreement, "any_host", lambda *wishes: pytest.fail("asked"))
    for number in range(3):
        agreement.leave_if_asked(number)


def test_all_hosts_do_at_the_same_step_what_one_of_them_wishes():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    hosts = [
        subprocess.Popen(
            [sys.executable, "-c", HOST, address, str(number)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    outputs = [host.communicate(timeout=240) for host in hosts]
    for host, (printed, errors) in zip(hosts, outputs, strict=True):
        assert host.returncode == 0, errors
        # Before, the library that connects the hosts says that it does.
        assert printed.splitlines()[-3:] == [
            *("20 False True", "40 True True"),
            "['', 'größer'] ['', '']",
        ]
