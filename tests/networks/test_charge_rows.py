"""What a filter answers, charged with the filter itself."""

from dataclasses import replace

import numpy as np
import pytest

from qpm_jax import solvers
from qpm_jax.networks import weight_family
from qpm_jax.networks.programs.conv_program import build_conv
from qpm_jax.networks.programs.conv_values import read_conv, write_conv
from qpm_jax.solvers.solution import evaluate


@pytest.mark.parametrize("relu", ["big_m", "indicator", "partitioned"])
@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("seed", range(4))
def test_every_network_follows_the_charges(
    relu, pooling, seed, conv_problem, random_conv
):
    problem = conv_problem(depth=2, pooling=pooling, family=weight_family("ternary"))
    problem = replace(problem, images=problem.images - 0.4)  # pixels of both signs
    network = random_conv(seed, problem)
    conv = build_conv(problem, relu, signs=True)
    values = write_conv(conv, network)
    objective, violation = evaluate(conv.program, values)
    assert violation < 1e-9
    assert objective == pytest.approx(problem.objective(network))
    assert np.allclose(read_conv(conv, values).filters, network.filters)


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("solver", ["highs", "scip"])
def test_the_charges_leave_the_optimum(pooling, solver, conv_problem):
    problem = conv_problem(
        images=2,
        side=2,
        filter_size=1,
        pooling=pooling,
        family=weight_family("ternary"),
        l1=0.2,
    )
    found = [
        solvers.solve(build_conv(problem, signs=signs).program, solver, threads=1)
        for signs in (False, True)
    ]
    assert [each.status for each in found] == ["optimal"] * 2
    assert found[0].objective == pytest.approx(found[1].objective, abs=1e-5)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_without_a_filter_nothing_is_answered_even_in_the_relaxation(
    pooling, conv_problem
):
    problem = conv_problem(pooling=pooling, family=weight_family("ternary"))
    largest = []
    for signs in (False, True):
        conv = build_conv(problem, signs=signs)
        program, columns = conv.program, conv.columns
        objective = np.zeros(program.num_variables)
        objective[columns.pooled] = 1.0
        upper = program.upper.copy()
        upper[columns.absolute] = 0.0
        upper[columns.bias_size] = 0.0
        relaxed = replace(
            program,
            objective=objective,
            maximise=True,
            upper=upper,
            integer=np.zeros(program.num_variables, bool),
            quadratic=None,
        )
        largest.append(solvers.solve(relaxed, threads=1).objective)
    assert largest[0] > 0.1
    assert largest[1] == pytest.approx(0.0, abs=1e-6)


def test_readout_and_signs_are_branched_on_first(conv_problem):
    problem = conv_problem(family=weight_family("ternary"))
    conv = build_conv(problem, signs=True)
    priorities = conv.program.branch_priority
    assert (priorities[conv.columns.readout.bits] == 2).all()
    assert (priorities[conv.columns.positive] == 1).all()
    assert priorities[conv.columns.on].max() == 0
    assert build_conv(problem).program.branch_priority is None
