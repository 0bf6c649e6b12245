from __future__ import annotations

import pytest
from PySide6.QtGui import QFontInfo, QFontMetrics

from gui.theme import fonts
from gui.theme.icons import icon
from gui.theme.theme import BUILT_IN, ROLES, Theme, ThemeError

WORDS = ("text", "dim", "faint", "accent", "pending", "ok", "warning", "critical")


def luminance(color):
    parts = (color.redF(), color.greenF(), color.blueF())
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", BUILT_IN)
def test_words_can_be_read_on_every_surface(name):
    theme = Theme.load(name)
    poor = {
        (role, surface): round(contrast(theme.color(role), theme.color(surface)), 2)
        for role in WORDS
        for surface in ("card", "background", "input")
        if contrast(theme.color(role), theme.color(surface)) < 4.5
    }
    assert not poor
    assert contrast(theme.color("on_accent"), theme.color("accent")) >= 4.5
    assert all(contrast(theme.color(f"series{n}"), theme.color("card")) >= 3 for n in range(1, 7))


def test_a_tone_that_is_no_role_is_shown_as_text():
    theme = Theme.load("dark")
    assert theme.color("mauve") == theme.color(None) == theme.color("text")
    assert theme.color("mauve", "dim") == theme.color("dim")


def roles(**changes):
    lines = dict.fromkeys(ROLES, "#101010") | changes
    return "[roles]\n" + "\n".join(f'{role} = "{value}"' for role, value in lines.items() if value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"[roles", "Expected ']'"),
        (b"\xff\xfe", "not UTF-8"),
        (b'roles = "dark"', "must be a section"),
        (roles(dim="", card="").encode(), "lacks card, dim"),
        (roles(dim="greyish").encode(), "dim = 'greyish': neither #rrggbb nor a name in"),
        (roles(mauve="#ff00ff").encode(), "mauve: no such role"),
    ],
)
def test_a_bad_theme_file_is_refused_with_its_place(tmp_path, content, complaint):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(ThemeError) as refused:
        Theme.load(path)
    assert complaint in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_theme_says_what_there_is():
    with pytest.raises(ThemeError, match="use dark, light or the path"):
        Theme.load("darkest")


def test_roles_refer_to_the_palette(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[palette]\nink = "#123456"\n' + roles(text="ink"), "utf-8")
    assert Theme.load(path).color("text").name() == "#123456"


def test_a_theme_becomes_another_everywhere(qtbot, qapp, theme):
    with qtbot.waitSignal(theme.changed):
        theme.become(Theme.load("light"), qapp)
    assert theme.name == "Light"
    assert not theme.dark
    assert qapp.palette().window().color() == theme.color("background")
    assert theme.color("accent").name() in qapp.styleSheet()


def test_the_shipped_type_is_used_with_tabular_figures(theme):
    for style in fonts.STYLES:
        font = theme.font(style)
        assert QFontInfo(font).family() == fonts.FAMILY
        assert QFontMetrics(font).horizontalAdvance("1111") == QFontMetrics(font).horizontalAdvance("8888")


def test_icons_are_tinted_and_sharp(theme):
    picture = icon("pause", theme.color("critical"), 16, 2.0)
    assert (picture.width(), picture.deviceIndependentSize().width()) == (32, 16)
    assert picture.pixelColor(10, 16).name() == theme.color("critical").name()
    assert icon("pause", theme.color("critical"), 16, 2.0) is picture
