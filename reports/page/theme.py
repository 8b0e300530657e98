"""Colors and classes, defined once for the page (CSS variables) and for paper (literal colors).

Color-blind readers can distinguish blue from orange, because the two differ in lightness. Signs and
words repeat what color says. Text has a contrast of at least 4.5 : 1 against its background, in the
light and in the dark theme.
"""

LIGHT = {
    "ink": "#1b1f24",
    "mute": "#57606a",
    "line": "#d0d7de",
    "paper": "#ffffff",
    "panel": "#f6f8fa",
    "off": "#0067a3",
    "on": "#b84700",
    "rope": "#e6e9ed",
    "good": "#00694d",
    "turn": "#6b3aa0",
}
DARK = {
    "ink": "#e6edf3",
    "mute": "#9aa5b1",
    "line": "#39424d",
    "paper": "#0e1116",
    "panel": "#171c23",
    "off": "#56b4e9",
    "on": "#f08a4b",
    "rope": "#2a323c",
    "good": "#4cc9a0",
    "turn": "#cfadff",
}

SIGNS = {
    "harms": "▲",
    "helps": "▼",
    "equivalent": "=",
    "depends": "◆",
    "no harm": "=",
    "no benefit": "=",
    "harms on average": "▲",
    "helps on average": "▼",
    "equivalent on average": "=",
    "diverges": "✕",
    "not enough data": "?",
    "finished": "✓",
    "diverged": "✕",
    "failed": "!",
    "interrupted": "…",
    "running": "…",
    "planned": "○",
}
"""Word of a verdict or a status -> the sign before it."""

TONES = {
    "harms": "on",
    "harms on average": "on",
    "diverges": "on",
    "diverged": "on",
    "failed": "on",
    "helps": "good",
    "helps on average": "good",
    "finished": "good",
    "equivalent": "off",
    "equivalent on average": "off",
    "no harm": "off",
    "no benefit": "off",
    "depends": "turn",
}
"""Word of a verdict or a status -> color of its badge; other badges have the color `mute`."""

DRAWING_CLASSES = """\
.fig text{fill:INK;font-size:11px}.fig .mu{fill:MUTE}.fig .tick{fill:MUTE;font-size:10px}\
.fig .end{text-anchor:end}.fig .mid{text-anchor:middle}.fig .bold{font-weight:700}\
.fig .ax{stroke:LINE;fill:none}.fig .grid{stroke:LINE;fill:none;stroke-width:.6}\
.fig .thr{stroke:MUTE;stroke-dasharray:2 3;fill:none}\
.fig .rope{fill:ROPE}.fig .zero{stroke:MUTE;fill:none}\
.fig .on{stroke:ON;fill:none}.fig .off{stroke:OFF;fill:none}.fig .neutral{stroke:INK;fill:none}\
.fig .ref{stroke:MUTE;fill:none;stroke-dasharray:5 3;stroke-width:1.4}\
.fig .fon{fill:ON}.fig .foff{fill:OFF}\
.fig .fneutral{fill:INK}.fig .dot{fill:MUTE;fill-opacity:.6}.fig .hollow{fill:PAPER}\
.fig .seed{stroke-width:1;stroke-opacity:.5}.fig .mean{stroke-width:2.4;stroke-linejoin:round}\
.fig .dash{stroke-dasharray:7 3}.fig .dots{stroke-dasharray:2 2.5}.fig .thin{stroke-width:1.3}\
.fig .bar{stroke-width:2.6}.fig .onset{fill:INK}.fig .cross{stroke:INK;fill:none;stroke-width:1.8}\
.fig .link{stroke:MUTE;fill:none;stroke-width:.8}"""
"""Styles of every class that a drawing can use; names in capitals are colors of the theme."""


def css_variables(theme: dict[str, str]) -> str:
    """Return a theme as CSS variables, such as `--ink:#1b1f24;...`."""
    return ";".join(f"--{name}:{colour}" for name, colour in theme.items())


def page_style() -> str:
    """Return the drawing classes for the page, colored by CSS variables."""
    return _coloured({name: f"var(--{name})" for name in LIGHT})


def paper_style() -> str:
    """Return the drawing classes for a file or the PDF, with literal colors."""
    return _coloured(LIGHT)


def _coloured(colours: dict[str, str]) -> str:
    """Return the drawing classes with the names of colors replaced."""
    style = DRAWING_CLASSES
    for name, colour in sorted(colours.items(), key=lambda item: -len(item[0])):
        # A name with its colon and end matches whole values only, never a part of another word.
        for end in (";", "}"):
            style = style.replace(f":{name.upper()}{end}", f":{colour}{end}")
    return style
