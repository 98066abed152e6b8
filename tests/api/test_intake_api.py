"""Uploads of invoices, one, many or as CSV: what is drafted, what is refused and why, and that nothing is drafted twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from frontend_api.errors import Unavailable
from frontend_api.modules.receivables.rows import COLUMNS
from scripts.demonstration.receivables import INVOICE, changed
from scripts.demonstration.steps import until
from tests.samples import credit_code

DEBTOR = "91431382MA5277275H"
HEADING = ",".join(COLUMNS)


@pytest.fixture(scope="module")
def dates(served):
    today = datetime.fromtimestamp(served.chain.time(), UTC).date()
    return {"IssueDate": str(today - timedelta(days=1)), "DueDate": str(today + timedelta(days=90))}


@pytest.fixture(scope="module")
def numbers():
    counter = iter(range(1, 100_000))
    return lambda: f"IN-{next(counter)}"


@pytest.fixture(scope="module")
def invoice(dates, numbers):
    def made(**elements):
        return changed(INVOICE.read_bytes(), **(dates | {"ID": numbers()} | elements))

    return made


@pytest.fixture(scope="module")
def line(dates, numbers):
    """A row of a CSV file; cells can be replaced."""

    def made(**cells):
        known = {
            "number": numbers(),
            "buyer": DEBTOR,
            "issueDate": dates["IssueDate"],
            "dueDate": dates["DueDate"],
            "currency": "CNY",
            "payable": "12.50",
        }
        return ",".join((known | cells)[name] for name in COLUMNS)

    return made


@pytest.fixture(scope="module")
def upload(served):
    """Send files, invoices.csv or one or many invoices; `query` goes into the address."""

    def send(contents, path="/receivables/from-invoice", member="supplier", key="", wait=10, query=None, **fields):
        headers = served.as_(member) | ({"idempotency-key": key} if key else {})
        if wait:
            headers["prefer"] = f"wait={wait}"
        contents = contents if isinstance(contents, list) else [contents]
        name = "invoices.csv" if path.endswith("csv") else "{}.xml"
        files = [("file", (name.format(i), c, "application/octet-stream")) for i, c in enumerate(contents)]
        return served.http.post(path, files=files, data=fields, headers=headers, params=query or {})

    return send


@pytest.fixture(scope="module")
def send_csv(upload):
    def send(*lines, **options):
        content = "\n".join((HEADING, *lines)).encode()
        return upload(options.pop("content", content), path="/receivables/from-csv", **options)

    return send


def drafts_in(transaction):
    return [event for event in transaction["events"] if event["event"] == "ReceivableDrafted"]


def queued(served):
    """How many transactions the service has ever stored."""
    return sum(served.http.get("/readyz").json()["queue"].values())


def all_drafted(served):
    found, cursor = [], None
    while True:
        page = served.get("/receivables", limit=1000, **({"cursor": cursor} if cursor else {})).json()
        found += page["items"]
        if (cursor := page["next"]) is None:
            return found


# --- many files


def test_from_invoice__many__each_has_its_own_outcome(served, upload, invoice):
    first = invoice(ID="MANY-1")
    contents = [first, invoice(PayableAmount="1.00"), invoice(DueDate=None), invoice(ID="many 1"), invoice()]
    answer = upload(contents)

    assert answer.status_code == 202, answer.text
    found = answer.json()["items"]
    assert [item["index"] for item in found] == [0, 1, 2, 3, 4]
    assert [item["transaction"] is None for item in found] == [False, True, True, True, False]
    for index in (0, 4):
        assert found[index]["transaction"]["state"] in ("mined", "final")
        assert len(drafts_in(found[index]["transaction"])) == 1
    errors = [found[index]["problem"]["errors"][0] for index in (1, 2, 3)]
    assert [(e["file"], e["field"]) for e in errors] == [
        ("1.xml", "cbc:PayableAmount"),
        ("2.xml", "cbc:DueDate"),
        ("3.xml", "cbc:ID"),
    ]
    assert errors[2]["rule"] == "has the seller and number of 0.xml; letters and digits count"


def test_from_invoice__many_again_with_the_same_key__the_first_answer(served, upload, invoice):
    contents = [invoice(), b"<x/>", invoice()]
    first = upload(contents, key="many-same").json()["items"]
    before = queued(served)
    second = upload(contents, key="many-same").json()["items"]

    assert [(i["transaction"] or {}).get("id") for i in first] == [(i["transaction"] or {}).get("id") for i in second]
    assert first[1]["problem"] == second[1]["problem"]
    assert queued(served) == before
    other = upload([*contents, invoice()], key="many-same")
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"


def test_from_invoice__many_all_or_nothing__nothing_is_stored(served, upload, invoice):
    before = queued(served)
    answer = upload([invoice(), b"<x/>", b""], query={"onError": "refuse"})
    assert answer.status_code == 422
    assert [error["file"] for error in answer.json()["errors"]] == ["1.xml", "2.xml"]
    assert queued(served) == before


def test_from_invoice__form_fields_for_many__stand_in_where_an_invoice_is_silent(served, upload, invoice, dates):
    stranger = invoice().replace(DEBTOR.encode(), b"DE123456789")
    contents = [invoice(), stranger, invoice(DueDate=None)]
    fields = {"debtor": served.chain.member("bank"), "dueDate": dates["DueDate"]}
    found = upload(contents, query={"dryRun": "true"}, **fields).json()["items"]
    assert [item["outcome"] for item in found] == ["would_be_accepted"] * 3
    debtor, bank = served.chain.member("debtor"), served.chain.member("bank")
    assert [item["debtor"] for item in found] == [debtor, bank, debtor]
    assert len({item["dueAt"] for item in found}) == 1
    # For one file they are meant for it, so that a contradiction is a mistake.
    [alone] = upload(contents[0], query={"dryRun": "true"}, **fields).json()["items"]
    assert (alone["outcome"], alone["field"]) == ("refused", "debtor")
    assert upload(contents, dueDate="soon").json()["errors"][0]["field"] == "dueDate"


def test_from_invoice__dry_run__says_what_would_be_drafted_and_stores_nothing(served, upload, invoice, dates):
    before, drafted = queued(served), len(all_drafted(served))
    contents = [invoice(ID="DRY-1"), invoice(IssueDate="2020-01-01", DueDate="2020-02-01"), b"\xff\xfe"]
    answer = upload(contents, query={"dryRun": "true"}, key="dry")

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["accepted"], body["refused"], body["dryRun"], body["demonstrationKey"]) == (1, 2, True, True)
    good, late, broken = body["items"]
    assert (good["file"], good["outcome"], good["number"]) == ("0.xml", "would_be_accepted", "DRY-1")
    assert (good["payable"], good["debtor"]) == ("48600000", served.chain.member("debtor"))
    assert good["fingerprint"].startswith("0x")
    assert good["numberFingerprint"].startswith("0x")
    assert (late["field"], late["reason"]) == ("cbc:DueDate", "the due date has passed by chain time")
    assert (broken["outcome"], broken["field"], broken["fingerprint"]) == ("refused", "file", None)
    assert (queued(served), len(all_drafted(served))) == (before, drafted)
    # The same key is free for the real thing.
    real = upload(contents[0], key="dry")
    assert real.status_code == 200
    [event] = drafts_in(real.json())
    on_chain = served.get(f"/receivables/{event['args']['id']}").json()
    assert on_chain["dueAt"] == good["dueAt"]
    # Now it is known.
    [again] = upload(contents[0], query={"dryRun": "true"}).json()["items"]
    assert again["reason"] == f"this invoice was drafted before, as receivable {event['args']['id']}"


def test_from_invoice__who_may_not_draft__403_and_nothing_is_stored(served, upload, invoice):
    before = queued(served)
    contents = [invoice().replace(b"91431381MA5198083N", b"DE987654321") for _ in range(2)]
    for query in ({}, {"dryRun": "true"}):
        answer = upload(contents, member="registry", query=query)
        assert answer.status_code == 403, answer.text
    assert upload(contents, member="reader").status_code == 403
    assert upload(contents, member=None).status_code == 401
    assert queued(served) == before


def test_from_invoice__another_member_s_invoices__refused_one_by_one(upload, invoice):
    found = upload([invoice(), invoice()], member="bank").json()["items"]
    assert {item["problem"]["errors"][0]["field"] for item in found} == {"cac:AccountingSupplierParty"}


def test_dry_run__draft_withdrawn__may_be_drafted_again(served, upload, send_csv, invoice):
    content = invoice()
    number = drafts_in(upload(content).json())[0]["args"]["id"]
    query = {"dryRun": "true"}
    assert upload(content, query=query).json()["items"][0]["outcome"] == "refused"
    assert served.post(f"/receivables/{number}/withdraw", member="supplier").status_code == 200
    assert upload(content, query=query).json()["items"][0]["outcome"] == "would_be_accepted"


def test_dry_run__debtor_suspended__refused_until_reinstated(served, upload, send_csv, invoice, line):
    debtor, basis = served.chain.member("debtor"), {"basis": "0x" + "5e" * 32}
    query = {"dryRun": "true"}
    assert served.post(f"/members/{debtor}/suspend", basis, member="founder").status_code == 200
    try:
        [file] = upload(invoice(), query=query).json()["items"]
        [row] = send_csv(line(), query=query).json()["items"]
    finally:
        assert served.post(f"/members/{debtor}/reinstate", basis, member="founder").status_code == 200
    assert (file["field"], file["reason"]) == ("cac:AccountingCustomerParty", f"the debtor {debtor} is suspended")
    assert (row["field"], row["reason"]) == ("buyer", f"the debtor {debtor} is suspended")
    assert send_csv(line(), query=query).json()["items"][0]["outcome"] == "would_be_accepted"


# --- hostile uploads


def laughs():
    levels = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
    return f'<!DOCTYPE Invoice [<!ENTITY l0 "lol">{levels}]><Invoice>&l11;</Invoice>'.encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04\x14\x00\x00\x00\x08\x00", "not well-formed XML"),
        (b"\xef\xbb\xbf", "not well-formed XML"),
        (b"\x00" * 1000, "not well-formed XML"),
        (b'<?xml version="1.0" encoding="UTF-8"?><Invoice>\xff</Invoice>', "not well-formed XML"),
        (laughs(), "has a DOCTYPE"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "has a DOCTYPE"),
    ],
    ids=["empty", "zip", "bom", "nul", "utf-8", "laughs", "xxe"],
)
def test_from_invoice__hostile_bytes__422_with_file_field_and_rule(served, upload, content, words):
    before = queued(served)
    answer = upload(content)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert (error["file"], error["field"]) == ("0.xml", "file")
    assert words in error["rule"]
    assert "root:" not in answer.text
    assert queued(served) == before


@pytest.mark.parametrize("path", ["/invoices/check", "/receivables/from-invoice", "/receivables/from-csv"])
@pytest.mark.parametrize("declared", [True, False])
def test_upload__50_mb__413_with_field_and_rule(served, upload, path, declared):
    content = b"x" * (50 * 1024 * 1024)
    if declared:
        answer = upload(content, path=path)
    else:
        start = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        headers = served.as_("supplier") | {"content-type": "multipart/form-data; boundary=b"}
        chunks = (content[i : i + 2**20] for i in range(0, len(content), 2**20))
        answer = served.http.post(
            path, content=(part for piece in ((start,), chunks) for part in piece), headers=headers
        )
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert error == {"field": "body", "rule": "A body has at most 8388608 bytes."}


def test_upload__1_001_files__400_with_field_and_rule(upload):
    answer = upload([b"<x/>"] * 1001)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == "body"


# --- CSV


def test_from_csv__good_and_bad_rows__each_has_its_own_outcome(served, send_csv, line):
    stranger = credit_code(77).decode()
    answer = send_csv(
        line(number="CSV-1"), line(payable="1.005"), line(buyer=stranger), line(number="csv 1"), line(currency="USD")
    )
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert (body["accepted"], body["refused"], body["dryRun"]) == (1, 4, False)
    assert [(item["line"], item["field"]) for item in body["items"]] == [
        (2, None),
        (3, "payable"),
        (4, "buyer"),
        (5, "number"),
        (6, "currency"),
    ]
    assert body["items"][2]["reason"] == f"the buyer {stranger} is no member"
    assert body["items"][3]["reason"] == "number is on line 2 already; its letters and digits count"
    sent = served.get(f"/transactions/{body['items'][0]['transaction']}", member="supplier").json()
    assert sent["state"] in ("mined", "final")
    [event] = drafts_in(sent)
    assert (event["event"], event["args"]["face"], event["args"]["debtor"]) == (
        "ReceivableDrafted",
        1250,
        served.chain.member("debtor"),
    )
    assert event["args"]["actor"] == served.chain.member("supplier")


def test_from_csv__the_same_facts_as_a_file__one_invoice(served, upload, send_csv, invoice, dates):
    """Whatever way an invoice comes first, it is known when it comes the other way."""
    content = invoice(ID="TWICE-1")
    cells = f"TWICE-1,{DEBTOR},{dates['IssueDate']},{dates['DueDate']},CNY,486000.00"
    [checked] = upload(content, path="/invoices/check").json()["items"]
    [row] = send_csv(cells, query={"dryRun": "true"}).json()["items"]
    assert (row["fingerprint"], row["numberFingerprint"]) == (checked["fingerprint"], checked["numberFingerprint"])
    assert send_csv(cells).json()["accepted"] == 1
    refused = upload(content)
    assert (refused.status_code, refused.json()["contractError"]["name"]) == (409, "FinancingRegister_Taken")
    [again] = upload(content, query={"dryRun": "true"}).json()["items"]
    assert "was drafted before, as receivable" in again["reason"]


def test_dry_run__altered_copy_of_what_was_drafted__refused_by_its_number(upload, send_csv, invoice, line):
    assert upload(invoice(ID="COPY/1")).status_code == 200
    copy = invoice(
        ID="copy 1",
    )
    later = line(number="COPY.1", payable="999999.00")
    query = {"dryRun": "true"}
    [file] = upload(copy, query=query).json()["items"]
    [row] = send_csv(later, query=query).json()["items"]
    rule = "another invoice with this seller and number is taken; an arbiter has to clear this one"
    assert (file["field"], file["reason"]) == ("cbc:ID", rule)
    assert (row["field"], row["reason"]) == ("number", rule)
    assert upload(copy).json()["contractError"]["name"] == "FinancingRegister_NumberTaken"


def test_dry_run__due_after_more_than_50_years__refused(upload, send_csv, invoice, line):
    query = {"dryRun": "true"}
    [file] = upload(invoice(DueDate="2199-12-31"), query=query).json()["items"]
    [row] = send_csv(line(dueDate="9999-12-31"), query=query).json()["items"]
    assert file["reason"] == row["reason"] == "the due date is more than 50 years away"


def test_from_csv__dry_run__judges_with_what_the_service_knows_and_stores_nothing(served, send_csv, line):
    before = queued(served)
    known = line()
    assert send_csv(known, key="dry-csv").json()["accepted"] == 1
    answer = send_csv(known, line(), line(dueDate="2020-01-01", issueDate="2020-01-01"), query={"dryRun": "true"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["refused"], body["dryRun"]) == (1, 2, True)
    assert [item["outcome"] for item in body["items"]] == ["refused", "would_be_accepted", "refused"]
    assert "was drafted before, as receivable" in body["items"][0]["reason"]
    assert body["items"][1]["debtor"] == served.chain.member("debtor")
    assert body["items"][2]["reason"] == "the due date has passed by chain time"
    assert queued(served) == before + 1


def test_from_csv__same_key_and_file__the_first_answer(served, send_csv, line):
    lines = [line(), line(payable="x"), line()]
    first = send_csv(*lines, key="csv-same").json()
    before = queued(served)
    assert send_csv(*lines, key="csv-same").json() == first
    assert queued(served) == before
    other = send_csv(*lines, line(), key="csv-same")
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_from_csv__all_or_nothing__nothing_is_stored(served, send_csv, line):
    before = queued(served)
    body = send_csv(line(), line(payable="x"), line(), query={"onError": "refuse"}).json()
    assert (body["accepted"], body["refused"]) == (0, 3)
    assert body["items"][0]["reason"] == "another row was refused, and the caller wants all or nothing"
    assert body["items"][1]["field"] == "payable"
    assert queued(served) == before


def test_from_csv__broke_off_between_parts__the_same_request_completes_it(served, send_csv, line, monkeypatch):
    lines = [line() for _ in range(1500)]
    submissions = served.app.state.city.submissions
    accept = submissions.accept_part

    async def fails_at_the_second(asked, part, calls, record):
        if part == 1:
            raise Unavailable("The database did not take the change; nothing was stored. Try again.")
        return await accept(asked, part, calls, record)

    before, drafted = queued(served), len(all_drafted(served))
    monkeypatch.setattr(submissions, "accept_part", fails_at_the_second)
    assert send_csv(*lines, key="csv-part", wait=0).status_code == 503
    assert queued(served) == before + 1000
    monkeypatch.undo()

    # By now the first thousand are drafted, which is no reason to refuse them: they are this very request's.
    until(lambda: len(all_drafted(served)), drafted + 1000)
    body = send_csv(*lines, key="csv-part", wait=60).json()
    assert (body["accepted"], body["refused"]) == (1500, 0)
    assert len({item["transaction"] for item in body["items"]}) == 1500
    until(lambda: len(all_drafted(served)), drafted + 1500)
    assert queued(served) == before + 1500


@pytest.mark.parametrize(
    ("content", "line_number", "words"),
    [
        (b"", 1, "is empty"),
        (b"PK\x03\x04\xff", 1, "is not UTF-8"),
        (HEADING.encode() + b"\n\xff", 2, "is not UTF-8"),
        (HEADING.encode("utf-16"), 1, "is not UTF-8"),
        (HEADING.encode() + b'\n"A', 2, "is not CSV"),
        (b"\x00" * 100, 1, "has a heading without number"),
        (b"<?xml version='1.0'?><Invoice/>", 1, "has a heading without number"),
        ((HEADING + f"\nA,{DEBTOR},x,x,x,x" * 10_001).encode(), 10_002, "has more than 10000 rows"),
    ],
    ids=["empty", "zip", "utf-8", "utf-16", "quote", "nul", "xml", "rows"],
)
def test_from_csv__no_such_file__422_with_file_line_field_and_rule(served, send_csv, content, line_number, words):
    before = queued(served)
    answer = send_csv(content=content)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert (error["file"], error["field"], error["line"]) == ("invoices.csv", "file", line_number)
    assert words in error["rule"]
    assert queued(served) == before


def test_from_csv__formulas_and_nul__refused_by_row(send_csv, line):
    rows = [line(number='"=HYPERLINK(""http://x"")"'), line(number="A\0"), line(buyer="=1")]
    body = send_csv(*rows).json()
    assert [item["field"] for item in body["items"]] == ["number", "number", "buyer"]
    assert body["accepted"] == 0


def test_from_csv__who_may_not__refused(served, send_csv, line, li):
    assert send_csv(line(), member=None).status_code == 401
    assert send_csv(line(), member="reader").status_code == 403
    refused = send_csv(line(), member="registry")
    assert refused.status_code == 403, refused.text


def test_from_csv__10_000_rows__one_request_stores_them_all_once(served, send_csv, line, capsys):
    """The last test of this file: nobody waits here until the chain has taken them in, which the benchmark measures."""
    lines = [line() for _ in range(10_000)]
    [dry] = [send_csv(*lines, query={"dryRun": "true"}, wait=0).json()]
    assert (dry["accepted"], dry["refused"]) == (10_000, 0)
    before = queued(served)
    started = monotonic()
    answer = send_csv(*lines, key="ten-thousand", wait=0)
    taken = monotonic() - started
    assert answer.status_code == 202, answer.text[:500]
    body = answer.json()
    assert (body["accepted"], body["refused"]) == (10_000, 0)
    assert queued(served) == before + 10_000
    assert send_csv(*lines, key="ten-thousand", wait=0).json() == body
    assert queued(served) == before + 10_000
    assert len({item["transaction"] for item in body["items"]}) == 10_000
    with capsys.disabled():
        print(f"\n10,000 rows judged and stored in {taken:.1f} s")
