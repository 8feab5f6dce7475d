from qpm_jax.sweeps import shares
from qpm_jax.sweeps.shares import device_environment, thread_environment


def test_processors_are_shared_out_and_nobody_goes_without(monkeypatch):
    monkeypatch.setattr(shares, "usable_processors", lambda: 8)
    threads = [thread_environment(runs, {})["NPROC"] for runs in (1, 2, 3, 20)]
    assert threads == ["8", "4", "2", "1"]


def test_what_a_person_has_set_stays():
    environment = thread_environment(1, {"OMP_NUM_THREADS": "3"})
    assert set(environment) == {"NPROC", "OPENBLAS_NUM_THREADS"}
    assert int(environment["NPROC"]) >= 1


def test_accelerators_go_round_and_crowds_divide_their_memory():
    assert device_environment(0, 4, []) == {}
    assert device_environment(2, 2, ["0", "3"]) == {"CUDA_VISIBLE_DEVICES": "0"}
    assert device_environment(1, 4, ["0", "3"]) == {
        "CUDA_VISIBLE_DEVICES": "3",
        "XLA_CLIENT_MEM_FRACTION": "0.450",
    }
