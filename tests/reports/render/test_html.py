import json
import re
from html.parser import HTMLParser

import pytest

from reports import make_report
from reports.render.html import to_html

VOID = {"meta", "link", "img", "input", "br"}


class Page(HTMLParser):
    """Checks that elements are closed in order and keeps what tests ask for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def html(study):
    return to_html(make_report(study).document)


def test_elements_are_nested_and_ids_are_unique(html):
    ids = [attrs["id"] for _, attrs in Page(html).elements if "id" in attrs]
    assert len(ids) == len(set(ids)) > 10


def test_nothing_is_asked_of_the_network(html):
    page = Page(html)
    addresses = [
        attrs[key] for _, attrs in page.elements for key in ("src", "href") if key in attrs
    ]
    assert addresses
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttp", html)


def test_every_link_inside_the_page_has_its_target(html):
    page = Page(html)
    ids = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    assert {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")} <= ids


def test_every_picture_and_drawing_has_a_text(html):
    page = Page(html)
    assert page.all("img")
    assert all(attrs["alt"] for attrs in page.all("img"))
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in page.all("svg"))


def test_equal_tables_give_equal_pages(html, study):
    assert to_html(make_report(study).document) == html


def test_labels_are_text_never_markup(make_study):
    label = "<script>alert('x')</script><b>"
    page = to_html(
        make_report(
            make_study(factors=1, seeds=2, names={"long_recon": label}, name=label)
        ).document
    )
    scripts = re.findall(r"<script", page)
    assert len(scripts) == 2
    assert label in "".join(Page(page).text)


def test_the_values_behind_the_panels_are_valid_json(html):
    series = json.loads(re.search(r'id="series">(.*?)</script>', html).group(1))
    panel = series["panels"]["curve-000000000003"]
    assert series["last"] == 400
    assert panel["series"][0]["label"] == "mean"
    assert len(panel["series"]) == 5
    assert all(len(line["steps"]) == len(line["values"]) for line in panel["series"])


def test_24_trials_stay_below_5_megabytes(make_study, tmp_path):
    page = to_html(make_report(make_study(tmp_path, factors=3, seeds=3, tile=128)).document)
    assert len(page) < 5_000_000
