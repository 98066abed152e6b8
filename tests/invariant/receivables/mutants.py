"""The contracts with one thing changed each. The machine must notice every one of them."""

from __future__ import annotations

from typing import NamedTuple

from scripts.deployment.artifacts import Artifact, load
from tests.solc import compile_json, sources


class Mutant(NamedTuple):
    contract: str
    old: str
    new: str

    @property
    def file(self) -> str:
        return f"contracts/receivables/{self.contract}.sol"


_NOT_HOLDER = "FinancingRegister_NotHolder(fingerprint, record.holder, bank)"
MUTANTS: dict[str, Mutant] = {
    "a consent can be used again": Mutant("FinancingRegister", "_spent[digest] = true;\n        // Fits", "// Fits"),
    "an altered copy is let in": Mutant(
        "FinancingRegister",
        "else if (_cleared[fingerprint] != number) revert FinancingRegister_NumberTaken(fingerprint, number, by);",
        "",
    ),
    "any bank releases and finances what another reserved": Mutant(
        "FinancingRegister", f"        if (record.holder != bank) revert {_NOT_HOLDER};", ""
    ),
    "a reservation's last second is not included": Mutant(
        "FinancingRegister", "block.timestamp > record.reservedUntil", "block.timestamp >= record.reservedUntil"
    ),
    "what was financed is free again": Mutant(
        "FinancingRegister", "return state == State.Reserved &&", "return state != State.Entered &&"
    ),
    "a clearance lets all copies in": Mutant("FinancingRegister", "_numbers[numberFingerprint] = AMBIGUOUS;", ""),
    "a case gives back what another has taken": Mutant(
        "FinancingRegister", " || record.caseId != caseId) return;", ") return;"
    ),
    "an application gives back what another has taken": Mutant(
        "FinancingRegister", " || record.holder != application || record", " || record"
    ),
    "the end of an annulled case is refused": Mutant(
        "FinancingRegister",
        "record.caseId != caseId) return;",
        "record.caseId != caseId)\n            revert FinancingRegister_WrongState(fingerprint, record.state);",
    ),
    "the end of an annulled case is announced": Mutant(
        "FinancingRegister",
        "record.caseId != caseId) return;\n\n        delete _records[fingerprint];",
        "record.caseId != caseId) {} else delete _records[fingerprint];",
    ),
    "an entry is left without a word": Mutant(
        "FinancingRegister", "emit FingerprintLeft(fingerprint, actor, application, uint64(caseId));", ""
    ),
    "an entry cannot be annulled": Mutant(
        "FinancingRegister",
        "if (state == State.Free) revert FinancingRegister_WrongState(fingerprint, state);\n        address holder",
        "if (state == State.Free || state == State.Entered) revert FinancingRegister_WrongState(fingerprint, state);\n"
        "        address holder",
    ),
    "a credit note's number takes an invoice's": Mutant(
        "ReceivableLedger", "ofCreditNote(creditNoteNumber), id", "creditNoteNumber, id"
    ),
    "a credit note without a fingerprint is taken": Mutant(
        "ReceivableLedger",
        "register.enter(ofCreditNote(creditNote),",
        'register.enter(keccak256(abi.encode("credit note", creditNote)),',
    ),
    "what was bought with another nonce is put back too": Mutant(
        "FinancingDesk", "held < recourse.amount ? uint128(held) : recourse.amount;", "uint128(held);"
    ),
    "a credit note takes an invoice": Mutant(
        "ReceivableLedger",
        "register.enter(ofCreditNote(creditNote), ofCreditNote(creditNoteNumber), id, supplier);",
        "register.enter(creditNote, creditNoteNumber, id, supplier);",
    ),
    "more is put back than is held": Mutant(
        "FinancingDesk", "held < recourse.amount ? uint128(held) : recourse.amount;", "held == 0 ? 0 : recourse.amount;"
    ),
    "entitlements are rounded up": Mutant(
        "ReceivableLedger",
        "(uint256(units) * found.paid) / found.face",
        "(uint256(units) * found.paid + found.face - 1) / found.face",
    ),
    "units change hands in the second of the due date": Mutant(
        "ReceivableLedger", "if (block.timestamp >= dueAt) revert", "if (block.timestamp > dueAt) revert"
    ),
    "a claim may be more than the Escrow holds": Mutant(
        "ReceivableLedger", "if (!found.givenBack) return amount;", "if (found.face != 0) return amount;"
    ),
    "more is claimed on units given back than they are": Mutant(
        "ReceivableLedger", "if (moved > units) moved = units;", ""
    ),
    "a credit note leaves the units": Mutant("ReceivableLedger", "_holdings[id][supplier].units = held - amount;", ""),
    "a settled receivable is only partly paid": Mutant(
        "ReceivableLedger",
        "if (paid == face) found.state = State.Settled;",
        "if (paid == face) found.state = State.PartlyPaid;",
    ),
    "units are written off twice": Mutant("ReceivableLedger", "_writtenOff[id][holder] = true;", ""),
    "what is paid at a put-back can be claimed again": Mutant(
        "ReceivableLedger", "_holdings[id][from].claimed += due;", ""
    ),
    "units given back forget what was claimed on them": Mutant("ReceivableLedger", "taker.claimed += moved;", ""),
    "the suspended sell through the desk": Mutant(
        "ReceivableLedger",
        "members.requireBothActive(from, to);\n\n        currency = _transfer",
        "currency = _transfer",
    ),
    "a rejected invoice stays taken": Mutant(
        "ReceivableLedger",
        "emit ReceivableRejected(id, actor);\n\n        register.leave(found.fingerprint, id, actor);",
        "emit ReceivableRejected(id, actor);",
    ),
    "a quote filled at once can be filled again": Mutant(
        "FinancingDesk", "words[nonce >> 7] = _with(word, nonce, NonceState.Used);\n            return", "return"
    ),
    "a part pays a minor unit too much": Mutant(
        "FinancingDesk", "proceeds = uint128(total - (", "proceeds = uint128(total + 1 - ("
    ),
    "a quote is filled beyond its size": Mutant(
        "FinancingDesk",
        "if (units > offered - before) revert FinancingDesk_Overfilled(bank, nonce, offered - before, units);",
        "",
    ),
    "a nonce serves two quotes in parts": Mutant(
        "FinancingDesk",
        "if (inParts && before == 0) revert FinancingDesk_NonceOfAnotherQuote(bank, nonce);",
        "",
    ),
    "units are put back twice": Mutant("FinancingDesk", "recourse.state = RecourseState.Owed;", ""),
    "who is no bank buys": Mutant("FinancingDesk", "        _requireFinancier(bank);\n", ""),
    "anybody releases a pledge": Mutant(
        "WarehouseLedger",
        "if (!_actsFor(actor, found.bank)) revert WarehouseLedger_NotBank(pledgeId, actor);",
        "",
    ),
    "the same goods are pledged twice": Mutant("WarehouseLedger", "found.pledged = pledged + quantity;", ""),
    "pledged goods are delivered": Mutant(
        "WarehouseLedger",
        "if (quantity > unbound) revert WarehouseLedger_InsufficientFree(receiptId, unbound, quantity);\n\n        uint128 left",
        "uint128 left",
    ),
    "a delivered lot stays taken": Mutant(
        "WarehouseLedger", "if (left == 0) register.leave(found.fingerprint, receiptId, actor);", ""
    ),
}


def compiled() -> dict[str, Artifact]:
    """The artifact of each mutant, all from one run of the compiler: each is a copy of its file under another name."""
    texts = sources()
    changed: dict[str, str] = {}
    wanted: dict[str, dict[str, list[str]]] = {}
    files: dict[str, str] = {}
    for number, (name, mutant) in enumerate(MUTANTS.items()):
        assert texts[mutant.file].count(mutant.old) == 1, f"{mutant.file} no longer says, once: {mutant.old}"
        files[name] = mutant.file.replace(".sol", f"Mutant{number}.sol")
        changed[files[name]] = texts[mutant.file].replace(mutant.old, mutant.new)
        wanted[files[name]] = {mutant.contract: ["evm.bytecode.object"]}
    made = compile_json({**texts, **changed}, wanted)
    found = {}
    for name, mutant in MUTANTS.items():
        known = load()[mutant.contract]
        code = bytes.fromhex(made[files[name]][mutant.contract]["evm"]["bytecode"]["object"])
        found[name] = Artifact(known.name, known.source, known.abi, code, known.runtime_code)
    return found
