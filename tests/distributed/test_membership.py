"""Which job a process belongs to, by flags and environment."""

import pytest

from qpm_jax.distributed import Membership, initialize, membership

OURS = {
    "QPM_COORDINATOR": "node001:1234",
    "QPM_NUM_PROCESSES": "4",
    "QPM_PROCESS_ID": "3",
}
SRUN = {
    "SLURM_JOB_ID": "17",
    "SLURM_STEP_NODELIST": "node[001-002]",
    "SLURM_PROCID": "1",
    "SLURM_NTASKS": "2",
}


def test_an_ordinary_process_is_alone():
    assert membership({}) is None


def test_our_variables_make_a_member():
    assert membership(OURS) == Membership("node001:1234", 4, 3)


def test_flags_come_before_variables():
    assert membership(OURS, "other:1", 8, 0) == Membership("other:1", 8, 0)


def test_jobs_of_kubernetes_number_their_pods():
    pod = {
        "COORDINATOR_ADDRESS": "qpm-0.qpm:1234",
        "NUM_PROCESSES": "2",
        "JOB_COMPLETION_INDEX": "1",
    }
    assert membership(pod) == Membership("qpm-0.qpm:1234", 2, 1)


def test_numbers_of_another_program_make_no_job():
    assert membership({"PROCESS_ID": "no number", "NUM_PROCESSES": "3"}) is None


def test_a_job_of_one_process_is_none():
    assert membership(OURS | {"QPM_NUM_PROCESSES": "1", "QPM_PROCESS_ID": "0"}) is None


def test_under_srun_jax_finds_the_job_itself():
    assert membership(SRUN) == Membership("", 0, 0)


def test_a_task_of_slurm_that_is_alone_is_alone():
    assert membership(SRUN | {"SLURM_NTASKS": "1"}) is None


def test_the_batch_script_itself_is_no_task():
    """SLURM_NTASKS is set there too, but only srun names the nodes of a step."""
    inside = {name: SRUN[name] for name in SRUN if name != "SLURM_STEP_NODELIST"}
    assert membership(inside) is None


def test_open_mpi_and_tpu_hosts_are_known():
    mpi = {"OMPI_MCA_orte_hnp_uri": "x", "OMPI_COMM_WORLD_SIZE": "2"}
    assert membership(mpi) == Membership("", 0, 0)
    assert membership({"TPU_WORKER_HOSTNAMES": "a,b"}) == Membership("", 0, 0)
    assert membership({"TPU_WORKER_HOSTNAMES": "a"}) is None


@pytest.mark.parametrize("left_out", list(OURS))
def test_what_is_missing_is_named_with_its_flag_and_its_variable(left_out):
    rest = {name: value for name, value in OURS.items() if name != left_out}
    with pytest.raises(ValueError, match=f"missing: .*or {left_out}"):
        membership(rest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"QPM_COORDINATOR": "node001"}, "takes HOST:PORT"),
        ({"QPM_PROCESS_ID": "4"}, "process_id is 4 of num_processes = 4"),
        ({"QPM_NUM_PROCESSES": "four"}, "num_processes is 'four'"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        membership(OURS | change)


def test_a_job_of_one_process_is_alone_and_a_stray_address_can_be_left_out():
    assert membership({"QPM_NUM_PROCESSES": "1"}) is None
    with pytest.raises(ValueError, match="--cluster=none to stay alone"):
        membership({"COORDINATOR_ADDRESS": "other:80"})


def test_a_cluster_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="auto, jax or none"):
        initialize(cluster="slurm")


def test_none_stays_alone_whatever_the_environment_says(monkeypatch):
    for name, value in OURS.items():
        monkeypatch.setenv(name, value)
    assert not initialize(cluster="none")


def test_without_a_cluster_jax_cannot_find_one_and_the_flags_are_named(monkeypatch):
    import jax

    def fails(**options):
        raise ValueError("coordinator_address should be defined.")

    monkeypatch.setattr(jax.distributed, "initialize", fails)
    with pytest.raises(ValueError, match="QPM_COORDINATOR"):
        initialize(cluster="jax")
