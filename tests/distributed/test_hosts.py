"""What the first process does for all, with the connection between them left out."""

import logging
import pickle

import jax
import numpy as np
import pytest

from qpm_jax import distributed, stopping
from qpm_jax.distributed import hosts
from qpm_jax.distributed.placement import divided_to_host
from qpm_jax.phases import assign, explain, one_process, pipeline
from qpm_jax.stopping import Stopped
from qpm_jax.training import agreement


@pytest.fixture
def two_hosts(monkeypatch):
    """This process believes to be the first of two."""
    monkeypatch.setattr(jax.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    monkeypatch.setattr(hosts, "_from_first", lambda message: message)
    monkeypatch.setattr(agreement, "any_host", lambda *wishes: wishes)


class Unsendable(Exception):
    def __init__(self, one, other):
        super().__init__(one)


def test_all_get_the_result_of_the_first(two_hosts):
    assert distributed.several_hosts()
    assert distributed.once(lambda: {"a": (1, 2)}) == {"a": (1, 2)}


def test_all_get_the_error_of_the_first(two_hosts):
    with pytest.raises(ValueError, match="of the first"):
        distributed.once(lambda: (_ for _ in ()).throw(ValueError("of the first")))


def test_an_error_that_cannot_be_sent_is_told_in_words(two_hosts):
    def act():
        raise Unsendable("lost", 1)

    with pytest.raises(RuntimeError, match=r"process 0: Unsendable\('lost'"):
        distributed.once(act)


def test_what_the_first_does_once_may_do_other_things_once(two_hosts, monkeypatch):
    sent = []
    monkeypatch.setattr(hosts, "_from_first", lambda m: sent.append(m) or m)
    inner = distributed.by_first(lambda value: value + 1)
    assert distributed.once(lambda: inner(1) + inner(2)) == 5
    assert len(sent) == 1


def test_the_others_do_nothing_and_hear_what_came_of_it(two_hosts, monkeypatch):
    monkeypatch.setattr(jax, "process_index", lambda: 1)
    told = pickle.dumps((7, None))
    monkeypatch.setattr(hosts, "_from_first", lambda message: told)
    assert not distributed.is_first()
    assert distributed.once(lambda: pytest.fail("acted")) == 7


def test_a_message_passes_whole():
    assert hosts._from_first(b"words") == b"words"


def test_alone_all_hear_what_this_one_says():
    assert distributed.from_all("words") == ["words"]


def test_what_all_say_passes_whole(two_hosts, monkeypatch):
    """The connection of JAX stacks what one process has; a real one, in `training`."""
    monkeypatch.setattr(jax, "process_count", lambda: 1)
    monkeypatch.setattr(hosts, "several_hosts", lambda: True)
    assert distributed.from_all("größer") == ["größer"]
    assert distributed.from_all("") == [""]


def test_a_member_is_connected_and_says_who_it_is(monkeypatch, caplog):
    calls = []
    monkeypatch.setattr(
        jax.distributed, "initialize", lambda *a, **k: calls.append((a, k))
    )
    before = jax.config.jax_enable_preemption_service
    try:
        with caplog.at_level(logging.WARNING):
            distributed.initialize("node001:12345", 2, 0, heartbeat_seconds=20)
            distributed.initialize(cluster="jax")
    finally:
        jax.config.update("jax_enable_preemption_service", before)
    (place, options), (nothing, detected) = calls
    assert place == ("node001:12345", 2, 0)
    assert options["heartbeat_timeout_seconds"] == 20
    assert options["cluster_detection_method"] == "deactivate"
    assert nothing == ()
    assert detected["heartbeat_timeout_seconds"] == distributed.HEARTBEAT_SECONDS
    assert "process 0, the coordination service, is at node001:12345" in caplog.text


def test_a_member_of_several_holds_notices_from_its_joining_on(monkeypatch):
    monkeypatch.setattr(stopping, "_ear", stopping._Ear(heard="SIGTERM"))
    monkeypatch.setattr(hosts, "_connect", lambda *a: join(monkeypatch))
    assert distributed.initialize("node001:12345", 2, 0)
    with stopping.deferred():
        pass  # would end here otherwise


def join(monkeypatch):
    monkeypatch.setattr(jax.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(jax, "process_count", lambda: 2)


def test_hosts_hand_their_devices_what_all_of_them_hold(two_hosts):
    mesh = distributed.make_mesh(1)
    whole = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    for shardings in (
        distributed.replicated(mesh),
        {"a": distributed.along_rows(mesh)},
    ):
        placed = distributed.place({"a": whole}, shardings)
        assert np.array_equal(placed["a"], whole)


def test_several_hosts_use_all_their_devices(two_hosts, monkeypatch):
    monkeypatch.setattr(jax, "devices", lambda: [*jax.local_devices()] * 4)
    with pytest.raises(ValueError, match="several hosts use all of their 4 devices"):
        distributed.make_mesh(2)


def test_divided_arrays_come_to_the_host_whole():
    for shape in ((5,), (4, 7)):
        values = np.random.default_rng(0).random(shape).astype(np.float32)
        assert np.array_equal(divided_to_host(jax.numpy.asarray(values)), values)


@pytest.mark.parametrize("phase", [assign, explain])
def test_phases_of_one_process_refuse_a_job_of_several(two_hosts, phase, tmp_path):
    with pytest.raises(ValueError, match=r"launch\.\w+ --cluster=none"):
        phase.run(None, tmp_path)


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """Names of the phases that a pipeline of none but named phases has run."""

    class Prepared:
        workdir, dataset = tmp_path, None

    names = []
    monkeypatch.setattr(pipeline, "prepare", lambda *arguments: Prepared)
    for phase in ("dense", "statistics"):
        monkeypatch.setitem(pipeline.RUN, phase, lambda *a, p=phase: names.append(p))
    return names


def test_hosts_leave_together_between_two_phases(two_hosts, ran, monkeypatch, tmp_path):
    # The other host hears of the end while the first phase runs.
    monkeypatch.setattr(agreement, "any_host", lambda wish: (bool(ran),))
    with pytest.raises(Stopped, match="Another host was asked to end"):
        pipeline.run(None, tmp_path)
    assert ran == ["dense"]


def test_the_pipeline_stops_before_them_and_names_the_command(
    two_hosts, ran, caplog, tmp_path
):
    with caplog.at_level(logging.WARNING):
        pipeline.run(None, tmp_path)
    assert ran == ["dense", "statistics"]
    assert (
        f"--cluster=none` once, with the same --config and --workdir={tmp_path}"
        in caplog.text
    )
    assert "goes on" not in one_process.farewell("explain", tmp_path)
