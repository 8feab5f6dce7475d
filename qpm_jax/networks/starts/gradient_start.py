"""Networks trained by gradient descent, bent into the program's family: warm starts."""

from qpm_jax.networks.network import ReLUNetwork
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.starts.dense_starts import repaired
from qpm_jax.networks.starts.gradient_training import train_networks


def gradient_starts(
    problem: NetworkProblem, seed: int = 0, restarts: int = 16, epochs: int = 1000
) -> list[ReLUNetwork]:
    """Trains, rounds and repairs.

    Args:
        problem: the problem.
        seed: of the random weights.
        restarts: networks trained side by side.
        epochs: steps, each on all instances.

    Returns:
        Networks of the family that follow the rules (but see `starts.repaired`), best
        objective first.
    """
    trained = train_networks(problem, seed, restarts, epochs)
    networks = [repaired(problem, each) for each in trained]
    return sorted(networks, key=problem.objective)
