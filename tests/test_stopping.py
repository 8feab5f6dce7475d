"""Signals of a scheduler, in this process."""

import os
import signal
import sys
import time
from types import SimpleNamespace

import pytest

from qpm_jax import stopping


@pytest.fixture
def listening(monkeypatch):
    """Hears notices in this process, and leaves it as it was."""
    monkeypatch.setattr(stopping, "_ear", stopping._Ear())
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    before = {notice: signal.getsignal(notice) for notice in stopping.NOTICES}
    stopping.listen()
    yield
    for notice, handler in before.items():
        signal.signal(notice, handler)


def _send(notice):
    os.kill(os.getpid(), notice)


@pytest.mark.parametrize("notice", stopping.NOTICES)
def test_a_notice_ends_work_that_needs_no_checkpoint_at_once(listening, notice):
    with pytest.raises(stopping.Stopped, match=notice.name) as stopped:
        _send(notice)
    assert stopped.value.code == 0
    assert stopping.heard() == notice.name


def test_training_hears_of_a_notice_and_ends_when_it_has_finished(listening):
    done = []

    def train():
        with stopping.deferred() as should_stop:
            assert not should_stop(1)
            _send(signal.SIGTERM)
            assert should_stop(2)
            done.append("checkpoint")

    with pytest.raises(stopping.Stopped, match="SIGTERM"):
        train()
    assert done == ["checkpoint"]


def test_what_training_says_of_its_end_goes_before_the_notice(listening):
    def train():
        with stopping.deferred():
            _send(signal.SIGTERM)
            raise stopping.Stopped("the checkpoint of step 3 is written.")

    with pytest.raises(stopping.Stopped, match="the checkpoint of step 3"):
        train()


def test_training_takes_a_signal_back_that_another_library_took(listening):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def train():
        with stopping.deferred():
            _send(signal.SIGTERM)

    with pytest.raises(stopping.Stopped):
        train()


def test_in_a_job_of_several_a_notice_waits_until_all_hosts_are_asked(listening):
    stopping.hold()
    _send(signal.SIGTERM)
    with stopping.deferred() as should_stop:
        assert should_stop(1)
    assert stopping.heard() == "SIGTERM"


def test_to_hold_notices_takes_a_signal_back_that_another_library_took(listening):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stopping.hold()
    _send(signal.SIGTERM)
    assert stopping.heard() == "SIGTERM"


class Collected:
    """Python drops the exceptions of a `__del__`."""

    def __init__(self, action):
        self.action = action

    def __del__(self):
        self.action()


@pytest.mark.parametrize("seconds", [0.05, 0.0], ids=["later", "at once"])
def test_a_notice_that_comes_where_exceptions_are_dropped_is_not_lost(
    listening, monkeypatch, seconds
):
    """Repeated at once, as on a machine with much to do, it may be dropped again."""
    monkeypatch.setattr(stopping, "_AGAIN_SECONDS", seconds)
    with pytest.raises(stopping.Stopped, match="SIGUSR1"):
        _collect_and_wait()


def _collect_and_wait():
    Collected(lambda: _send(signal.SIGUSR1))
    time.sleep(60)


def test_other_dropped_exceptions_are_told_as_before(monkeypatch):
    told = []
    monkeypatch.setattr(stopping, "_ear", stopping._Ear(unraisable=told.append))
    error = ValueError("dropped")
    stopping._unless_lost(SimpleNamespace(exc_value=error))
    assert told[0].exc_value is error


def test_without_a_launcher_signals_are_left_alone(monkeypatch):
    monkeypatch.setattr(stopping, "_ear", stopping._Ear())
    before = signal.getsignal(signal.SIGTERM)
    with stopping.deferred() as should_stop:
        assert not should_stop(1)
        assert signal.getsignal(signal.SIGTERM) is before
