"""Refusals of the receivables contracts."""

from __future__ import annotations

from .sentence import Sentence as S

_STATE = ("not there", "a draft", "rejected", "withdrawn", "confirmed", "partly paid", "settled", "disputed")
_ENTRY = ("free", "reserved", "financed", "entered")
_RECOURSE = ("not there", "held", "owed", "repaid")

RECEIVABLES = {
    "ReceivableLedger_ApprovalsRefused": S(
        403, "{operator} cannot move other holders' units: approvals are refused; use a desk."
    ),
    "ReceivableLedger_AlreadyWrittenOff": S(409, "{holder} has written its units of receivable {id} off already."),
    "ReceivableLedger_BatchTooLong": S(422, "A batch moves units of at most {limit} receivables, not {length}."),
    "ReceivableLedger_Due": S(409, "Receivable {id} was due at {dueAt}; from then on no units change hands."),
    "ReceivableLedger_DueInPast": S(
        422, "The receivable would be due at {dueAt}, which is past: it is {chainTime} on the chain."
    ),
    "ReceivableLedger_DueTooLate": S(
        422,
        "The receivable would be due at {dueAt}; the latest is {latest}. Due dates are in seconds, not milliseconds.",
    ),
    "ReceivableLedger_InsufficientUnits": S(
        409, "{holder} holds {held} units of receivable {id}, {requested} were asked for."
    ),
    "ReceivableLedger_LengthMismatch": S(422, "There are {ids} ids and {values} values; each id needs one value."),
    "ReceivableLedger_NotDefaulted": S(
        409, "Receivable {id} is in default from {defaultsAt} on; it is {chainTime} on the chain."
    ),
    "ReceivableLedger_NotDebtor": S(403, "{actor} is not the debtor of receivable {id}."),
    "ReceivableLedger_NotSupplier": S(403, "{actor} is not the supplier of receivable {id}."),
    "ReceivableLedger_NothingToClaim": S(409, "There is nothing for {holder} to claim on receivable {id}."),
    "ReceivableLedger_Overpaid": S(
        409, "{outstanding} minor units are outstanding on receivable {id}; {amount} are more."
    ),
    "ReceivableLedger_OwnDebtor": S(422, "{supplier} cannot be its own debtor."),
    "ReceivableLedger_WrongState": S(409, "Receivable {id} is {state}; that does not allow this.", {"state": _STATE}),
    "ReceivableLedger_ZeroAmount": S(422, "A payment or credit note of zero on receivable {id} changes nothing."),
    "ReceivableLedger_ZeroFace": S(422, "A receivable is worth more than zero."),
    "ReceivableLedger_ZeroUnits": S(422, "Zero units of receivable {id} move nothing."),
    "FinancingDesk_Expired": S(
        409, "The quote expired at {validUntil}; it is {chainTime} on the chain. Ask for another."
    ),
    "FinancingDesk_Indivisible": S(
        422, "The quote is for all of its {units} units, not for {requested}: it may not be filled in parts."
    ),
    "FinancingDesk_NonceCancelled": S(409, "{bank} cancelled the quote with nonce {nonce}."),
    "FinancingDesk_NonceOfAnotherQuote": S(
        409, "Another quote of {bank} with nonce {nonce} is being filled in parts; ask for one with a nonce of its own."
    ),
    "FinancingDesk_NonceUsed": S(
        409, "A quote of {bank} with nonce {nonce} was filled already; it is good for what it offers once."
    ),
    "FinancingDesk_NotAFinancier": S(403, "{bank} may not buy receivables: it does not have the role."),
    "FinancingDesk_NothingOwed": S(
        409, "What {bank} bought with nonce {nonce} is paid but for rounding; keep the units and claim on them."
    ),
    "FinancingDesk_Overfilled": S(
        409, "{remaining} units are left of the quote of {bank} with nonce {nonce}; {requested} are more."
    ),
    "FinancingDesk_Overpaid": S(
        409, "{outstanding} minor units are outstanding to {bank} by nonce {nonce}; {amount} are more."
    ),
    "FinancingDesk_OwnQuote": S(422, "{bank} cannot sell to itself."),
    "FinancingDesk_WrongRecourseState": S(
        409, "The recourse of {bank} by nonce {nonce} is {state}; that does not allow this.", {"state": _RECOURSE}
    ),
    "FinancingDesk_WrongSeller": S(403, "This is for {seller} alone, not for {actor}."),
    "FinancingDesk_WrongSigner": S(
        422, "The signature is not that of {bank} over this quote on this chain (digest {digest})."
    ),
    "FinancingDesk_ZeroAmount": S(422, "A repayment of zero to {bank} by nonce {nonce} pays nothing."),
    "FinancingDesk_ZeroProceeds": S(
        422, "So few units of receivable {receivableId} would be paid with nothing; sell more of them at once."
    ),
    "FinancingDesk_ZeroUnits": S(422, "A quote for receivable {receivableId} buys more than zero units."),
    "FinancingRegister_CaseIdTooLarge": S(422, "Case number {caseId} does not fit into 48 bits."),
    "FinancingRegister_ConsentExpired": S(
        409, "The seller's consent ended at {reservedUntil}; it is {chainTime} on the chain. Ask for another."
    ),
    "FinancingRegister_ConsentUsed": S(
        409, "The consent (digest {digest}) was used or withdrawn; ask the seller for one with another nonce."
    ),
    "FinancingRegister_EmptyFiling": S(422, "The filing number for {fingerprint} is empty."),
    "FinancingRegister_EmptyFingerprint": S(
        422, "An invoice or lot needs a fingerprint and a number fingerprint; zero stands for neither."
    ),
    "FinancingRegister_NotHolder": S(403, "{fingerprint} is taken by {holder}, not by {actor}."),
    "FinancingRegister_NotSeller": S(403, "The consent is {seller}'s to withdraw, not {actor}'s."),
    "FinancingRegister_NumberFree": S(
        409, "Nobody else has taken the number {numberFingerprint}: there is nothing to clear."
    ),
    "FinancingRegister_NumberTaken": S(
        409,
        "{fingerprint} looks like an altered copy: its seller and number ({numberFingerprint}) are those of {by}. "
        "If they are two, ask the arbiter to clear it.",
    ),
    "FinancingRegister_OwnConsent": S(422, "{bank} cannot consent to itself."),
    "FinancingRegister_ReservationTooLong": S(
        422, "A reservation until {reservedUntil} is too long; the latest is {latest}."
    ),
    "FinancingRegister_Taken": S(
        409,
        "The invoice or lot {fingerprint} is taken: {state} by {holder}, case {caseId}. It cannot be financed twice.",
        {"state": _ENTRY},
    ),
    "FinancingRegister_WrongBank": S(403, "The seller's consent is for {bank}, not for {actor}."),
    "FinancingRegister_WrongSigner": S(
        422, "The signature is not that of {seller} over this consent on this chain (digest {digest})."
    ),
    "FinancingRegister_WrongState": S(409, "{fingerprint} is {state}; that does not allow this.", {"state": _ENTRY}),
    "ERC1155InvalidReceiver": S(409, "{receiver} is a contract that does not take units of receivables."),
}
