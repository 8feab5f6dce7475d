"""The demo's words and pictures as HTML, from a visitor's state."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from scipy.special import softmax

from qpm_jax.demo.state import (
    ScoreRow,
    Session,
    explanation,
    listed,
    score_rows,
    scores,
)
from qpm_jax.explain.colours import hex_code, lettering, palette
from qpm_jax.explain.figures import data_uri
from qpm_jax.explain.local import ClassScore, Contribution, Explanation
from qpm_jax.explain.local_maps import paint_features
from qpm_jax.explain.markup import escape, plural, signed
from qpm_jax.run import Run


def header(run: Run) -> str:
    """Returns the headline and what the model is, in two sentences."""
    per_class = run.assignment.sum(axis=1)
    least, most = int(per_class.min()), int(per_class.max())
    each = str(most) if least == most else f"{least} to {most}"
    return (
        '<header class="qpm"><h1>See what the model sees</h1><p>Upload a photo. The '
        f"model knows {plural(len(run.class_names), 'class', 'classes')} by "
        f"{plural(len(run.selected), 'feature')}; the score of a class is the sum of "
        f"its {each}, and here you see each of them.</p></header>"
    )


def problem(message: str) -> str:
    """Returns a message that says what went wrong and what to do."""
    return f'<p class="qpm problem" role="alert">{escape(message)}</p>'


def verdict(run: Run, session: Session, notes: Sequence[str], truth: str = "") -> str:
    """Returns the prediction: photo, where its features look, and the sum.

    Args:
      run: The trained run.
      session: The visitor's state.
      notes: What there is to say of the upload.
      truth: Name of the photo's class where it is known.
    """
    found, look = explanation(run, session), session.look
    own = [c.feature for c in found.predicted.contributions]
    painted = paint_features(look.photo, look.maps, look.features, [own])[0]
    share = softmax(scores(run.assignment, look.features))[found.predicted.label]
    known = f'<p class="muted">The data set says: {escape(truth)}.</p>' if truth else ""
    said = "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
    return (
        '<section class="qpm verdict"><div class="photos">'
        f"{_figure(look.photo, 'the photo')}{_figure(painted, 'its features')}</div>"
        '<div class="words"><p class="muted">This looks most like</p>'
        f"<h2>{escape(found.predicted.name)}</h2>"
        f'<p class="muted">softmax of the scores: {100 * share:.0f}\u00a0%</p>{known}'
        f"{_sum(run, found.predicted)}{said}</div></section>"
    )


def contrast(run: Run, session: Session) -> str:
    """Returns the features of both classes, each over the photo, in three groups."""
    found, look = explanation(run, session), session.look
    groups = [
        ("only", "A", found.only_predicted),
        ("both", "", found.shared),
        ("only", "B", found.only_runner_up),
    ]
    shown = [c.feature for *_, contributions in groups for c in contributions]
    pictures = paint_features(
        look.photo, look.maps, look.features, [[feature] for feature in shown]
    )
    painted = dict(zip(shown, pictures, strict=True))
    parts = "".join(
        _group(run, words, letter, contributions, painted)
        for words, letter, contributions in groups
        if contributions
    )
    body = f'{_lead(found)}<div class="groups">{parts}</div>'
    return f'<section class="qpm">{body}</section>{switch_colours(run, session)}'


def switches(run: Run, session: Session) -> str:
    """Returns the scores with all features and with those still on."""
    rows = score_rows(run, session)
    ends = [value for row in rows for value in (row.before, row.after)]
    low, high = min(0.0, *ends), max(1e-9, *ends)
    best = max(rows, key=lambda row: row.after).label
    bars = "".join(
        _score_row(run, row, low, high, best, bool(session.off)) for row in rows
    )
    return (
        f'<section class="qpm"><p class="said" aria-live="polite">'
        f'{_consequence(run, session)}</p><div class="scores">{bars}</div></section>'
    )


def switch_colours(run: Run, session: Session) -> str:
    """Returns the style that gives each switch its feature's colour."""
    colours = palette(len(run.selected))
    rules = "".join(
        f"#kept label:nth-of-type({place}){{--feature:{hex_code(colours[feature])}}}"
        for place, feature in enumerate(listed(run, session), start=1)
    )
    return f"<style>{rules}</style>"


def _figure(picture: UInt8[np.ndarray, "H W 3"], words: str) -> str:
    return (
        f'<figure><img src="{data_uri(picture)}" alt="{escape(words)}">'
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )


def _chip(run: Run, contribution: Contribution) -> str:
    colour = palette(len(run.selected))[contribution.feature]
    style = f"background:{hex_code(colour)};color:{lettering(colour)}"
    return f'<span class="chip" style="{style}">{escape(contribution.name)}</span>'


def _sum(run: Run, score: ClassScore) -> str:
    """The features of a class as the terms of a sum, with bars from zero."""
    values = [c.value for c in score.contributions]
    low, high = min(0.0, *values), max(1e-9, *values)
    terms = "".join(
        f"<div><span>{_chip(run, c)}</span>{_bar(run, c, low, high)}"
        f"<span>{signed(c.value)}</span></div>"
        for c in score.contributions
    )
    total = f"{score.score:.2f}".replace("-", "−")
    return (
        f'<div class="sum">{terms}<div class="total"><span>score</span><span></span>'
        f"<span>{total}</span></div></div>"
    )


def _bar(run: Run, contribution: Contribution, low: float, high: float) -> str:
    colour = hex_code(palette(len(run.selected))[contribution.feature])
    return (
        f'<span class="track"><i style="{_extent(contribution.value, low, high)};'
        f'background:{colour}"></i></span>'
    )


def _extent(value: float, low: float, high: float) -> str:
    """Returns where a bar from zero to `value` lies between the ends, as CSS."""
    scale = 100 / (high - low)
    start, end = sorted((0.0, value))
    return f"left:{scale * (start - low):.1f}%;width:{scale * (end - start):.1f}%"


def _letter(letter: str) -> str:
    return f'<b class="letter">{letter}</b>'


def _lead(found: Explanation) -> str:
    if found.runner_up is None:
        return "<p>There is only this class.</p>"
    more, less = (
        sum(c.value for c in group)
        for group in (found.only_predicted, found.only_runner_up)
    )
    return (
        f'<p class="lead">{_letter("A")} <b>{escape(found.predicted.name)}</b> leads '
        f"{_letter('B')} <b>{escape(found.runner_up.name)}</b> by "
        f"<b>{found.margin:.2f}</b>: {signed(more)} from what only A has, minus "
        f"{signed(less)} from what only B has. What both have cancels out.</p>"
    )


def _group(
    run: Run,
    words: str,
    letter: str,
    contributions: Sequence[Contribution],
    painted: dict[int, UInt8[np.ndarray, "H W 3"]],
) -> str:
    tiles = "".join(
        f'<figure class="tile"><img src="{data_uri(painted[c.feature])}" '
        f'alt="where {escape(c.name)} looks"><figcaption>{_chip(run, c)}'
        f"<b>{signed(c.value)}</b></figcaption></figure>"
        for c in contributions
    )
    total = signed(sum(c.value for c in contributions))
    return (
        f'<div class="group" style="--tiles:{len(contributions)}"><h3>{words} '
        f"{_letter(letter) if letter else ''} <span>{total}</span></h3>"
        f'<div class="tiles">{tiles}</div></div>'
    )


def _score_row(
    run: Run, row: ScoreRow, low: float, high: float, best: int, changed: bool
) -> str:
    ghost = f'<i class="ghost" style="{_extent(row.before, low, high)}"></i>'
    after = f'<i style="{_extent(row.after, low, high)}"></i>'
    kind = "score best" if row.label == best else "score"
    was = f'<span class="was">{row.before:.2f}</span> ' if changed else ""
    numbers = f"{was}<b>{row.after:.2f}</b>".replace("-", "−")
    return (
        f'<div class="{kind}" data-label="{row.label}"><span class="name">'
        f"{escape(run.class_names[row.label])}</span>"
        f'<span class="track">{ghost if changed else ""}{after}</span>'
        f'<span class="number">{numbers}</span></div>'
    )


def _consequence(run: Run, session: Session) -> str:
    """One sentence on what the model would say without what is off."""
    if not session.off:
        return "Every feature counts. Untick one to see the scores without it."
    left = scores(run.assignment, session.look.features, session.off)
    order = np.argsort(-left, kind="stable")
    first = explanation(run, session).predicted
    now = escape(run.class_names[order[0]])
    without = f"Without {plural(len(session.off), 'feature')}"
    if order[0] != first.label:
        return (
            f"{without} the model would say <b>{now}</b> instead of "
            f"<b>{escape(first.name)}</b>."
        )
    if len(order) == 1:
        return f"{without} it is still <b>{now}</b>."
    lead = f"{left[order[0]] - left[order[1]]:.2f}"
    second = escape(run.class_names[order[1]])
    return f"{without} it is still <b>{now}</b>, {lead} ahead of {second}."
