"""Invoices from CSV: what is taken, what is refused with which line, column and rule, and the same fingerprints as from UBL."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend_api.errors import InvalidInput
from frontend_api.modules.receivables.invoices import DEMONSTRATION_KEY, judge
from frontend_api.modules.receivables.rows import COLUMNS, MAX_BYTES, MOST_ROWS, read_rows

FOLDER = Path(__file__).parents[2] / "fixtures" / "invoices"
SELLER, BUYER = "91431381MA5198083N", "91431382MA5277275H"
HEADING = ",".join(COLUMNS)
GOOD = f"XZJX-2026-0917,{BUYER},2026-09-17,2026-12-16,CNY,486000.00"


def read(*lines, seller=SELLER, currencies=None, heading=HEADING, end="\n"):
    content = end.join((heading, *lines)) + end
    return read_rows(content.encode(), seller=seller, currencies=currencies, key=DEMONSTRATION_KEY)


def row(**cells):
    known = dict(zip(COLUMNS, GOOD.split(","), strict=True)) | cells
    return ",".join(known[name] for name in COLUMNS)


def refused(content, **options):
    """The whole file's refusal: its only error."""
    with pytest.raises(InvalidInput) as error:
        read_rows(content, seller=SELLER, currencies=None, key=DEMONSTRATION_KEY, **options)
    [found] = error.value.problem()["errors"]
    return found


# --- good rows


def test_read_rows__good__facts_and_no_refusal():
    [found] = read(GOOD)
    assert (found.line, found.number, found.buyer) == (2, "XZJX-2026-0917", BUYER)
    assert (found.issue_date, found.due_date) == ("2026-09-17", "2026-12-16")
    assert (found.currency, found.payable, found.refused) == ("CNY", 48_600_000, None)


def test_read_rows__the_ubl_file_s_facts__the_ubl_file_s_fingerprints():
    invoice = judge((FOLDER / "lianyuan-steel-2026-0917.xml").read_bytes())
    [found] = read(GOOD)
    assert found.fingerprint == invoice.fingerprint
    assert found.number_fingerprint == invoice.number_fingerprint


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("export-tools-yen", f"YH-2026-0301,{BUYER},2026-08-09,2026-11-07,JPY,1260000"),
        ("export-tools-dinar", f"YH-2026-0302,{BUYER},2026-08-09,2026-11-07,KWD,975.000"),
    ],
)
def test_read_rows__other_exponents__the_ubl_file_s_fingerprints(file, line):
    invoice = judge((FOLDER / f"{file}.xml").read_bytes())
    number, _, issued, due, *_ = line.split(",")
    line = line.replace(number, invoice.number).replace(issued, invoice.issue_date).replace(due, invoice.due_date)
    [found] = read(line, seller="91431381MA60004707")
    assert (found.refused, found.payable) == (None, invoice.payable)
    assert (found.fingerprint, found.number_fingerprint) == (invoice.fingerprint, invoice.number_fingerprint)


def test_read_rows__bom_crlf_quotes_spaces_blank_lines_and_other_order__read():
    heading = "payable, currency ,dueDate,issueDate,buyer,number"
    cells = ['" 486000.00 "', "CNY", "2026-12-16", "2026-09-17", f" {BUYER}", '"XZJX-2026-0917"']
    content = ("\ufeff" + "\r\n".join([heading, "", ",".join(cells), ",,,,,", ""])).encode()
    [found] = read_rows(content, seller=SELLER, currencies=None, key=DEMONSTRATION_KEY)
    [plain] = read(GOOD)
    assert (found.line, found.fingerprint) == (3, plain.fingerprint)


def test_read_rows__number_with_a_comma_and_quotes__as_written():
    [found] = read(row(number='"A,""1"""'))
    assert (found.number, found.refused) == ('A,"1"', None)


def test_read_rows__no_seller__judged_without_fingerprints():
    [found] = read(GOOD, seller=None)
    assert (found.refused, found.payable, found.fingerprint, found.number_fingerprint) == (None, 48_600_000, None, None)


# --- broken rows


@pytest.mark.parametrize(
    ("cells", "field", "rule"),
    [
        ({"number": ""}, "number", "number is missing"),
        ({"number": "---"}, "number", "number begins with -, which spreadsheets take for a formula"),
        ({"number": "/ /"}, "number", "number has neither a letter nor a digit"),
        (
            {"number": '"=HYPERLINK(""http://127.0.0.1"",""x"")"'},
            "number",
            "number begins with =, which spreadsheets take for a formula",
        ),
        ({"number": "@SUM(1)"}, "number", "number begins with @, which spreadsheets take for a formula"),
        ({"number": "+1"}, "number", "number begins with +, which spreadsheets take for a formula"),
        ({"number": "A\0B"}, "number", "number has a control character (U+0000)"),
        ({"number": '"A\nB"'}, "number", "number has a control character (U+000A)"),
        ({"number": '"\t=1"'}, "number", "number has a control character (U+0009)"),
        ({"buyer": ""}, "buyer", "buyer: a credit code has 18 characters (GB 32100-2015)"),
        ({"buyer": "91431382MA5277275J"}, "buyer", None),
        ({"buyer": "=1+1"}, "buyer", "buyer: a credit code has 18 characters (GB 32100-2015)"),
        ({"buyer": SELLER}, "buyer", f"buyer and seller are the same party, {SELLER}"),
        ({"issueDate": "17.09.2026"}, "issueDate", "issueDate is not a date (YYYY-MM-DD): 17.09.2026"),
        ({"issueDate": "2026-09-17Z"}, "issueDate", "issueDate is not a date (YYYY-MM-DD): 2026-09-17Z"),
        ({"dueDate": ""}, "dueDate", "dueDate is not a date (YYYY-MM-DD): "),
        ({"dueDate": "2026-02-30"}, "dueDate", "dueDate is not a date (YYYY-MM-DD): 2026-02-30"),
        ({"dueDate": "2026-09-16"}, "dueDate", "dueDate 2026-09-16 is before issueDate 2026-09-17"),
        ({"currency": "RMB"}, "currency", "currency RMB is not an ISO 4217 currency"),
        ({"currency": "cny"}, "currency", "currency cny is not an ISO 4217 currency"),
        ({"currency": "USD"}, "currency", "no settlement token for USD"),
        ({"payable": ""}, "payable", "payable is not a decimal number: "),
        ({"payable": '"1,130.00"'}, "payable", "payable is not a decimal number: 1,130.00"),
        ({"payable": "1e5"}, "payable", "payable is not a decimal number: 1e5"),
        ({"payable": "NaN"}, "payable", "payable is not a decimal number: NaN"),
        ({"payable": "1.00001"}, "payable", "payable has 5 decimals; CNY has 2"),
        ({"payable": "0.00"}, "payable", "payable is zero: nothing is owed"),
        ({"payable": "-1"}, "payable", "payable is negative: what reduces a debt is a credit note, not a receivable"),
        ({"payable": "9" * 40}, "payable", "payable exceeds 2^128 - 1 minor units"),
        (
            {"currency": "JPY", "payable": "1.5"},
            "payable",
            "payable 1.5 is no whole number of minor units; JPY has 0 decimals",
        ),
    ],
)
def test_read_rows__broken_cell__refused_with_column_and_rule_and_the_others_stand(cells, field, rule):
    found = read(row(**cells), row(number="B-1"), currencies={"CNY", "JPY"})
    assert len(found) == 2
    assert found[0].refused[0] == field
    assert rule is None or found[0].refused[1] == rule
    assert (found[0].fingerprint, found[0].number_fingerprint) == (None, None)
    assert found[1].refused is None


def test_read_rows__row_of_another_width__refused():
    short, long = read("A-1", row(number="B-1") + ",x")
    assert short.refused == ("row", "the row has 1 columns, the heading 6")
    assert long.refused == ("row", "the row has 7 columns, the heading 6")


@pytest.mark.parametrize("again", ["A-1", "a 1", "Ａ／1", "A.1"])
def test_read_rows__number_again__refused_with_the_line_of_the_first(again):
    first, _, second = read(row(number="A-1"), row(number="A-2"), row(number=again))
    assert first.refused is None
    assert second.refused == ("number", "number is on line 2 already; its letters and digits count")


def test_read_rows__number_of_a_broken_row__refused_too():
    """Which of the two is meant, is for their sender to say."""
    first, second = read(row(number="A-1", payable="x"), row(number="A-1"))
    assert first.refused[0] == "payable"
    assert second.refused == ("number", "number is on line 2 already; its letters and digits count")


def test_read_rows__cells_over_several_lines__lines_counted_as_an_editor_does():
    found = read(row(number='"A\nB\nC"'), row(number="A-2"), end="\r\n")
    assert [entry.line for entry in found] == [2, 5]


# --- no CSV file of invoices


@pytest.mark.parametrize(
    ("content", "line", "rule"),
    [
        (b"", 1, "is empty"),
        (b"\xef\xbb\xbf", 1, "is empty"),
        (HEADING.encode(), 1, "has no row under its heading"),
        (HEADING.encode() + b"\n\n,,,,,\n", 1, "has no row under its heading"),
        (GOOD.encode(), 1, "has a heading without " + ", ".join(COLUMNS)),
        (HEADING.replace("payable", "amount").encode(), 1, "has a heading without payable"),
        (
            HEADING.replace(",", ";").encode(),
            1,
            "has a heading without " + ", ".join(COLUMNS) + "; separate the columns with commas, not semicolons",
        ),
        (
            HEADING.replace(",", "\t").encode(),
            1,
            "has a heading without " + ", ".join(COLUMNS) + "; separate the columns with commas, not tabs",
        ),
        (
            HEADING.upper().encode(),
            1,
            "has a heading without " + ", ".join(COLUMNS) + "; write the names exactly so",
        ),
        (f"{HEADING},payable\n".encode(), 1, "has a heading with a repeated name"),
        (f"{HEADING},note\n".encode(), 1, "has columns that are not known: note"),
        (f"{HEADING}\n{GOOD}\n\xff\n".encode("latin-1"), 3, None),
        (b"PK\x03\x04\x14\x00\x00\x00\x08\x00\xb7\xac", 1, None),
        (HEADING.encode("utf-16"), 1, None),
        (f'{HEADING}\n{GOOD}\n"A"1,,,,,\n'.encode(), 3, None),
        (f'{HEADING}\n{GOOD}\n"A\n'.encode(), 3, None),
        (f"{HEADING}\n{'A' * 200_000},,,,,\n".encode(), 2, None),
    ],
)
def test_read_rows__no_such_file__refused_with_file_line_and_rule(content, line, rule):
    found = refused(content, file="a.csv")
    assert (found["file"], found["field"], found["line"]) == ("a.csv", "file", line)
    if rule is None:
        assert found["rule"].endswith("); save it as CSV UTF-8") or "is not CSV: " in found["rule"]
    else:
        assert found["rule"] == rule


def test_read_rows__most_rows__taken_and_one_more_refused():
    lines = [row(number=f"A-{number}") for number in range(MOST_ROWS)]
    assert len(read(*lines)) == MOST_ROWS
    found = refused("\n".join((HEADING, *lines, row(number="B-1"))).encode())
    assert (found["line"], found["rule"]) == (MOST_ROWS + 2, "has more than 10000 rows; split it")


def test_read_rows__too_large__refused_unread():
    started = process_time()
    assert refused(b"\xff" * (MAX_BYTES + 1))["rule"] == f"has {MAX_BYTES + 1} bytes; at most {MAX_BYTES} are read"
    assert process_time() - started < 1


@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(alphabet=st.sampled_from('ab1-,"\n\r\0=. 2026CNY\ufeff'), max_size=400).map(
            lambda text: f"{HEADING}\n{GOOD}\n{text}".encode()
        ),
        st.lists(st.text(max_size=12), min_size=6, max_size=6).map(
            lambda cells: f"{HEADING}\n{','.join(cells)}".encode("utf-8", "surrogatepass")
        ),
    )
)
def test_read_rows__any_bytes__judged_or_refused_with_a_rule(content):
    rows = []
    with suppress(InvalidInput):
        rows = read_rows(content, seller=SELLER, currencies={"CNY"}, key=DEMONSTRATION_KEY)
    for entry in rows:
        assert (entry.refused is None) == (entry.fingerprint is not None)
        assert entry.refused is None or all(entry.refused)


def test_read_rows__speed__10_000_rows_in_seconds(capsys):
    content = "\n".join((HEADING, *(row(number=f"A-{number}") for number in range(MOST_ROWS)))).encode()
    started = process_time()
    found = read_rows(content, seller=SELLER, currencies={"CNY"}, key=DEMONSTRATION_KEY)
    seconds = process_time() - started
    with capsys.disabled():
        print(f"\n{MOST_ROWS / seconds:.0f} rows a second judged and fingerprinted")
    assert all(entry.refused is None for entry in found)
    assert seconds < 10


def test_read_rows__number_longer_than_anybody_writes__refused():
    [longest, found] = read(row(number="\ufdfa" * 500), row(number="\ufdfa" * 501))
    assert longest.refused is None
    assert found.refused == ("number", "number has 501 characters; at most 500 are read")
