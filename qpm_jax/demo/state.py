"""What a visitor looks at and has chosen; every choice gives a new state.

The network runs once a photo, in `Run.look`. What follows (other classes to compare
with, features switched off) is arithmetic on the feature values it left: QPM's scores
are z Wᵀ (docs/formulas.md, Model and head), and a feature that is switched off counts
as at its mean over the training images, z = 0.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float

from qpm_jax.explain.contrast import as_assignment
from qpm_jax.explain.local import Explanation
from qpm_jax.run import Look, Run


@dataclass(frozen=True)
class Session:
    """One photo and what its visitor has chosen.

    Attributes:
      look: What one pass of the network says of the photo.
      against: Label of the class to compare with; None where there is one class only.
      off: Features that are switched off.
    """

    look: Look
    against: int | None
    off: frozenset[int] = frozenset()


@dataclass(frozen=True)
class ScoreRow:
    """The score of one class, with all features and with those still on."""

    label: int
    before: float
    after: float


def open_session(run: Run, look: Look) -> Session:
    """Starts with the runner-up to compare with and every feature on."""
    other = run.explain(look).runner_up
    return Session(look, None if other is None else other.label)


def compare_with(run: Run, session: Session, against: int) -> Session:
    """Chooses another class to compare with; what is switched off stays off.

    Raises:
      ValueError: `against` is no class, or the predicted one.
    """
    run.explain(session.look, against)
    return replace(session, against=against)


def keep(run: Run, session: Session, kept: Collection[int]) -> Session:
    """Switches off all listed features but those `kept`."""
    return replace(session, off=frozenset(listed(run, session)) - frozenset(kept))


def explanation(run: Run, session: Session) -> Explanation:
    """Returns why the photo got its class, with all features on."""
    return run.explain(session.look, session.against)


def listed(run: Run, session: Session) -> tuple[int, ...]:
    """Returns the features that can be switched: both classes', and those off.

    Those of the predicted class come first, each group by value.
    """
    found = explanation(run, session)
    groups = (found.predicted.contributions, found.only_runner_up)
    shown = [c.feature for group in groups for c in group]
    return (*shown, *sorted(session.off - set(shown)))


def other_classes(run: Run, session: Session) -> tuple[int, ...]:
    """Returns every class there is to compare with, best score first."""
    before = scores(run.assignment, session.look.features)
    order = np.argsort(-before, kind="stable").tolist()
    return tuple(order[1:])


def scores(
    assignment: Bool[ArrayLike, "C n"],
    values: Float[ArrayLike, " n"],
    off: Collection[int] = (),
) -> Float[np.ndarray, " C"]:
    """Returns the sum of each class's features, without those that are off."""
    left = np.array(values, np.float64)
    left[sorted(off)] = 0.0
    return as_assignment(assignment) @ left


def score_rows(run: Run, session: Session, count: int = 6) -> tuple[ScoreRow, ...]:
    """Returns the classes worth watching, in an order that switching does not change.

    The best `count` with all features on, the class compared with, and the best with
    the features still on.
    """
    before = scores(run.assignment, session.look.features)
    after = scores(run.assignment, session.look.features, session.off)
    order = np.argsort(-before, kind="stable").tolist()
    watched = {*order[:count], int(np.argmax(after))}
    if session.against is not None:
        watched.add(session.against)
    return tuple(
        ScoreRow(label, float(before[label]), float(after[label]))
        for label in order
        if label in watched
    )
