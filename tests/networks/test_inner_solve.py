import numpy as np
import pytest
import scipy.sparse

from qpm_jax import solvers
from qpm_jax.networks import NetworkProblem, neuron_bound, weight_family
from qpm_jax.networks.programs.inner_solve import inner_solve
from qpm_jax.solvers import MixedIntegerProgram


def program(maximise=False):
    """The sum of three numbers in [0, 1] that is at least 1."""
    return MixedIntegerProgram(
        np.ones(3),
        scipy.sparse.csr_array(np.ones((1, 3))),
        np.ones(1),
        np.full(1, 2.0),
        np.zeros(3),
        np.ones(3),
        np.zeros(3, bool),
        maximise=maximise,
    )


@pytest.fixture
def wrong(monkeypatch):
    def solve(*_, **__):
        raise RuntimeError("highs returned values that break the program by 0.1.")

    monkeypatch.setattr(solvers, "solve", solve)


class TestAStepTheSolverGotWrong:
    @pytest.mark.parametrize("maximise", [False, True])
    def test_says_nothing(self, wrong, maximise):
        found = inner_solve(program(maximise), 1.0)
        assert found.status == "stalled"
        assert not found.found
        assert found.bound == (np.inf if maximise else -np.inf)
        assert np.isnan(found.values).all()

    def test_keeps_the_start(self, wrong):
        start = np.array([1.0, 0.5, 0.0])
        found = inner_solve(program(), 1.0, warm_start=start)
        assert found.status == "stalled"
        assert found.values.tolist() == start.tolist()
        assert found.objective == 1.5
        assert found.gap == np.inf

    def test_keeps_no_start_with_gaps(self, wrong):
        start = np.array([1.0, np.nan, 0.0])
        assert not inner_solve(program(), 1.0, warm_start=start).found


def test_ctrl_c_ends_the_longer_solve(monkeypatch):
    import dataclasses

    answer = dataclasses.replace(
        solvers.solve(program(), "highs"), status="interrupted"
    )
    monkeypatch.setattr(solvers, "solve", lambda *_, **__: answer)
    with pytest.raises(KeyboardInterrupt):
        inner_solve(program(), 1.0)


def test_an_optimum_without_values_ends_no_bound():
    # Of one of this problem's linear programs HiGHS says that it is solved, with values
    # that it does not call feasible.
    features = [
        [0.46752499405701103, 0.024527306912655828],
        [3.0011962918226276, 2.094259596256233],
        [-0.31659704509611336, -0.18878175261640412],
        [1.4544269411904023, 1.3611599168066961],
        [0.31520574538411594, 0.29058290620640287],
        [2.6472794097205585, 1.6226971043700344],
        [0.8445537262218366, -0.14369385390433315],
        [2.7872041394222933, 1.7836070764087015],
    ]
    problem = NetworkProblem(
        np.array(features),
        np.arange(8) % 2,
        2,
        (2,),
        weight_family("ternary"),
        "binary",
        l1=1e-5,
        weight_limit=100.0,
    )
    bound = neuron_bound(problem, 3.153594095277044e-05, 5.0, 0.0)
    assert 0 <= bound <= 3.153594095277044e-05
