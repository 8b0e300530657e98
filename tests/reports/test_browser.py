"""The page in a real browser: from disk, without network, by keyboard, on a phone, in the dark, on
paper."""

import base64
import io
import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from pypdf import PdfReader

from reports import build_report

selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def address(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    build_report(study, folder, formats=("html",))
    return (folder / "index.html").as_uri()


@pytest.fixture
def page(browser, address):
    size(browser, 1280)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    browser.get(address)
    return browser


def size(browser, width):
    values = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", values)


def emulate(browser, **features):
    pairs = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": pairs})


def test_it_opens_from_disk_without_error_or_request(page, address):
    page.get_log("performance")
    page.get(address)
    events = " ".join(entry["message"] for entry in page.get_log("performance"))
    requests = re.findall(r'"url":"((?:https?|file|ws)[^"]*)"', events)
    assert {url.partition("#")[0] for url in requests} <= {address}
    assert page.get_log("browser") == []


def test_the_slider_drives_panels_and_pictures_by_keyboard(page):
    slider = page.find_element("id", "step-curves")
    slider.send_keys(Keys.HOME)
    output = page.find_element("css selector", '[data-panel="curve-000000000003"] output')
    assert output.text.startswith("mean 0.03")
    assert page.find_element("css selector", 'label[for="step-curves"]').text == "Step 0"
    shown = (
        "return [...document.querySelectorAll('#images [data-grid]')].map("
        "g => [JSON.parse(g.dataset.steps).length, +g.style.getPropertyValue('--s')])"
    )
    moving = [at for steps, at in page.execute_script(shown) if steps > 1]
    assert moving
    assert set(moving) == {0}
    slider.send_keys(Keys.END)
    assert all(at == steps - 1 for steps, at in page.execute_script(shown) if steps > 1)
    assert slider.get_attribute("aria-valuetext") == "step 400"


def test_pointing_at_a_panel_shows_its_values(page):
    svg = page.find_element("css selector", '[data-panel="curve-000000000001"] svg')
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", svg)
    selenium.ActionChains(page).move_to_element(svg).perform()
    text = page.find_element("css selector", '[data-panel="curve-000000000001"] output').text
    assert re.fullmatch(r"mean [\d.]+, seeds [\d.]+ to [\d.]+", text)
    assert page.find_element("css selector", 'label[for="step-curves"]').text not in (
        "Step 0",
        "Step 400",
    )


def unfold(page):
    page.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")


def test_tables_sort_by_keyboard(page):
    unfold(page)
    button = page.find_element("css selector", "#t-trials thead th:nth-child(5) button")
    values = (
        "return [...document.querySelectorAll('#t-trials tbody tr td:nth-child(5)')].map(c => "
        "c.dataset.v ?? null)"
    )
    button.send_keys(Keys.ENTER)
    rows = page.execute_script(values)
    known = [float(value) for value in rows if value is not None]
    assert known == sorted(known)
    assert rows[-1] is None
    button.send_keys(Keys.ENTER)
    assert [float(v) for v in page.execute_script(values) if v is not None] == sorted(
        known, reverse=True
    )
    head = page.find_element("css selector", "#t-trials thead th:nth-child(5)")
    assert head.get_attribute("aria-sort") == "descending"


def test_tables_filter_by_word_and_level(page):
    unfold(page)
    tools = page.find_element("css selector", '[data-filters="t-trials"]')
    Select(tools.find_elements("tag name", "select")[1]).select_by_visible_text("diverged")
    rows = page.find_elements("css selector", "#t-trials tbody tr:not([hidden])")
    assert len(rows) == 1
    assert tools.find_element("tag name", "output").text == "1 of 16 rows"
    tools.find_element("tag name", "input").send_keys("no such trial")
    assert page.find_elements("css selector", "#t-trials tbody tr:not([hidden])") == []


def test_layers_of_the_curves_can_be_hidden(page):
    box = page.find_element("css selector", '[data-layer="seeds"]')
    box.send_keys(Keys.SPACE)
    hidden = (
        "return [...document.querySelectorAll('#f-curves .l-seeds')].every(e => e.style.display "
        "=== 'none')"
    )
    assert page.execute_script(hidden)


def test_dark_follows_the_system_and_the_button_turns_it(page):
    ground = "return getComputedStyle(document.body).backgroundColor"
    assert page.execute_script(ground) == "rgb(255, 255, 255)"
    emulate(page, prefers_color_scheme="dark")
    assert page.execute_script(ground) == "rgb(21, 22, 26)"
    page.find_element("id", "theme").click()
    assert page.execute_script(ground) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_no_sideways_scroll_at_any_width(page, width):
    size(page, width)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


def test_odd_labels_do_not_widen_a_phone(browser, make_study, tmp_path):
    names = {"long_recon": "x" * 200, "long_fm": "λ é 日本 <script>alert(1)</script>"}
    build_report(make_study(tmp_path, names=names), tmp_path / "report", formats=("html",))
    size(browser, 390)
    browser.get((tmp_path / "report" / "index.html").as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    assert browser.get_log("browser") == []


CONTRAST = """
const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = rgb =>
  [0.2126, 0.7152, 0.0722].reduce((sum, part, i) => sum + part * linear(rgb[i] / 255), 0);
function ground(element) {
  for (; element; element = element.parentElement) {
    const colour = parse(getComputedStyle(element).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
}
const words = e => e.checkVisibility()
  && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
return [...document.querySelectorAll('body *')].filter(words).map(e => {
  const style = getComputedStyle(e);
  const ink = light(parse(e.closest('svg') ? style.fill : style.color));
  const [low, high] = [ink, light(ground(e))].sort((a, b) => a - b);
  return [(high + 0.05) / (low + 0.05), e.tagName, e.textContent.slice(0, 30)];
}).filter(([ratio]) => ratio < 4.5);
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_contrast_aa(page, theme):
    emulate(page, prefers_color_scheme=theme)
    page.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.execute_script(CONTRAST) == []


NAMES = """
const name = e =>
  (e.getAttribute('aria-label') || e.textContent || e.getAttribute('alt') || '').trim()
  || [...(e.labels || [])].map(l => l.textContent.trim()).join('');
const named = 'button, a, input, select, img, [role=img], [role=region], nav, section';
return [...document.querySelectorAll(named)]
  .filter(e => !name(e) && !e.getAttribute('aria-labelledby')).map(e => e.outerHTML.slice(0, 80));
"""


def test_everything_that_can_be_used_or_seen_has_a_name(page):
    assert page.execute_script(NAMES) == []
    levels = page.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.execute_script("return document.documentElement.lang") == "en"


AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: npm install --no-save axe-core")
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_fault(page, width, theme):
    size(page, width)
    emulate(page, prefers_color_scheme=theme)
    page.execute_script(AXE.read_text(encoding="utf-8"))
    result = page.execute_async_script("const done = arguments[0]; axe.run().then(done)")
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in result["violations"]] == []


def test_it_is_readable_without_script(page, address):
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.get(address)
        tiles = page.find_elements("css selector", '[data-grid="first-page"] img')
        assert all(tile.is_displayed() for tile in tiles)
        assert page.find_element("css selector", "h1").is_displayed()
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_no_table_is_cut_on_paper(page):
    """On A4 every table is as wide as its box at most, and what was folded is printed."""
    size(page, 700)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    wide = (
        "return [...document.querySelectorAll('.scroll')].filter(b => b.scrollWidth > "
        "b.clientWidth + 1)"
    )
    assert page.execute_script(f"{wide}.map(b => b.ariaLabel)") == []
    data = page.execute_cdp_cmd(
        "Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True}
    )["data"]
    reader = PdfReader(io.BytesIO(base64.b64decode(data)))
    text = " ".join(sheet.extract_text() for sheet in reader.pages)
    assert "We compared 4 arms" in re.sub(r"\s+", " ", text)
    assert re.sub(r"\s", "", text).count("g2g-ablateverify.0000") == 16
    assert len(reader.pages) < 14
