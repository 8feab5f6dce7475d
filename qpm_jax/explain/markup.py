"""Small helpers that write HTML: escaping, numbers, definition lists."""

import html
import math
from collections.abc import Iterable, Mapping
from typing import Any

MISSING = "–"


def escape(text: object) -> str:
    """Returns text that HTML shows as it is, in content and in attributes."""
    return html.escape(str(text), quote=True)


def plural(count: int, singular: str, many: str = "") -> str:
    """Returns such as `1 class`, `50 classes`."""
    return f"{count:,} {singular if count == 1 else many or singular + 's'}"


def percent(value: object) -> str:
    """Formats a fraction as a percentage; None or a non-number as a dash.

    A string, such as a mean with its spread, is shown as it is.
    """
    if isinstance(value, str):
        return escape(value)
    number = _as_number(value)
    return MISSING if number is None else f"{100 * number:.1f}\u00a0%"


def gap(value: object) -> str:
    """Formats a relative gap as a percentage of three digits; None as a dash."""
    amount = _as_number(value)
    return MISSING if amount is None else f"{100 * amount:.3g}\u00a0%"


def number(value: object) -> str:
    """Formats a number with as many digits as it deserves; None as a dash."""
    if isinstance(value, str):
        return escape(value)
    amount = _as_number(value)
    if amount is None:
        return MISSING
    if amount == int(amount) and abs(amount) < 1e12:
        return f"{int(amount):,}"
    if 1e-3 <= abs(amount) < 1e6:
        decimals = max(0, 4 - max(1, math.floor(math.log10(abs(amount))) + 1))
        return f"{amount:,.{decimals}f}"
    return f"{amount:.3g}"


def seconds(value: object) -> str:
    """Formats a duration: `0.42 s`, `12.3 s`, `4 min 10 s`, `1 h 2 min`."""
    amount = _as_number(value)
    if amount is None:
        return MISSING
    if amount < 60:
        return f"{amount:.2f} s" if amount < 10 else f"{amount:.1f} s"
    whole = round(amount)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _as_number(value: object) -> float | None:
    if value is None:
        return None
    try:
        amount = float(value)  # pyrefly: ignore  # NumPy and JAX scalars count too
    except (TypeError, ValueError):
        return None
    return amount if math.isfinite(amount) else None


def shorten(text: str, longest: int) -> str:
    """Returns text of at most `longest` characters, cut with an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def view(words: str, **data: object) -> str:
    """Returns the place where the page's script puts a photo and what lies over it."""
    attributes = "".join(f' data-{k}="{escape(v)}"' for k, v in data.items())
    named = f'role="img" aria-label="{escape(words)}"'
    return f'<span class="view" {named}{attributes}></span>'


def folding(identity: str, count: int, first: int, what: str) -> str:
    """Returns the button that unfolds a long list; nothing where it is short."""
    if count <= first:
        return ""
    return (
        f'<button type="button" class="more" aria-controls="{identity}" hidden>'
        f"Show all {count:,} {what}</button>"
    )


def section(anchor: str, title: str, lead: str, body: str) -> str:
    """Returns a titled section; `title` is escaped, `lead` and `body` are HTML."""
    lead_html = f'<p class="lead">{lead}</p>' if lead else ""
    return (
        f'<section id="{anchor}"><h2>{escape(title)}</h2>{lead_html}\n{body}</section>'
    )


def definition_list(pairs: Iterable[tuple[str, str]]) -> str:
    """Returns a two-column list; terms are escaped, descriptions are HTML."""
    rows = "".join(
        f"<div><dt>{escape(term)}</dt><dd>{description}</dd></div>"
        for term, description in pairs
    )
    return f"<dl>{rows}</dl>"


def nested_facts(facts: Mapping[str, Any]) -> str:
    """Returns facts as definition lists; a mapping among them gets its own heading."""
    plain = [(key, _fact(value)) for key, value in facts.items() if _is_plain(value)]
    blocks = [definition_list(plain)] if plain else []
    for key, value in facts.items():
        if not _is_plain(value):
            blocks.append(f"<h3>{escape(key)}</h3>{nested_facts(value)}")
    return "".join(blocks)


def _is_plain(value: object) -> bool:
    return not isinstance(value, Mapping)


def _fact(value: object) -> str:
    if value is None:
        return MISSING
    if isinstance(value, (list, tuple)):
        return escape(", ".join(str(item) for item in value))
    if isinstance(value, float):
        return escape(f"{value:.6g}")
    return escape(value)


def signed(value: float) -> str:
    """Returns a number with its sign and two decimals, such as +2.31 or −0.40."""
    return f"{value:+.2f}".replace("-", "−")
