"""Tables as LaTeX with booktabs rules, and paragraphs of text."""

from reports.page.blocks import Cell, Column, Document, Rich, Table, plain

ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "−": r"$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "●": r"$\bullet$",
    "○": r"$\circ$",
    "–": "--",
    "…": r"\dots{}",
    "“": "``",
    "”": "''",
    "↔": r"$\leftrightarrow$",
    "→": r"$\rightarrow$",
    **{
        char: f"${command}$"
        for char, command in zip(
            "αβγδελμσ",
            (
                r"\alpha",
                r"\beta",
                r"\gamma",
                r"\delta",
                r"\varepsilon",
                r"\lambda",
                r"\mu",
                r"\sigma",
            ),
            strict=True,
        )
    },
}


def escaped(text: str) -> str:
    """Return text that LaTeX prints literally.

    Mathematical signs become commands, because pdflatex doesn't know the characters.
    """
    return "".join(ESCAPES.get(char, char) for char in text)


def latex_tables(document: Document) -> dict[str, str]:
    """Return the LaTeX of every table meant for papers, by file name without ending."""
    return {
        block.name: latex_table(block)
        for block in document.blocks()
        if isinstance(block, Table) and block.latex
    }


def latex_table(table: Table) -> str:
    r"""Return a `table` environment with its caption, without the columns of drawings.

    It needs `\usepackage{booktabs}`.
    """
    printed = [index for index, column in enumerate(table.columns) if column.kind != "drawing"]
    columns = [table.columns[index] for index in printed]

    lines = [
        f"% {table.caption}; needs \\usepackage{{booktabs}}".replace("\n", " "),
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{escaped(table.caption)}}}",
        f"  \\label{{tab:{table.name}}}",
        f"  \\begin{{tabular}}{{@{{}}{''.join(map(_align, columns))}@{{}}}}",
        r"    \toprule",
        f"    {' & '.join(escaped(column.label) for column in columns)} \\\\",
        r"    \midrule",
    ]
    lines += [
        f"    {' & '.join(_cell(row[index]) for index in printed)} \\\\" for row in table.rows
    ]
    lines += [r"    \bottomrule", r"  \end{tabular}", r"\end{table}", ""]
    return "\n".join(lines)


def latex_text(paragraphs: tuple[Rich, ...]) -> str:
    """Return paragraphs in which names are in typewriter type."""
    return "\n\n".join(_spans(paragraph) for paragraph in paragraphs) + "\n"


def _align(column: Column) -> str:
    """Return the alignment of a column: numbers to the right, all else to the left."""
    return "r" if column.kind == "number" else "l"


def _cell(cell: Cell) -> str:
    """Return a cell with its badge, its text, and its second line in parentheses."""
    main = " ".join(part for part in (cell.badge, _spans(cell.spans)) if part)
    below = escaped(plain(cell.sub))
    return f"{main} ({below})" if main and below else main or below


def _spans(text: Rich) -> str:
    """Return a text with its styles as LaTeX commands."""
    wraps = {"strong": r"\textbf{%s}", "code": r"\texttt{%s}"}
    return "".join(wraps.get(span.style, "%s").replace("%s", escaped(span.text)) for span in text)
