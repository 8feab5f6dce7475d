"""Margins of a problem's hinge losses, as signed sums of the outputs."""

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.labels import hinge_losses


def margin_signs(problem: ConvProblem) -> Float[np.ndarray, "N R O"]:
    """Margins Σ_o sign · o_io that should all be 1 or more.

    Args:
        problem: the problem.

    Returns:
        [N, C − 1, O] with 1 at the label's output and −1 at a rival's for "one_hot",
        [N, O, O] with the code on the diagonal for "binary".
    """
    labels, codes = problem.labels, problem.codes
    if problem.label_encoding == "binary":
        return codes[labels][:, :, None] * np.eye(codes.shape[1])
    places = np.arange(problem.num_classes - 1)
    rivals = places + (places >= labels[:, None])
    return codes[labels][:, None, :] - codes[rivals]


def hinge(
    problem: ConvProblem, outputs: Float[np.ndarray, "N O"]
) -> Float[np.ndarray, "N K"]:
    """The parts of every image's loss.

    Args:
        problem: the problem.
        outputs: [N, O].
    """
    return hinge_losses(outputs, problem.labels, problem.label_encoding)
