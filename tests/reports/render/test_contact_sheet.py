import io

from PIL import Image

from reports.page.blocks import Picture
from reports.render.contact_sheet import Card, Group, Sheet, to_contact_sheet
from tests.reports.render.test_html import Page

EVIL = '"><script>alert(1)</script>{{ 7 * 7 }}'


def test_a_sheet_is_self_contained_and_escaped():
    file = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(file, "JPEG")
    picture = Picture(file.getvalue(), 8, 6, EVIL)
    cards = (Card(((picture, EVIL), (None, "b.png")), EVIL),)
    html = to_contact_sheet(EVIL, (Sheet(EVIL, (EVIL,), (Group(EVIL, cards, 3),)),))
    page = Page(html)
    assert not page.all("script")
    assert "".join(page.text).count(EVIL) >= 5
    (image,) = page.all("img")
    assert image["src"].startswith("data:image/jpeg;base64,")
    assert image["alt"] == EVIL
    assert any(meta.get("name") == "viewport" for meta in page.all("meta"))
    assert "3 more are not shown here" in html
    assert "http" not in html.replace("http-equiv", "")
