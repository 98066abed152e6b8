"""The pages without a browser: right words in both languages, a visitor's text stays text, a page for every failure."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frontend_api.documents.certificate import hide, parse, to_json
from frontend_api.documents.strict import MAX_BYTES
from frontend_api.documents.verification import Question, Verdict, verify
from frontend_api.documents.wording import ADVICE, QUESTIONS, VERDICTS, say, say_rule, say_time
from frontend_api.web.pages import FORM_OVERHEAD, draw_qr_code
from frontend_api.web.texts import TEXTS, choose_language
from tests.certificates import FIELDS, NOW, UNIT, made, scenarios

ATTACK = """"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}</textarea></dd>"""


def check(client, content, *, scenario="valid", lang="en", path="/verify", as_file=True):
    sent = {"file": ("certificate.json", content)} if as_file else {"file": ("", b"")}
    data = {} if as_file else {"text": content.decode()}
    return client.post(path, params={"scenario": scenario, "lang": lang}, files=sent, data=data)


class Elements(HTMLParser):
    """Every tag of a page with its attributes."""

    VOID = frozenset({"meta", "link", "input", "img", "br"})

    def __init__(self, page: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> without its beginning"
        assert self.open.pop() == tag


def assert_safe(response):
    """Well-formed, no script, no style but the sheet, nothing from elsewhere, and headers that say so."""
    elements = Elements(response.text)
    for tag, attributes in elements.found:
        assert tag not in ("script", "style", "iframe", "object", "img", "base")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "/").startswith("/")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"


def headline(response) -> str:
    return unescape(re.search(r'<h1 id="headline">(.*?)</h1>', response.text).group(1))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", scenarios())
async def test_verify__each_scenario__verdict_answers_and_remarks_in_words(client, name, lang):
    scenario = scenarios()[name]
    expected = await verify(parse(scenario.file), scenario.chain)

    response = check(client, scenario.file, scenario=name, lang=lang)

    assert response.status_code == (503 if scenario.verdict == "unknown" else 200)
    assert response.headers.get("retry-after") == ("30" if scenario.verdict == "unknown" else None)
    assert_safe(response)
    assert headline(response) == VERDICTS[Verdict(scenario.verdict)][lang]
    text = unescape(response.text)
    for words in (
        say(expected.decided_by, lang),
        ADVICE[expected.verdict][lang],
        *(QUESTIONS[question][lang] for question in Question),
        *(say(finding, lang) for finding in (*expected.answers.values(), *expected.remarks)),
    ):
        assert words in text
    when = say_time(NOW, lang) if expected.head else TEXTS["not_checked"][lang]
    assert when in text
    assert f'lang="{"zh-CN" if lang == "zh" else "en"}"' in response.text
    assert UNIT in text


@pytest.mark.parametrize("as_file", [True, False])
def test_verify__file_or_text__same_verdict(client, as_file):
    response = check(client, scenarios()["pledged"].file, scenario="pledged", as_file=as_file)
    assert headline(response) == "Pledged"


def test_verify__urlencoded_form__read_too(client):
    response = client.post("/verify?lang=en", data={"text": scenarios()["valid"].file.decode()})
    assert headline(response) == "Valid"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_verify__fields_hidden__count_shown_and_values_gone(client, lang):
    certificate = parse(scenarios()["valid"].file)
    response = check(client, to_json(hide(certificate, ["权利人", "坐落"])), lang=lang)
    assert "李明" not in response.text
    assert FIELDS["建筑面积"] in response.text
    assert TEXTS["hidden_by_holder"][lang] in response.text
    assert TEXTS["hidden_count"][lang].format(count=2) in response.text


def test_verify__markup_in_fields__escaped(client):
    certificate = made(fields={ATTACK[:60]: ATTACK, "b": "\n</textarea><script>alert(3)</script>"})
    for path in ("/verify", "/certificate"):
        response = check(client, to_json(certificate), path=path)
        assert response.status_code == 200
        assert_safe(response)
        assert ATTACK in unescape(response.text)
        assert "<script" not in response.text
        assert "<img" not in response.text


def test_verify__markup_in_key_or_root__escaped(client):
    response = check(client, b'{"<script>alert(1)</script>": 1, "format": 2, "<b>": 3, "<b>": 4}')
    assert response.status_code == 422
    assert_safe(response)
    response = client.get("/verify/<script>alert(1)</script>")
    assert response.status_code == 404
    response = client.get("/verify/%22%3E%3Cimg%20src=x%3E")
    assert response.status_code == 404
    assert_safe(response)


# --- by link


def root_of(name: str) -> str:
    return "0x" + parse(scenarios()[name].file).document_root.hex()


def test_certificate__forged__not_printed_on_the_citys_paper(client):
    response = check(client, scenarios()["altered"].file, path="/certificate")
    assert response.status_code == 422
    assert "altered" in response.text


@pytest.mark.parametrize("path", ["/verify", "/certificate"])
def test_link__published_document__only_public_fields_shown(client, path):
    response = client.get(f"{path}/{root_of('revoked')}", params={"scenario": "revoked", "lang": "en"})
    assert response.status_code == 200
    assert_safe(response)
    assert "Revoked" in response.text or path == "/certificate"
    shown = {name for name, value in FIELDS.items() if value in unescape(response.text)}
    assert shown == {"用途", "建筑面积"}
    assert "5 more" in response.text


def test_link__as_query__leads_to_the_link(client):
    response = client.get("/verify", params={"root": root_of("valid"), "lang": "zh"}, follow_redirects=False)
    assert response.status_code == 303
    assert response.headers["location"] == f"/verify/{root_of('valid')}?lang=zh"


@pytest.mark.parametrize(
    "path", ["/verify/0x12", "/certificate/abc", "/verify?root=//evil.example", "/verify/0x" + "g" * 64]
)
def test_link__not_a_root__said(client, path):
    response = client.get(path, headers={"accept-language": "en"}, follow_redirects=False)
    assert response.status_code == 404
    assert TEXTS["error_root"]["en"] in unescape(response.text)


@pytest.mark.parametrize(("root", "status", "key"), [("11", 404, "error_not_here"), ("ee", 503, "error_busy")])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_link__not_kept_or_not_found_out__said(client, root, status, key, lang):
    response = client.get(f"/verify/0x{root * 32}", params={"lang": lang})
    assert response.status_code == status
    assert TEXTS[key][lang] in unescape(response.text)
    assert_safe(response)


# --- bad files


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_verify__broken_file__place_and_rule(client, lang):
    content = scenarios()["valid"].file.replace(b'"chainId": 31337', b'"chainId": "31337"')
    response = check(client, content, lang=lang)
    assert response.status_code == 422
    assert_safe(response)
    for words in (TEXTS["error_file"][lang], "chainId", say_rule("must be an integer", lang)):
        assert words in unescape(response.text)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [MAX_BYTES + 1, MAX_BYTES + FORM_OVERHEAD + 1, 5_000_000])
@pytest.mark.parametrize("as_file", [True, False])
def test_verify__too_large__413(client, lang, size, as_file):
    response = check(client, b"x" * size, lang=lang, as_file=as_file)
    assert response.status_code == 413
    assert TEXTS["error_too_large"][lang].format(kib=256) in unescape(response.text)
    assert_safe(response)


def test_verify__body_without_declared_length__cut_off_at_the_limit(client):
    sent = 0

    def endless():
        nonlocal sent
        for _ in range(1000):
            sent += 65536
            yield b"x" * 65536

    response = client.post("/verify", content=endless(), headers={"content-type": "multipart/form-data; boundary=x"})
    assert response.status_code == 413


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_verify__nothing_sent__said(client, lang):
    response = check(client, b"", lang=lang, as_file=False)
    assert response.status_code == 422
    assert TEXTS["error_nothing"][lang] in unescape(response.text)


GARBAGE_TYPES = [
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x",
    "multipart/form-data; boundary=x; charset=nonsense",
    "application/x-www-form-urlencoded",
    "application/json",
    "text/plain; charset=\u00ff",
    "",
]
PIECES = [
    b"--x\r\n",
    b"--x--\r\n",
    b'Content-Disposition: form-data; name="file"; filename="a"\r\n',
    b'Content-Disposition: form-data; name="text"\r\n',
    b"Content-Disposition: form-data\r\n",
    b"Content-Type: text/plain; charset=nonsense\r\n",
    b"\r\n",
    b"text=%FF%00&file=",
    b"{}",
    b"\x00\xff",
    scenarios()["valid"].file,
]


@settings(
    derandomize=True, max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(["/verify", "/certificate"]),
    st.sampled_from(GARBAGE_TYPES),
    st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=8),
)
def test_post__garbage__a_page_that_says_so(client, path, kind, pieces):
    response = client.post(path, content=b"".join(pieces), headers={"content-type": kind.encode("latin-1")})
    assert response.status_code in (200, 400, 413, 422)
    assert_safe(response)


@settings(derandomize=True, max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8", exclude_characters="/?#."), min_size=1, max_size=80))
def test_link__any_text__a_page_that_says_so(client, text):
    from urllib.parse import quote

    response = client.get("/verify/" + quote(text, safe=""))
    assert response.status_code == 404
    assert_safe(response)


# --- certificate to print


def test_certificate__from_a_file__fields_and_code(client):
    scenario = scenarios()["valid"]
    response = check(client, scenario.file, path="/certificate", lang="zh")
    assert response.status_code == 200
    assert_safe(response)
    assert all(value in unescape(response.text) for value in FIELDS.values())
    assert f"http://testserver/verify/{root_of('valid')}" in response.text
    assert '<svg viewBox="0 0 ' in response.text


def test_draw_qr_code__description_with_markup__escaped():
    assert "<script>" not in draw_qr_code("https://example.org", "<script>")


# --- language and assets


@pytest.mark.parametrize(
    ("asked", "header", "language"),
    [
        (None, None, "en"),
        ("zh", "en", "zh"),
        ("en", "zh-CN,zh;q=0.9", "en"),
        ("fr", "zh-TW", "zh"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "en;q=0.4, zh;q=0.5", "zh"),
        (None, "de-DE, fr;q=0.9", "en"),
        (None, "zh;q=0", "en"),
        (None, "zh;q=nan", "en"),
        (None, "zh;q=99, en;q=0.1", "en"),
        (None, ";;;,=,q=", "en"),
    ],
)
def test_choose_language__asked_for_or_preferred__chosen(asked, header, language):
    assert choose_language(asked, header) == language


def test_form__accept_language__followed_and_switch_offered(client):
    response = client.get("/verify", headers={"accept-language": "zh-CN"})
    assert response.status_code == 200
    assert_safe(response)
    assert TEXTS["lead"]["zh"] in response.text
    assert 'href="/verify?lang=en"' in response.text
    assert response.headers["vary"] == "Accept-Language"


def test_texts__both_languages__nothing_missing():
    for key, words in TEXTS.items():
        assert set(words) == {"en", "zh"}, key
        named = [set(re.findall(r"\{(\w+)\}", text)) for text in words.values()]
        assert named[0] == named[1], key


def test_assets__linked_from_the_page__served_for_good_without_anything_foreign(client):
    links = re.findall(r'href="(/pages/[^"]+)"', client.get("/verify").text)
    assert len(links) == 2
    for link in links:
        response = client.get(link)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
        assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", response.text)
    assert client.get("/pages/base.html").status_code == 404
    assert client.get("/pages/..%2fpages.py").status_code == 404
