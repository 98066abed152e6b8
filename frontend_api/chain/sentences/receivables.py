"""Refusals of the receivables contracts."""

from __future__ import annotations

from .sentence import Sentence as S

_STATE = ("not there", "a draft", "rejected", "withdrawn", "confirmed", "partly paid", "settled")

RECEIVABLES = {
    "ReceivableLedger_ApprovalsRefused": S(
        403, "{operator} cannot move other holders' units: approvals are refused; use a desk."
    ),
    "ReceivableLedger_BatchTooLong": S(422, "A batch moves units of at most {limit} receivables, not {length}."),
    "ReceivableLedger_Due": S(409, "Receivable {id} was due at {dueAt}; from then on no units change hands."),
    "ReceivableLedger_DueInPast": S(
        422, "The receivable would be due at {dueAt}, which is past: it is {chainTime} on the chain."
    ),
    "ReceivableLedger_EmptyInvoiceHash": S(422, "A receivable needs its invoice; the zero hash commits to nothing."),
    "ReceivableLedger_InsufficientUnits": S(
        409, "{holder} holds {held} units of receivable {id}, {requested} were asked for."
    ),
    "ReceivableLedger_InvoiceAlreadyDrafted": S(409, "This invoice was drafted before, as receivable {id}."),
    "ReceivableLedger_LengthMismatch": S(422, "There are {ids} ids and {values} values; each id needs one value."),
    "ReceivableLedger_NotDebtor": S(403, "{actor} is not the debtor of receivable {id}."),
    "ReceivableLedger_NotSupplier": S(403, "{actor} is not the supplier of receivable {id}."),
    "ReceivableLedger_NothingToClaim": S(409, "There is nothing for {holder} to claim on receivable {id}."),
    "ReceivableLedger_Overpaid": S(
        409, "{outstanding} minor units are outstanding on receivable {id}; {amount} are more."
    ),
    "ReceivableLedger_OwnDebtor": S(422, "{supplier} cannot be its own debtor."),
    "ReceivableLedger_WrongState": S(409, "Receivable {id} is {state}; that does not allow this.", {"state": _STATE}),
    "ReceivableLedger_ZeroAmount": S(422, "A payment of zero on receivable {id} pays nothing."),
    "ReceivableLedger_ZeroFace": S(422, "A receivable is worth more than zero."),
    "ReceivableLedger_ZeroUnits": S(422, "Zero units of receivable {id} move nothing."),
    "FinancingDesk_Expired": S(
        409, "The quote expired at {validUntil}; it is {chainTime} on the chain. Ask for another."
    ),
    "FinancingDesk_NonceCancelled": S(409, "{bank} cancelled the quote with nonce {nonce}."),
    "FinancingDesk_NonceUsed": S(
        409, "A quote of {bank} with nonce {nonce} was filled already; it is good for one sale."
    ),
    "FinancingDesk_NotAFinancier": S(403, "{bank} may not buy receivables: it does not have the role."),
    "FinancingDesk_OwnQuote": S(422, "{bank} cannot sell to itself."),
    "FinancingDesk_WrongSeller": S(403, "The quote is for {seller} alone, not for {actor}."),
    "FinancingDesk_WrongSigner": S(
        422, "The signature is not that of {bank} over this quote on this chain (digest {digest})."
    ),
    "FinancingDesk_ZeroProceeds": S(422, "A quote for receivable {receivableId} pays more than zero."),
    "FinancingDesk_ZeroUnits": S(422, "A quote for receivable {receivableId} buys more than zero units."),
    "ERC1155InvalidReceiver": S(409, "{receiver} is a contract that does not take units of receivables."),
}
