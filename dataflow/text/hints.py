"""Did you mean …?: the nearest known name to a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 200
"""Characters of a word that could be a misspelt name."""


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence for people, or "" where nothing is near: "did you mean `title`?"."""
    from difflib import get_close_matches

    if len(word) > LONGEST:
        return ""
    folded = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f"did you mean `{folded[near[0]]}`?" if near else ""


def listing(known: Iterable[str], limit: int = 12) -> str:
    """The known names, in order, for a hint: "`a`, `b` or `c`"."""
    names = [f"`{name}`" for name in known]
    if len(names) > limit:
        return ", ".join(names[:limit]) + f" … ({len(names)} in all)"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1] if names else "none"


def suggest(word: str, known: Iterable[str]) -> str:
    """The nearest name, or else what there is to choose from."""
    names = list(known)
    return nearest(word, names) or (f"there is {listing(names)}" if names else "")
