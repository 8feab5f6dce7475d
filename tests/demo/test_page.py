"""The page says in words and bars what the state holds, and escapes every name."""

import re
from dataclasses import replace

import numpy as np
import pytest

from qpm_jax.demo import page, state


@pytest.fixture
def session(run, dark):
    return state.open_session(run, run.look(dark))


def text(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_the_header_counts_classes_and_features(run):
    assert "5 classes by 8 features" in text(page.header(run))
    uneven = run.assignment.copy()
    uneven[0, 0] = False
    assert "sum of its 3 to 4" in text(page.header(replace(run, assignment=uneven)))


def test_the_verdict_adds_up_the_features_of_the_class(run, session):
    html = page.verdict(run, session, ["A note."], truth="lark")
    said = text(html)
    assert "This looks most like wren" in said
    assert "The data set says: lark." in said
    assert "A note." in said
    terms = [float(v.replace("−", "-")) for v in re.findall(r"[+−]\d\.\d\d", said)]
    total = float(re.search(r"score\s+(\S+)", said[said.index("feature") :]).group(1))
    assert sum(terms) == pytest.approx(total, abs=0.02)
    assert html.count("<img ") == 2


def test_the_contrast_shows_every_feature_of_both_classes_once(run, session):
    html = page.contrast(run, session)
    assert html.count("<img ") == len(state.listed(run, session)) == 5
    said = text(html)
    assert re.search(r"A wren leads B lark by \d", said)
    heads = [text(head).split() for head in re.findall("<h3>.*?</h3>", html)]
    assert [head[:-1] for head in heads] == [["only", "A"], ["both"], ["only", "B"]]


def test_switching_strikes_the_old_scores_out(run, session):
    assert "Every feature counts" in page.switches(run, session)
    assert 'class="was"' not in page.switches(run, session)
    html = page.switches(run, state.keep(run, session, [0, 1, 2, 4]))
    assert "Without 1 feature it is still <b>wren</b>" in html
    assert html.count('class="was"') == 5


def test_another_answer_is_said(run, session):
    values = np.array([2, 1, 0.5, 0.2, 0.6, 0, 0, 0])
    session = replace(session, look=replace(session.look, features=values))
    html = page.switches(run, state.keep(run, session, [1, 2, 3, 4]))
    assert "the model would say <b>lark</b> instead of <b>wren</b>" in html
    assert html.count("score best") == 1


def test_every_switch_has_the_colour_of_its_feature(run, session):
    style = page.switch_colours(run, session)
    assert style.count("--feature:#") == 5


def test_names_cannot_write_html(run, dark):
    session = state.open_session(run, run.look(np.full_like(dark, 200)))
    session = state.compare_with(
        run, session, next(c for c in state.other_classes(run, session) if c == 3)
    )
    whole = "".join(
        (
            page.verdict(run, session, ["<i>"], truth="<i>"),
            page.contrast(run, session),
            page.switches(run, session),
            page.problem("<i>"),
        )
    )
    assert "tit &lt;b&gt;" in whole
    assert "red &lt;i&gt; bill" in whole
    assert "tit <b>" not in whole
    assert "<i>" not in whole


def test_a_single_class_has_nothing_to_compare_with(run, dark):
    single = replace(run, class_names=("wren",), assignment=run.assignment[:1])
    session = state.open_session(single, single.look(dark))
    assert session.against is None
    assert "only this class" in page.contrast(single, session)
    off = state.keep(single, session, [0])
    assert "it is still <b>wren</b>." in page.switches(single, off)
