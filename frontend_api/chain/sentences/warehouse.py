"""Refusals of the warehouse ledger."""

from __future__ import annotations

from .sentence import Sentence as S

_RECEIPT = ("not there", "in store", "delivered", "struck")
_PLEDGE = (
    "not there",
    "proposed",
    "accepted and not yet confirmed",
    "active",
    "declined",
    "withdrawn",
    "lapsed",
    "released",
    "enforced",
)

WAREHOUSE = {
    "WarehouseLedger_AnswerInPast": S(
        422, "The pledge would have to be answered by {answerBy}, which is past: it is {chainTime} on the chain."
    ),
    "WarehouseLedger_AnswerTooLate": S(
        422, "{answerBy} leaves too long for an answer: the goods stay bound until {latest} at the latest."
    ),
    "WarehouseLedger_EmptyGoods": S(422, "A receipt needs its goods; the zero hash commits to nothing."),
    "WarehouseLedger_EmptyUnit": S(422, "A quantity needs its unit."),
    "WarehouseLedger_HasLapsed": S(
        409, "Pledge {pledgeId} was to be answered by {answerBy}; it is {chainTime} on the chain. Propose another."
    ),
    "WarehouseLedger_InsufficientFree": S(
        409, "{free} of receipt {receiptId} are neither pledged nor delivered; {requested} were asked for."
    ),
    "WarehouseLedger_InsufficientPledged": S(409, "Pledge {pledgeId} binds {pledged}; {requested} were asked for."),
    "WarehouseLedger_MoreThanOnHand": S(
        422, "Receipt {receiptId} is for {quantity}; {reported} cannot be missing of it."
    ),
    "WarehouseLedger_NotBank": S(403, "{actor} is not the bank of pledge {pledgeId}."),
    "WarehouseLedger_NotBankOrSupervisor": S(
        403, "{actor} is neither the bank nor the supervisor of pledge {pledgeId}."
    ),
    "WarehouseLedger_NotLapsed": S(
        409, "Pledge {pledgeId} can be answered until {answerBy}; it is {chainTime} on the chain."
    ),
    "WarehouseLedger_NotOwner": S(403, "{actor} does not own receipt {receiptId}."),
    "WarehouseLedger_NotSupervisor": S(403, "{actor} is not the supervisor of pledge {pledgeId}."),
    "WarehouseLedger_NotWarehouse": S(403, "{actor} does not keep the goods of receipt {receiptId}."),
    "WarehouseLedger_OwnReceipt": S(422, "{owner} owns receipt {receiptId} already."),
    "WarehouseLedger_OwnWarehouse": S(422, "{warehouse} cannot own goods that it keeps for others itself."),
    "WarehouseLedger_PledgeOfAnotherReceipt": S(422, "Pledge {pledgeId} is not of receipt {receiptId}."),
    "WarehouseLedger_Pledged": S(409, "{pledged} of receipt {receiptId} are pledged, or offered as a pledge."),
    "WarehouseLedger_WrongBank": S(
        422, "{bank} owns or keeps the goods of receipt {receiptId}; a pledge is for somebody else."
    ),
    "WarehouseLedger_WrongPledgeState": S(
        409, "Pledge {pledgeId} is {state}; that does not allow this.", {"state": _PLEDGE}
    ),
    "WarehouseLedger_WrongReceiptState": S(
        409, "Warehouse receipt {receiptId} is {state}; that does not allow this.", {"state": _RECEIPT}
    ),
    "WarehouseLedger_WrongSupervisor": S(
        422,
        "{supervisor} is the owner, the bank or the warehouse of receipt {receiptId}; a supervisor is a third party.",
    ),
    "WarehouseLedger_ZeroQuantity": S(422, "A quantity is more than zero."),
    "WarehouseLedger_ZeroSecuredAmount": S(422, "A pledge of receipt {receiptId} secures more than zero."),
}
