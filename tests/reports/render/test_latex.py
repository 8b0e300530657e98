import pytest

from reports.page.blocks import Cell, Column, Drawing, Table, code, rich, strong
from reports.render.latex import escaped, latex_table, latex_text


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        (
            "a_b & 5 % $x$ #1 {y} ~ ^",
            r"a\_b \& 5 \% \$x\$ \#1 \{y\} \textasciitilde{} \textasciicircum{}",
        ),
        ("\\input{x}", r"\textbackslash{}input\{x\}"),
        ("−0.1 × λ ±", r"$-$0.1 $\times$ $\lambda$ $\pm$"),
        ("<script>", r"\textless{}script\textgreater{}"),
        ("日本 é", "日本 é"),
    ],
)
def test_escaped(text, latex):
    assert escaped(text) == latex


def test_a_table_is_booktabs_without_its_drawings():
    drawing = Drawing("d", "", 1, 1, "alt", "bar")
    table = Table(
        "demo",
        "A & B",
        (
            Column("factor", "Factor"),
            Column("effect", "Effect", "number"),
            Column("bar", "Bar", "drawing"),
        ),
        (
            (
                Cell(rich(code("long_fm")), sub=rich("alone")),
                Cell(rich(strong("−0.1"))),
                Cell(drawing=drawing),
            ),
        ),
    )
    text = latex_table(table)
    assert r"\begin{tabular}{@{}lr@{}}" in text
    assert r"Factor & Effect \\" in text
    assert r"\texttt{long\_fm} (alone) & \textbf{$-$0.1} \\" in text
    assert r"\caption{A \& B}" in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]


def test_paragraphs_are_separated_by_a_blank_line():
    assert (
        latex_text((rich("One ", code("a_b"), "."), rich("Two.")))
        == "One \\texttt{a\\_b}.\n\nTwo.\n"
    )
