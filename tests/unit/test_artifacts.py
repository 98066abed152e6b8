"""What is compiled again after a change: Ape alone would leave contracts with the old text of what they import."""

from __future__ import annotations

from scripts.deployment.artifacts import sources_now, with_importers

NOTE = "contracts/receivables/types/CreditNote.sol"
LEDGER = "contracts/receivables/ReceivableLedger.sol"


def stale(*changed):
    return with_importers(set(changed), sources_now())


def test_with_importers__a_file_of_functions__who_uses_them():
    assert stale(NOTE) == {NOTE, LEDGER}


def test_with_importers__an_interface__its_implementation_and_all_callers():
    found = stale("contracts/receivables/interfaces/IReceivableLedger.sol")
    assert {LEDGER, "contracts/receivables/FinancingDesk.sol"} <= found
    assert not any(source.startswith("contracts/core/") for source in found)


def test_with_importers__what_applications_import__directly_or_not():
    found = stale("contracts/core/interfaces/IMembers.sol")
    assert {"contracts/core/Application.sol", LEDGER, "contracts/property/TitleRegistry.sol"} <= found


def test_with_importers__a_contract_that_nobody_imports__itself():
    assert stale(LEDGER) == {LEDGER}
