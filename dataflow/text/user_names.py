"""Users' names that can be told apart by eye: a rule for new ones, and how to show one that comes from elsewhere.

Refused are invisible characters and those that turn the direction of text, letters of several scripts in one name
(as Latin "amy" with a Cyrillic а; Chinese, Japanese and Korean write with several), and a name that looks like one that
there is: both have the same `skeleton`. Unicode's own lists are larger than the table here; for what is missing in it
`describe` shows the script.
Source: https://www.unicode.org/reports/tr39/ (Unicode Security Mechanisms)
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")
_TOGETHER = (
    {"CJK", "HIRAGANA", "KATAKANA", "LATIN"}, {"CJK", "HANGUL", "LATIN"}, {"CJK", "BOPOMOFO", "LATIN"},
)  # fmt: skip
_HIDDEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
_BLANK = "\u115f\u1160\u3164\uffa0\u2800\u034f\u180b\u180c\u180d\u180f\ufe00\ufe0f"
"""Letters, marks and a symbol that are drawn as nothing."""
_MODIFIERS = ("MODIFIER", "COMBINING", "FULLWIDTH", "HALFWIDTH", "MATHEMATICAL", "CIRCLED", "PARENTHESIZED", "SQUARED")
_LOOKS = {
    "a": "аαɑ", "b": "ЬБвβⲃᏏᖯ", "c": "сϲⲥᴄ", "d": "ԁᏧᑯ", "e": "еєҽεⲉ", "f": "ғϝքſ", "g": "ɡցԍ", "h": "һհηнᏂ",
    "i": "іɩιıⲓ", "l": "ӏǀ", "j": "јϳյ", "k": "кκҝⲕᴋ", "m": "мⲙᴍμ", "n": "пոռᴨ", "o": "оοσօⲟᴏο", "p": "рρⲣ", "q": "ԛգզ",
    "r": "гᴦⲅꭇ", "s": "ѕꮪꜱʂտ", "t": "тτⲧᴛ", "u": "υսʋᴜцμ", "v": "νѵᴠ", "w": "ԝωшщѡᴡա", "x": "хχ×ⲭӽ", "y": "уүγყỿʏυ",
    "z": "ᴢʐʐ", "3": "зӡЗʒ", "4": "Ч", "6": "б", "8": "ȣ",
}  # fmt: skip
_CAPITALS = {
    "a": "АΑᎪꓮ", "b": "ВΒᏴꓐ", "c": "СϹᏟꓚ", "d": "ᎠꓓꭰÐĐ", "e": "ЕΕᎬꓰ", "f": "Ϝꓝ", "g": "ԌᏀꓖ", "h": "НΗᎻꓧ",
    "l": "ІΙӀꓲᏞꓡԼ", "j": "ЈᎫꓙͿ", "k": "КΚᏦꓗK", "m": "МΜᎷꓟ", "n": "Νꓠ", "o": "ОΟՕꓳ", "p": "РΡᏢꓑ", "q": "Ԛ", "r": "ᎡꓣᏒ",
    "s": "ЅՏᏚꓢ", "t": "ТΤᎢꓔ", "u": "ՍꓴԱ", "v": "ѴᏙꓦ", "w": "ԜᎳꓪ", "x": "ХΧꓫ", "y": "УҮΥϒꓬ", "z": "ΖᏃꓜ",
}  # fmt: skip
_LIKE = {ord(each): letter for table in (_LOOKS, _CAPITALS) for letter, alike in table.items() for each in alike}
_LIKE |= {ord("0"): "o", ord("1"): "l", ord("I"): "l", ord("|"): "l"}


def problem(name: str) -> str | None:
    """Why a new user can't have this name; None: it can be told from others."""
    if name != unicodedata.normalize("NFC", name):
        return "write it in composed characters (NFC), so that one name is one text"
    for character in name:
        if is_hidden(character):
            return f"it has a character in it that nobody sees, U+{ord(character):04X}"
    found = scripts(name)
    if len(found) > 1 and not any(set(found) <= together for together in _TOGETHER):
        return f"it mixes letters of several scripts ({_listed(found)}), which look alike; write it in one"
    return None


def alike(name: str, others: Iterable[str]) -> str | None:
    """The one among the other names that looks like this one, or differs in capitals only."""
    own = skeleton(name), name.casefold()
    return next(
        (other for other in others if other != name and (skeleton(other) == own[0] or other.casefold() == own[1])), None
    )


@lru_cache(maxsize=4096)
def skeleton(name: str) -> str:
    """Two names with the same skeleton look alike: letters by the Latin ones that they look like, without spaces."""
    plain = "".join(map(_like, unicodedata.normalize("NFKD", name)))
    plain = "".join(map(_like, unicodedata.normalize("NFKD", plain.casefold())))
    return plain.replace("rn", "m").replace("vv", "w").replace("cl", "d")


def scripts(name: str) -> list[str]:
    """The scripts of its letters, as Unicode names them, in order: ["LATIN", "CYRILLIC"]."""
    return list(dict.fromkeys(_script(character) for character in name if character.isalpha()))


def describe(name: str) -> str:
    """The name as it may be shown anywhere: nothing in it is hidden, and letters that are not Latin are named."""
    visible, found = _visible(name), scripts(name)
    return visible if found in ([], ["LATIN"]) else f"{visible} ({_listed(found)})"


def distinguish(names: Sequence[str]) -> list[str]:
    """Names as they may be shown beside each other: nothing is hidden, and the script is named where two look alike, or
    where one mixes several.
    """
    looks = Counter(skeleton(name) for name in set(names))
    return [
        describe(name) if looks[skeleton(name)] > 1 or len(scripts(name)) > 1 else _visible(name) for name in names
    ]


def is_hidden(character: str) -> bool:
    """Whether it is not seen, or changes how other characters are seen."""
    return unicodedata.category(character) in _HIDDEN or character in _BLANK or "\ufe00" <= character <= "\ufe0f"


def _visible(name: str) -> str:
    return "".join(_escape(character) if is_hidden(character) else character for character in name)


def _script(letter: str) -> str:
    words = unicodedata.name(letter, "UNKNOWN").split()
    while len(words) > 1 and words[0] in _MODIFIERS:
        del words[0]
    first = words[0].partition("-")[0]
    return "LATIN" if first in ("SMALL", "CAPITAL", "BOLD", "ITALIC", "FEMININE", "MASCULINE", "SUPERSCRIPT") else first


def _like(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return ""
    return _LIKE.get(ord(character), character)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _listed(found: Iterable[str]) -> str:
    return ", ".join(each.capitalize() if each not in ("CJK",) else "Chinese" for each in found)
