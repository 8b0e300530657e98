"""Colors and classes, defined once for the page (CSS variables) and for paper (literal colors).

A color means a verdict and nothing else. Color-blind readers can distinguish blue from orange,
because the two differ in lightness, and signs and words repeat what color says. Text has a contrast
of at least 4.5 : 1 against its background, in the light and in the dark theme.
"""

LIGHT = {
    "ink": "#1c1c1a",
    "mute": "#595a5c",
    "line": "#dddbd5",
    "edge": "#8a8880",
    "seeds": "#7d7c78",
    "paper": "#ffffff",
    "panel": "#f7f6f3",
    "off": "#2d5a8c",
    "on": "#a33800",
    "rope": "#e6e3da",
    "good": "#00695f",
    "turn": "#6b3aa0",
}
DARK = {
    "ink": "#eceae4",
    "mute": "#a9aaad",
    "line": "#363840",
    "edge": "#7c7d83",
    "seeds": "#96979c",
    "paper": "#15161a",
    "panel": "#1e2025",
    "off": "#9bbcf0",
    "on": "#ff9a61",
    "rope": "#30323a",
    "good": "#56ccb8",
    "turn": "#cfadff",
}
"""`on` is harm, `good` is help, `off` is a difference that doesn't matter, and `turn` is an effect
that depends on others.

Nothing else has a color: arms, seeds, and curves are ink and gray.
"""

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

DOTS = {"firm": "●●●", "fair": "●●○", "fragile": "●○○"}
"""Mark of how firm a verdict is."""

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
.fig .ax{stroke:EDGE;fill:none}.fig .grid{stroke:LINE;fill:none;stroke-width:.6}\
.fig .thr{stroke:EDGE;stroke-dasharray:2 3;fill:none}\
.fig .rope{fill:ROPE;stroke:EDGE;stroke-width:.5}.fig .zero{stroke:EDGE;fill:none}\
.fig .on{stroke:ON;fill:none}.fig .off{stroke:OFF;fill:none}.fig .good{stroke:GOOD;fill:none}\
.fig .turn{stroke:TURN;fill:none}.fig .mute{stroke:MUTE;fill:none}\
.fig .neutral{stroke:INK;fill:none}.fig .gray{stroke:SEEDS;fill:none}\
.fig .ref{stroke:INK;fill:none;stroke-dasharray:5 3;stroke-width:1.4}\
.fig .fon{fill:ON}.fig .foff{fill:OFF}.fig .fgood{fill:GOOD}.fig .fturn{fill:TURN}\
.fig .fmute{fill:MUTE}.fig .fgray{fill:SEEDS}\
.fig .fneutral{fill:INK}.fig .dot{fill:SEEDS}.fig .hollow{fill:PAPER}\
.fig .seed{stroke-width:1;stroke-opacity:.6}.fig .mean{stroke-width:2.4;stroke-linejoin:round}\
.fig .dash{stroke-dasharray:7 3}.fig .dots{stroke-dasharray:2 2.5}.fig .thin{stroke-width:1.3}\
.fig .bar{stroke-width:2.4}.fig .onset{fill:INK}.fig .cross{stroke:INK;fill:none;stroke-width:1.8}\
.fig .link{stroke:EDGE;fill:none;stroke-width:.8}"""
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
