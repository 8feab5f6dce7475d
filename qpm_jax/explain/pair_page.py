"""Pairs of classes: any two compared, and those that differ in one feature, ranked.

The grids are the published ones (docs/formulas.md, Contrastive pictures): two rows, one
a class; the photo, the features only the first class has, those both have, those only
the second has. The page's script draws them, so that the reader can choose any pair.
"""

from qpm_jax.explain.chips import feature_chips
from qpm_jax.explain.contents import ReportContents
from qpm_jax.explain.contrast import (
    class_contrast,
    pairs_one_apart,
    spread_pairs,
)
from qpm_jax.explain.markup import escape, folding, plural, section
from qpm_jax.explain.page_data import ranked_pairs

_FIRST = 12
# Without pairs one feature apart, so many of the nearest are listed instead.
_NEAREST = 20


def compare_section(contents: ReportContents) -> str:
    """Returns the comparison of two classes of the reader's choice."""
    if len(contents.class_names) < 2:
        return ""
    lead = (
        "Any two classes: what they share and what tells them apart. Each feature "
        "keeps its colour; the stronger the colour, the more it is active there."
    )
    body = (
        '<div class="chooser live-only"><label for="first">Class A</label>'
        '<select id="first"></select>'
        '<button type="button" id="swap" aria-label="Swap A and B">⇄</button>'
        '<label for="second">Class B</label><select id="second"></select></div>'
        '<p id="compared" role="status" class="only-heard"></p>'
        '<div id="comparison"></div><div id="nearest" class="choices"></div>'
    )
    return section("compare", "Compare two classes", lead, body)


def _row(contents: ReportContents, first: int, second: int, rest: bool) -> str:
    names = contents.class_names
    pair = class_contrast(contents.assignment, first, second)
    cells = [
        f'<a href="#compare" data-pair="{first},{second}">{escape(names[first])} '
        f'<span class="muted">and</span> {escape(names[second])}</a>',
        feature_chips(contents, pair.only_first),
        feature_chips(contents, pair.only_second),
    ]
    if contents.class_similarity is not None:
        cells.append(f"{float(contents.class_similarity[first, second]):.2f}")
    kind = ' class="rest"' if rest else ""
    return f"<tr{kind}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _lead(contents: ReportContents, near: int, shown: int) -> str:
    if not near:
        return (
            "No two classes differ in a single feature. These are the "
            f"{plural(shown, 'pair')} that share the most."
        )
    words = f"{plural(near, 'pair')} of classes"
    differ = "differs" if near == 1 else "differ"
    order = (
        f", ordered by {escape(contents.similarity_name)}"
        if contents.class_similarity is not None
        else ""
    )
    return f"{words} {differ} in exactly one feature{order}."


def neighbours_section(contents: ReportContents) -> str:
    """Returns the ranked pairs one feature apart, the first ones with pictures."""
    near = len(pairs_one_apart(contents.assignment))
    ranked = ranked_pairs(contents)[: near or _NEAREST]
    if not len(ranked):
        return ""
    cards = "".join(
        f'<div class="pair-place" data-cards="{first},{second}"></div>'
        for first, second in spread_pairs(ranked, contents.num_pairs, 1).tolist()
    )
    heads = ["Classes", "Only the first", "Only the second"]
    if contents.class_similarity is not None:
        heads.append(contents.similarity_name.capitalize())
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in heads)
    rows = "".join(
        _row(contents, first, second, place >= _FIRST)
        for place, (first, second) in enumerate(ranked.tolist())
    )
    body = (
        f'<div class="pairs live-only">{cards}</div>'
        '<div class="scroll" tabindex="0" role="group" aria-label="Pairs of classes">'
        f'<table class="listing foldable" id="pair-list"><thead><tr>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
        f"{folding('pair-list', len(ranked), _FIRST, 'pairs')}"
    )
    lead = _lead(contents, near, len(ranked))
    return section("alike", "One feature apart", lead, body)
