import io
import re

import pytest
from PIL import Image
from pypdf import PdfReader

from reports import make_report
from reports.charts.svg import rect
from reports.page.blocks import Document, Drawing, ImageGrid, Section, Text, Tiles, link, rich
from reports.render import glyphs
from reports.render.pdf import drawing_pdf, drawing_png, to_pdf


@pytest.fixture(scope="module")
def document(study):
    return make_report(study).document


@pytest.fixture(scope="module")
def pdf(document):
    return to_pdf(document)


def text_of(data):
    return re.sub(
        r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
    )


def test_title_answer_and_every_heading_are_in_the_text(document, pdf):
    text = text_of(pdf)
    assert document.title in text
    for section in document.sections[1:]:
        assert section.title in text


def test_it_is_tagged_and_says_its_language(pdf):
    root = PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert "/StructTreeRoot" in root


def test_all_fonts_are_embedded(pdf):
    fonts = {}
    for page in PdfReader(io.BytesIO(pdf)).pages:
        for name, font in (page["/Resources"].get("/Font") or {}).items():
            fonts[name] = font.get_object()
    assert fonts
    for font in fonts.values():
        inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
        descriptor = inner["/FontDescriptor"]
        assert any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))


def test_pages_are_numbered_and_listed(document, pdf):
    reader = PdfReader(io.BytesIO(pdf))
    count = len(reader.pages)
    assert f"1 / {count}" in text_of(pdf)
    assert f"{count} / {count}" in text_of(pdf)
    titles = [item.title for item in _flat(reader.outline)]
    main, appendix = ([s.title for s in part] for part in (document.main, document.appendix))
    assert titles == [*main[1:], "Appendix", *appendix]
    assert any(
        "/Link" in annotation.get_object().values() for annotation in reader.pages[0]["/Annots"]
    )


def _flat(outline):
    for item in outline:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


def test_every_picture_of_the_last_step_is_there(document, pdf):
    grids = [block for block in document.blocks() if isinstance(block, ImageGrid)]
    shown_grids = [
        grid for grid in grids if grid.name == "first-page" or grid.name == grids[1].name
    ]
    cells = [cell for grid in shown_grids for row in grid.cells for cell in row]
    pictures = {cell.last.data for cell in cells if isinstance(cell, Tiles)}
    shown = {image.data for page in PdfReader(io.BytesIO(pdf)).pages for image in page.images}
    assert len(shown) >= len(pictures) > 4


def test_equal_documents_give_equal_bytes(document, pdf):
    assert to_pdf(document) == pdf


def test_a_character_that_no_font_has_is_shown_by_its_number(monkeypatch):
    monkeypatch.setattr(glyphs, "_system_fonts", lambda: [])
    section = Section("answer", "Answer", "Answer", (Text(rich("about 日 and 😀")),))
    text = text_of(to_pdf(Document("n", "title 本", "foot", (section,))))
    assert "[U+65E5]" in text
    assert "title [U+672C]" in text
    assert "no font" in text


def test_a_link_to_a_section_that_is_left_out_is_plain_text():
    section = Section("answer", "Answer", "Answer", (Text(rich(link("see there", "#gone"))),))
    assert "see there" in text_of(to_pdf(Document("n", "title", "foot", (section,))))


def test_a_drawing_is_a_page_of_its_own_size():
    data = drawing_pdf(Drawing("d", rect(0, 0, 10, 10, "fon"), 200, 100, "a square"))
    (page,) = PdfReader(io.BytesIO(data)).pages
    assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(
        (150, 75), abs=1
    )
    assert drawing_pdf(Drawing("d", rect(0, 0, 10, 10, "fon"), 200, 100, "a square")) == data


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_a_drawing_is_an_image_of_its_own_size(scale):
    drawing = Drawing("d", rect(0, 0, 100, 100, "fon"), 200, 100, "a square")
    data = drawing_png(drawing, scale)
    image = Image.open(io.BytesIO(data)).convert("RGB")
    assert image.size == (200 * scale, 100 * scale)
    left, right = (image.getpixel((int(x * scale), int(50 * scale))) for x in (50, 150))
    assert left == (163, 56, 0)
    assert right == (255, 255, 255)
    assert drawing_png(drawing, scale) == data
