"""What the documents name must exist, and what they copy must be equal: links, paths, commands, the roles, the fields, the example hash."""

from __future__ import annotations

import hmac
import json
import re
from functools import cache
from pathlib import Path

import click
import pytest
import sha3
from eth_utils import keccak

from frontend_api.chain.abi import abi_of, contract_types
from frontend_api.cli import main
from frontend_api.modules.receivables.invoices import DEMONSTRATION_KEY, judge
from frontend_api.modules.receivables.rows import read_rows
from frontend_api.modules.warehouse.lots import Lot, goods_commitment
from scripts import roles_table
from scripts.deployment.plan import read_manifests

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {"node_modules", ".venv", ".build", ".git", ".cache", ".run", ".pytest_cache"}
#: A path from the repository's root or from the document's folder, as far as a placeholder such as <module>.
PATH = re.compile(r"(?<![\w/.<-])((?:contracts|docs|frontend_api|requirements|scripts|tests)/[\w./*-]*)")
#: Made when the tools run, so that a fresh clone has none of it.
MADE = ("contracts/.cache",)


def documents() -> list[Path]:
    return sorted(
        path for path in ROOT.rglob("*.md") if not SKIPPED & set(path.relative_to(ROOT).parts) and not path.is_symlink()
    )


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@cache
def text_of(path: Path) -> str:
    return path.read_text()


def anchors(path: Path) -> set[str]:
    """The fragments of a document's headings, as Markdown viewers make them."""
    headings = re.findall(r"^#+ +(.+)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(text: str) -> str:
    """What is set as code: blocks and backquotes. Prose may say "make sure"."""
    blocks = re.findall(r"```[^\n]*\n(.*?)```", text, re.DOTALL)
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    indented = re.findall(r"^ {4}(.+)$", prose, re.MULTILINE)
    quoted = [" ".join(found.split()) for part in prose.split("\n\n") for found in re.findall(r"`([^`]+)`", part)]
    return "\n".join([*blocks, *indented, *quoted])


def test_documents__there_are_some():
    found = names(documents())
    assert {"CONTRIBUTING.md", "contracts/README.md", "docs/architecture.md", "docs/glossary.md"} <= set(found)


@pytest.mark.parametrize("name", names(documents()))
def test_links__relative__lead_to_a_file_and_a_heading(name):
    path = ROOT / name
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(path)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, fragment = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        if not found.exists() or (fragment and found.suffix == ".md" and fragment not in anchors(found)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("name", names(documents()))
def test_paths__in_code__exist(name):
    near = (ROOT / name).parent
    named = {path.rstrip("./") for path in PATH.findall(commands(text_of(ROOT / name)))}
    wanted = sorted(path for path in named if not path.startswith(MADE))
    missing = [path for path in wanted if not any(list(base.glob(path)) for base in (ROOT, near))]
    assert missing == []


@pytest.mark.parametrize("name", names(documents()))
def test_make__every_target_named__is_in_the_makefile(name):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", commands(text_of(ROOT / name))))
    assert named - targets == set()


def subcommands(group: click.Group, prefix: str = "") -> set[str]:
    found = set()
    for name, command in group.commands.items():
        found.add(prefix + name)
        if isinstance(command, click.Group):
            found |= subcommands(command, f"{prefix}{name} ")
    return found


@pytest.mark.parametrize("name", names(documents()))
def test_chaincity__every_subcommand_named__exists(name):
    known = subcommands(main)
    groups = {entry.split()[0] for entry in known if " " in entry}
    unknown = []
    for first, second in re.findall(
        r"(?:^|[\s/])chaincity ([a-z]+)(?: ([a-z]+))?", commands(text_of(ROOT / name)), re.MULTILINE
    ):
        command = f"{first} {second}" if first in groups and second else first
        if command not in known:
            unknown.append(command)
    assert unknown == []


@pytest.mark.parametrize("name", names(documents()))
def test_ape_run__every_script_named__exists(name):
    scripts = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    named = set(re.findall(r"\bape run ([a-z_]+)", commands(text_of(ROOT / name))))
    assert named - scripts == set()


# --- what is copied


def test_roles_table__equals_the_manifests():
    assert roles_table.current(roles_table.README.read_text()) == roles_table.render(), "run `ape run roles_table`"


#: Inherited and described by its standard, or always refused.
STANDARD = {
    "approve", "cancelAuthorization", "receiveWithAuthorization", "safeTransferFrom", "safeBatchTransferFrom",
    "setApprovalForAll", "setAuthority", "transfer", "transferFrom", "transferWithAuthorization",
}  # fmt: skip


def test_functions_without_a_role__are_all_in_the_map():
    listed = set(re.findall(r"`(?:\w+\.)?(\w+)`", text_of(roles_table.README).split(roles_table.END)[1]))
    restricted = {
        (contract, function)
        for manifest in read_manifests()
        for contract, functions in manifest.functions.items()
        for function in functions
    }
    missing = [
        f"{contract}.{entry['name']}"
        for contract in contract_types()
        if contract != "Authority"
        for entry in abi_of(contract).entries
        if entry["type"] == "function"
        and entry["stateMutability"] in ("nonpayable", "payable")
        and (contract, entry["name"]) not in restricted
        and entry["name"] not in STANDARD | listed
    ]
    assert missing == []


def solidity_fields() -> dict[tuple[str, str, str], list[str]]:
    """Fields by (interface without its I, event or struct, name), from the interfaces themselves."""
    found = {}
    for path in sorted((ROOT / "contracts").glob("*/interfaces/*.sol")):
        source = re.sub(r"//[^\n]*", "", path.read_text())
        for kind, name, body in re.findall(r"\b(event|struct)\s+(\w+)\s*[({]([^)}]*)[)}]", source):
            fields = [part.split()[-1] for part in re.split(r"[,;]", body) if part.strip()]
            found[path.stem[1:], kind, name] = sorted(fields)
    return found


def recorded_fields() -> dict[tuple[str, str, str], list[str]]:
    """Fields as decision record 0005 lists them."""
    found = {}
    contract = ""
    for line in text_of(ROOT / "docs" / "decisions" / "0005-what-members-can-read.md").splitlines():
        if heading := re.match(r"\*\*(\w+)\*\* \(", line):
            contract = heading[1]
        elif row := re.match(r"\| (event|struct) `(\w+)` \| (.*) \|$", line):
            found[contract, row[1], row[2]] = sorted(re.findall(r"`(\w+)`", row[3]))
    return found


def test_record_0005__lists_every_field_of_every_event_and_struct():
    written = {key: fields for key, fields in solidity_fields().items() if key[0] != "ERC5192"}
    assert len(written) > 50
    assert recorded_fields() == written


def test_invoices__the_example__is_what_the_code_gives():
    text = text_of(ROOT / "docs" / "invoices.md")
    file = re.search(r"the invoice `(tests/[^`]+)` gives", text)
    assert file
    found = judge((ROOT / file[1]).read_bytes())
    for fingerprint, kind in ((found.fingerprint, ""), (found.number_fingerprint, "number ")):
        stated = re.search(rf"^ +{kind}fingerprint +(0x[0-9a-f]{{64}})$", text, re.MULTILINE)
        canonical = re.search(rf"^ +{kind.strip() or 'full'} +(\[.*\])$", text, re.MULTILINE)
        assert stated
        assert canonical
        assert fingerprint is not None
        assert stated[1] == "0x" + fingerprint.hex()
        expected = hmac.new(DEMONSTRATION_KEY, canonical[1].encode(), sha3.keccak_256).digest()
        assert fingerprint == expected


def test_invoices__the_csv_example__has_the_same_fingerprints_as_the_file():
    text = text_of(ROOT / "docs" / "invoices.md")
    example = re.search(r"^    (number,buyer,.*)\n    (.*)$", text, re.MULTILINE)
    file = re.search(r"the invoice `(tests/[^`]+)` gives", text)
    assert example
    assert file
    invoice = judge((ROOT / file[1]).read_bytes())
    content = f"{example[1]}\n{example[2]}\n".encode()
    [row] = read_rows(content, seller=invoice.seller, currencies=None, key=DEMONSTRATION_KEY)
    assert (row.fingerprint, row.number_fingerprint) == (invoice.fingerprint, invoice.number_fingerprint)
    assert (row.due_date, row.payable) == (invoice.due_date, invoice.payable)


def test_lots__the_example__is_what_the_code_gives():
    text = text_of(ROOT / "docs" / "lots.md")
    found = dict(re.findall(r"^    ([a-z ]+?)  +(\S.*)$", text.split("## Example")[1], re.MULTILINE))
    name, warehouse, owner, number, taken_in, description, quantity, unit = json.loads(found["array"])
    lot = Lot(warehouse, owner, number, taken_in, description, int(quantity), unit)
    full, of_number = (hmac_keccak(DEMONSTRATION_KEY, found[a]) for a in ("array", "number array"))
    assert name == "chaincity lot 1"
    assert (found["fingerprint"], found["number fingerprint"]) == ("0x" + full.hex(), "0x" + of_number.hex())
    assert lot.fingerprints(DEMONSTRATION_KEY) == (full, of_number)
    assert found["goods"] == "0x" + goods_commitment(b"\x5a" * 32, description).hex()


def hmac_keccak(key: bytes, text: str) -> bytes:
    """RFC 2104 written down once more, for keys of at most 136 bytes."""
    inner, outer = (bytes(b ^ pad for b in key.ljust(136, b"\0")) for pad in (0x36, 0x5C))
    return keccak(outer + keccak(inner + text.encode()))


def test_certificates__the_documented_header__is_what_the_code_hashes():
    from frontend_api.documents import certificate

    text = text_of(ROOT / "docs" / "certificates.md")
    assert f'"{certificate.FORMAT}"' in text
    assert set(re.findall(r"`@(\w+)`", text)) == {"format", *certificate._REQUIRED, *certificate._OPTIONAL} - {
        "documentRoot",
        "fields",
        "batch",
    }


def test_certificates__verdicts__in_the_code_s_order():
    from frontend_api.documents.verification import Verdict

    text = text_of(ROOT / "docs" / "certificates.md")
    assert re.findall(r"^\| \d \| `(\w+)` \|", text, re.MULTILINE) == list(Verdict)
