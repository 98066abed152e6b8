"""The pages in a real browser: Debian's Chromium, driven by playwright, at a phone's width. Leaves screenshots."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from frontend_api.documents.certificate import parse
from frontend_api.documents.verification import Verdict
from frontend_api.documents.wording import VERDICTS
from tests.certificates import scenarios

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".build" / "screenshots"
PHONE = {"width": 390, "height": 844}
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: One per verdict, and the ways of holding a certificate.
SHOWN = [
    "valid",
    "revoked",
    "superseded",
    "pledged",
    "frozen",
    "expired",
    "unknown",
    "not_issued",
    "altered",
    "hidden",
    "issuer_suspended",
]


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The stage served by Granian on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--host", "127.0.0.1"]
    server = subprocess.Popen([*command, "--port", str(port), "tests.web.stage:make_app"], cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{address}/verify", timeout=2)
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server did not come up"
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    from playwright.sync_api import sync_playwright

    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    program = shutil.which("chromium")
    assert program, "Debian's chromium is not installed: apt-get install chromium fonts-noto-cjk"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser, site) -> Iterator:
    """A function that opens a page in a fresh profile; no console error and no request to another host may follow."""
    contexts = []
    complaints: list[str] = []

    def open_page(path: str, language: str = "en", scenario: str = "valid", **options):
        options = {"viewport": PHONE, "device_scale_factor": 2, **options}
        context = browser.new_context(locale=language, extra_http_headers={"x-scenario": scenario}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: None if r.url.startswith(site) else complaints.append(f"asked {r.url}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            # An answer of 422 or 503 is announced there too; it is meant.
            lambda m: complaints.append(m.text) if m.type in ("error", "warning") and not meant(m.text) else None,
        )
        page.goto(site + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def meant(message: str) -> bool:
    return "status of 422" in message or "status of 503" in message


def fits(page) -> bool:
    """Nothing is wider than the screen."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", SHOWN)
def test_verify__file_chosen_on_a_phone__verdict_in_words(visit, tmp_path, name, language):
    scenario = scenarios()[name]
    file = tmp_path / "certificate.json"
    file.write_bytes(scenario.file)
    page = visit("/verify", "zh-CN" if language == "zh" else "en-GB", name)

    page.set_input_files("#file", file)
    page.click("button[type=submit]")

    assert page.inner_text("#headline") == VERDICTS[Verdict(scenario.verdict)][language]
    assert page.get_attribute(".verdict", "data-verdict") == scenario.verdict
    assert page.locator(".answers li").count() == 3
    assert fits(page)
    page.screenshot(path=SCREENSHOTS / f"{name}-{language}.png", full_page=True)


def test_verify__text_pasted__verdict_and_other_language_on_request(visit):
    page = visit("/verify", "en-GB")
    page.fill("#text", scenarios()["valid"].file.decode())
    page.click("button[type=submit]")
    assert page.inner_text("#headline") == "Valid"

    page.click("text=中文")

    assert page.inner_text("#headline") == "有效"
    assert page.get_attribute("html", "lang") == "zh-CN"
    assert "李明" in page.inner_text("main")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_verify__form_and_errors__fit_the_phone(visit, language):
    page = visit(f"/verify?lang={language}")
    assert fits(page)
    page.screenshot(path=SCREENSHOTS / f"form-{language}.png", full_page=True)

    page.fill("#text", "{")
    with page.expect_response("**/verify?**") as answer:
        page.click("button[type=submit]")
    assert answer.value.status == 422
    assert fits(page)
    page.screenshot(path=SCREENSHOTS / f"error-{language}.png", full_page=True)


def test_certificate__printed__qr_code_read_by_another_program_leads_to_the_verdict(visit, site):
    import zxingcpp
    from PIL import Image

    scenario = scenarios()["pledged"]
    page = visit("/verify?lang=zh", scenario="pledged")
    page.fill("#text", scenario.file.decode())
    page.click("button[type=submit]")
    page.click("text=打开打印版")
    assert fits(page)
    page.screenshot(path=SCREENSHOTS / "certificate-zh.png", full_page=True)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dots an inch
    page.screenshot(path=SCREENSHOTS / "certificate-print-zh.png")
    page.pdf(path=SCREENSHOTS / "certificate-zh.pdf", prefer_css_page_size=True)
    page.locator(".qr").screenshot(path=SCREENSHOTS / "certificate-qr.png")

    read = zxingcpp.read_barcodes(Image.open(SCREENSHOTS / "certificate-qr.png"))

    root = "0x" + parse(scenario.file).document_root.hex()
    assert [code.text for code in read] == [f"{site}/verify/{root}"]
    followed = visit(f"/verify/{root}", "zh-CN", "pledged")
    assert followed.inner_text("#headline") == "已抵押"
    assert "李明" not in followed.content()
    followed.screenshot(path=SCREENSHOTS / "link-zh.png", full_page=True)


def test_verify__desktop__reads_well_too(visit):
    page = visit("/verify?lang=en", scenario="frozen", viewport={"width": 1280, "height": 900}, device_scale_factor=1)
    page.fill("#text", scenarios()["frozen"].file.decode())
    page.click("button[type=submit]")
    assert page.inner_text("#headline") == "Frozen"
    page.screenshot(path=SCREENSHOTS / "desktop-en.png", full_page=True)
