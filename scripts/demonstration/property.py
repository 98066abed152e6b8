"""The property story: 1,000 titles, then one mortgage from application to release, and a certificate checked along the way."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .client import event
from .make_titles import FILE, HEADING
from .stage import Stage, commitment
from .steps import expect, expect_refusal, until

STORY = "property"
VALID, SUPERSEDED = 1, 3  # IDocumentRegistry.Status
PRINCIPAL = 85_000_000  # fen: 850,000.00 yuan
TEN_YEARS = 10 * 365 * 86400


def play(stage: Stage) -> None:
    run = stage.steps.run
    registry, bank = stage.client("registry"), stage.client("bank")
    titles, desk = stage.contract("TitleRegistry"), stage.contract("MortgageDesk")
    rows = [line.split(",") for line in FILE.read_text(encoding="utf-8").splitlines()[1:]]
    unit, owner = rows[0][0], rows[0][1]
    li = stage.resident(10)
    expect("the first title's owner", owner, li.address)

    def enrol() -> Any:
        people = sorted({row[1] for row in rows if len(row) > 1 and row[1].startswith("0x")})
        until = stage.chain_time() + TEN_YEARS
        items = [
            {"account": who, "identity": "0x" + hashlib.sha256(commitment().encode()).hexdigest(), "validUntil": until}
            for who in people
        ]
        answer = registry.post("/residents", {"items": items})
        refused = [item for item in answer["items"] if item["problem"]]
        expect("refused items: the one address with a wrong checksum", len(refused), 1)
        done = registry.wait_for([item["transaction"]["id"] for item in answer["items"] if item["transaction"]])
        on_chain = stage.contract("Members").party(li.address)
        expect("Li's status in the API", registry.get(f"/members/{li.address}")["status"], "active")
        expect("Li's end of enrolment", on_chain.validUntil, until)
        return done[-1]

    run(STORY, "enrol 320 residents in one request", "registry", enrol)

    def dry_run() -> Any:
        report = registry.upload("/titles/import", FILE.name, FILE.read_bytes(), "text/csv", dryRun=True)
        expect("accepted, refused", (report["accepted"], report["refused"]), (1000, 6))
        expect("titles stored by a dry run", registry.get("/titles", limit=1)["items"], [])

    run(STORY, "judge the file of 1,006 rows without storing anything", "registry", dry_run)

    def refuse_whole() -> Any:
        report = registry.upload("/titles/import", FILE.name, FILE.read_bytes(), "text/csv", onError="refuse")
        expect("accepted when the whole file is refused", report["accepted"], 0)

    run(STORY, "have the whole file refused because of six broken rows", "registry", refuse_whole)

    def import_titles() -> Any:
        report = registry.upload("/titles/import", FILE.name, FILE.read_bytes(), "text/csv")
        expect("accepted, refused", (report["accepted"], report["refused"]), (1000, 6))
        identifiers = [report["anchorTransaction"]] + [r["transaction"] for r in report["rows"] if r["transaction"]]
        done = registry.wait_for(identifiers, seconds=120)
        issuer, root = stage.address("registry"), bytes.fromhex(report["batchRoot"][2:])
        batch = stage.contract("DocumentRegistry").batchOf(issuer, root)
        expect("documents in the anchored batch", batch.documents, 1000)
        return done[0]

    run(STORY, "import the 1,000 good rows, their certificates anchored as one batch", "registry", import_titles)

    def compare() -> Any:
        for row in (rows[0], rows[500], rows[-1]):
            shown, held = registry.get(f"/titles/{row[0]}"), titles.titleOf(row[0].encode())
            expect(f"owner of {row[0]}", shown["owner"], held.owner)
            expect(f"certificate of {row[0]}", shown["certificateRoot"], "0x" + held.certificateRoot.hex())
            expect("title of wallets (ERC-721)", titles.ownerOf(int.from_bytes(row[0].encode(), "big")), row[1])

    run(STORY, "compare titles of the API with the chain", "anyone", compare)

    def malformed() -> Any:
        fields = dict(zip(HEADING[2:], rows[0][2:], strict=True))
        wrong = {"unit": unit[:-1], "owner": owner, "fields": fields}
        expect_refusal(lambda: registry.post("/titles", wrong), 422, "28 characters")
        expect_refusal(lambda: bank.post("/titles", wrong | {"unit": unit[:-1] + "8"}), 403, "does not have the role")

    run(STORY, "see a malformed unit number and a bank's registration refused", "registry", malformed)

    certificate = registry.file(f"/titles/{unit}/certificate")

    def verify(verdict: str, status_on_chain: int = VALID) -> Any:
        result = stage.client().check("/verifications", certificate)
        expect("verdict", result["verdict"], verdict)
        status = stage.contract("DocumentRegistry").statusOf(stage.address("registry"), *_anchored(certificate))
        expect("the document's status on chain", int(status.status), status_on_chain)

    run(STORY, "verify Li's certificate: valid", "anyone", lambda: verify("valid"))

    def apply_for() -> Any:
        sent = stage.client().sign_and_send(
            li, "MortgageDesk", "applyFor", [unit, stage.address("bank"), str(PRINCIPAL), "CNY"]
        )
        number = event(sent, "MortgageApplied")["caseId"]
        expect("applicant on chain", desk.caseOf(number).applicant, li.address)
        expect("applicant in the API", bank.get(f"/mortgages/{number}")["applicant"], li.address)
        return sent

    applied = run(STORY, "apply for a mortgage of 850,000 yuan, signed, without gas", "Li", apply_for)
    case = event(applied, "MortgageApplied")["caseId"]
    terms = commitment()

    def offer() -> Any:
        body = {
            "principal": str(PRINCIPAL),
            "terms": terms,
            "forbidsTransfer": False,
            "validUntil": stage.chain_time() + 86400,
        }
        sent = bank.post(f"/mortgages/{case}/offer", body)
        _same_state(stage, case, "offered", 2)
        return sent

    run(STORY, "offer it", "bank", offer)

    def stranger() -> Any:
        wang = stage.resident(11)
        act = lambda: stage.client().sign_and_send(wang, "MortgageDesk", "accept", [case, terms])  # noqa: E731
        expect_refusal(act, 403, "has no mandate for PROPERTY")

    run(STORY, "see somebody else's acceptance refused", "Wang", stranger)

    def accept() -> Any:
        sent = stage.client().sign_and_send(li, "MortgageDesk", "accept", [case, terms])
        _same_state(stage, case, "accepted", 3)
        return sent

    run(STORY, "accept the offered terms, signed", "Li", accept)

    def register() -> Any:
        sent = registry.post(f"/mortgages/{case}/register")
        _same_state(stage, case, "registered", 4)
        lien = titles.lienOf(unit.encode(), 1)
        expect("lien on chain", (lien.holder, lien.amount), (stage.address("bank"), PRINCIPAL))
        expect("liens in the API", registry.get(f"/titles/{unit}")["liens"][0]["amount"], str(PRINCIPAL))
        return sent

    registered = run(STORY, "register the mortgage", "registry", register)
    run(STORY, "verify Li's certificate: pledged", "anyone", lambda: verify("pledged"))

    def timed() -> Any:
        seconds = bank.get(f"/mortgages/{case}")["applicationToRegistrationSeconds"]
        expect("seconds by the blocks' own times", seconds, stage.time_of(registered) - stage.time_of(applied))
        stage.steps.console.print(f"       application to registration: {seconds} s of chain time (Loudi: 6 hours)")

    run(STORY, "time application to registration from the chain", "anyone", timed)

    def release() -> Any:
        receipt = desk.release(case, sender=stage.ape_account("bank"))
        expect("liens on chain", titles.titleOf(unit.encode()).liens, 0)
        until(lambda: bank.get(f"/mortgages/{case}")["state"], "released")
        expect("encumbered in the API", registry.get(f"/titles/{unit}")["encumbered"], False)
        return str(receipt.txn_hash)

    run(STORY, "release the mortgage, with Ape instead of the API", "bank", release)
    run(STORY, "verify Li's certificate: valid again", "anyone", lambda: verify("valid"))

    def reissue() -> Any:
        fields = {"ownerName": rows[0][2], "location": rows[0][3], "use": rows[0][4], "areaM2": "116.40"}
        sent = registry.post(f"/titles/{unit}/reissue", {"fields": fields, "basis": commitment()})
        expect("version on chain", titles.titleOf(unit.encode()).version, 2)
        expect("version in the API", registry.get(f"/titles/{unit}")["version"], 2)
        return sent

    run(STORY, "correct the area: a new certificate takes the old one's place", "registry", reissue)
    run(STORY, "verify the old certificate: superseded", "anyone", lambda: verify("superseded", SUPERSEDED))

    def revoke() -> Any:
        other = rows[1][0]
        root = registry.get(f"/titles/{other}")["certificateRoot"]
        sent = registry.post("/documents/revocations", {"document": root, "reason": "issued_in_error"})
        kept = registry.file(f"/titles/{other}/certificate")
        result = stage.client().check("/verifications", kept)
        expect("verdict", result["verdict"], "revoked")
        page = stage.client().text(f"/verify/{root}")
        expect("the page says so", "revoked" in page.lower(), True)
        return sent

    run(STORY, "revoke a certificate and read it on the page", "registry", revoke)


def _same_state(stage: Stage, case: int, name: str, number: int) -> None:
    expect("state on chain", int(stage.contract("MortgageDesk").caseOf(case).state), number)
    expect("state in the API", stage.client("bank").get(f"/mortgages/{case}")["state"], name)


def _anchored(certificate: bytes) -> tuple[bytes, bytes, list[bytes]]:
    """Root, document and proof as DocumentRegistry takes them, read from the file without the service's code."""
    raw = json.loads(certificate)
    proof = [bytes.fromhex(sibling[2:]) for sibling in raw["batch"]["proof"]]
    return bytes.fromhex(raw["batch"]["root"][2:]), bytes.fromhex(raw["documentRoot"][2:]), proof
