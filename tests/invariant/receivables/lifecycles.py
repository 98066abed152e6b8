"""What a run must have reached: every transition that the interfaces document, and every error that the ABIs list.

What no run can reach by construction is listed with the reason.
"""

from __future__ import annotations

from scripts.deployment.artifacts import load

from . import model as m

CONTRACTS = ("FinancingRegister", "ReceivableLedger", "FinancingDesk", "WarehouseLedger")
#: Below it, a transition or an error counts as not reached.
ENOUGH = 20

#: By table of the model: the states in the order of the contract's enum.
STATES = {
    "entries": ("fingerprint", ("Free", "Reserved", "Financed", "Entered")),
    "receivables": (
        "receivable",
        ("None", "Draft", "Rejected", "Withdrawn", "Confirmed", "PartlyPaid", "Settled", "Disputed"),
    ),
    "nonces": ("nonce", ("Open", "Used", "Cancelled", "InParts")),
    "recourses": ("recourse", ("None", "Held", "Owed", "Repaid")),
    "receipts": ("receipt", ("None", "Stored", "Delivered", "Struck")),
    "pledges": (
        "pledge",
        ("None", "Proposed", "Accepted", "Active", "Declined", "Withdrawn", "Lapsed", "Released", "Enforced"),
    ),
}

#: (lifecycle, from, to, the calls that do it). Any other change of state that a run sees is a failure.
_LISTED = (
    ("fingerprint", "Free", "Reserved", "register.reserve"),
    ("fingerprint", "Free", "Entered", "register.enter ledger.draft ledger.dilute warehouse.issue"),
    ("fingerprint", "Reserved", "Free", "register.release register.annul time"),
    ("fingerprint", "Reserved", "Financed", "register.finance"),
    ("fingerprint", "Financed", "Free", "register.annul"),
    (
        "fingerprint",
        "Entered",
        "Free",
        "register.leave register.annul ledger.reject ledger.withdraw ledger.strike warehouse.deliver warehouse.strike warehouse.enforce",
    ),
    ("receivable", "None", "Draft", "ledger.draft"),
    ("receivable", "Draft", "Disputed", "ledger.dispute"),
    *(
        ("receivable", state, end, calls)
        for state in ("Draft", "Disputed")
        for end, calls in (
            ("Confirmed", "ledger.confirm"),
            ("Rejected", "ledger.reject"),
            ("Withdrawn", "ledger.withdraw ledger.strike"),
        )
    ),
    ("receivable", "Confirmed", "Confirmed", "ledger.dilute"),
    ("receivable", "Confirmed", "PartlyPaid", "ledger.pay"),
    ("receivable", "Confirmed", "Settled", "ledger.pay ledger.dilute"),
    ("receivable", "PartlyPaid", "PartlyPaid", "ledger.pay"),
    ("receivable", "PartlyPaid", "Settled", "ledger.pay"),
    ("receivable", "open", "overdue", "time"),
    ("receivable", "overdue", "defaulted", "time"),
    ("nonce", "Open", "Used", "desk.fill"),
    ("nonce", "Open", "InParts", "desk.fill"),
    ("nonce", "Open", "Cancelled", "desk.cancel"),
    ("nonce", "InParts", "InParts", "desk.fill"),
    ("nonce", "InParts", "Used", "desk.fill"),
    ("nonce", "InParts", "Cancelled", "desk.cancel"),
    ("recourse", "None", "Held", "desk.fill"),
    ("recourse", "Held", "Held", "desk.fill"),
    ("recourse", "Held", "Owed", "desk.putBack"),
    ("recourse", "Owed", "Owed", "desk.repay"),
    ("recourse", "Owed", "Repaid", "desk.repay"),
    ("receipt", "None", "Stored", "warehouse.issue"),
    ("receipt", "Stored", "Delivered", "warehouse.deliver warehouse.enforce"),
    ("receipt", "Stored", "Struck", "warehouse.strike"),
    (
        "receipt",
        "Stored",
        "Stored",
        "warehouse.transfer warehouse.deliver warehouse.enforce warehouse.pledge warehouse.decline warehouse.withdraw "
        "warehouse.lapse warehouse.release",
    ),
    ("pledge", "None", "Proposed", "warehouse.pledge"),
    ("pledge", "Proposed", "Accepted", "warehouse.accept"),
    ("pledge", "Accepted", "Active", "warehouse.confirm"),
    *(
        ("pledge", state, end, call)
        for state in ("Proposed", "Accepted")
        for end, call in (
            ("Declined", "warehouse.decline"),
            ("Withdrawn", "warehouse.withdraw"),
            ("Lapsed", "warehouse.lapse"),
            ("lapsed, not yet said so", "time"),
        )
    ),
    ("pledge", "Active", "Active", "warehouse.release warehouse.enforce"),
    ("pledge", "Active", "Released", "warehouse.release"),
    ("pledge", "Active", "Enforced", "warehouse.enforce"),
)


def transition(lifecycle: str, before: str, after: str, call: str) -> str:
    return f"{lifecycle}: {before} → {after} ({call})"


TRANSITIONS = frozenset(transition(*listed, call) for *listed, calls in _LISTED for call in calls.split())
#: Without the calls, as the interfaces' NatSpec draws them.
EDGES = frozenset((lifecycle, before, after) for lifecycle, before, after, _ in _LISTED)

#: What is no change of any state, or only with what else there is, and must be reached all the same.
SITUATIONS = frozenset(
    (
        *(
            m.left(application, whose)
            for application in ("ledger", "warehouse", "register")
            for whose in ("free", "another case's", "somebody else's")
        ),
        m.CONFIRMED_ANNULLED,
        m.NOTE_OF_INVOICE,
        m.NUMBER_OF_INVOICE,
        m.INVOICE_OF_NOTE,
        m.PUT_BACK_ALL,
        m.PUT_BACK_LESS,
        m.PUT_BACK_NOT_MORE,
    )
)

_OPENZEPPELIN_NAME = "EIP712 keeps names of at most 31 bytes inline; the constructor's names are shorter"
#: Errors in the four ABIs that no call can bring about.
UNREACHABLE = {
    "AccessManagedInvalidAuthority": "only from setAuthority, which only the authority itself may call, and the city never does",
    "AccessManagedRequiredDelay": "no role of the charter that these contracts ask for is granted with an execution delay",
    "InvalidShortString": _OPENZEPPELIN_NAME,
    "StringTooLong": _OPENZEPPELIN_NAME,
    "SafeERC20FailedOperation": "settlement tokens answer true or revert with an error of their own, which is passed on",
    "Desk_NotAuthorized": "inherited from Desk; FinancingDesk has no function that acts under a mandate",
}
#: Errors of the core that these contracts pass on.
CORE_ERRORS = (
    "Members_NotEnrolled",
    "Members_Suspended",
    "Members_Retired",
    "Members_Expired",
    "Currencies_NotListed",
    "SettlementToken_Frozen",
    "SettlementToken_NotAHolder",
    "ERC20InsufficientBalance",
    "ERC20InsufficientAllowance",
)
#: Errors that can come from the core when one of the four contracts calls it, and never do.
CORE_UNREACHABLE = {
    "Escrow_ZeroAmount": "the ledger refuses a zero amount before it asks the Escrow",
    "Escrow_ShortTransfer": "a settlement token keeps no fee",
    "Escrow_InsufficientHeld": "the Escrow holds paid − Σ claimed (invariant R2); a model that finds it raises it",
    "Escrow_NothingToClaim": "the ledger pays out at once and never releases",
    "Escrow_InvalidPayee": "the payee is an account that holds units",
    "Escrow_ManagerCannotAct": "the ledger calls, never the authority",
    "Currencies_TokenNotListed": "the ledger passes on the token that Currencies answered",
    "SettlementToken_ZeroAmount": "only from issue, redeem and deduct, which these contracts do not call",
    "SettlementToken_CapExceeded": "only from issue and redeem",
    "SettlementToken_EscrowExempt": "only from setFreeze and deduct",
    "SettlementToken_ManagerCannotAct": "only from functions for offices",
    "ERC20InvalidSender": "payers are accounts that call or sign",
    "ERC20InvalidReceiver": "payees are accounts that call or sign",
    "ERC20InvalidApprover": "only from approve",
    "ERC20InvalidSpender": "only from approve",
}


def required_errors() -> dict[str, str]:
    """What must be counted, and under which key of the tally: `contract: error`, where any contract passed on counts as `*`."""
    wanted: dict[str, str] = {}
    for contract in CONTRACTS:
        for entry in load()[contract].abi:
            name = entry["name"] if entry["type"] == "error" else None
            if name is None or name in UNREACHABLE:
                continue
            own = name.startswith(f"{contract}_") or name.startswith("ERC1155")
            wanted[f"{'*' if own else contract}: {name}"] = name
    wanted["*: UnitReceiverMock_Refused"] = "UnitReceiverMock_Refused"
    return wanted | {f"*: {name}": name for name in CORE_ERRORS}


def missing(tally: dict[str, int]) -> list[str]:
    """What a run did not reach often enough."""
    found = [(key, tally.get(f"error {key}", 0)) for key in required_errors()]
    found += [(key, tally.get(f"transition {key}", 0)) for key in TRANSITIONS]
    found += [(key, tally.get(f"situation {key}", 0)) for key in SITUATIONS]
    return sorted(f"{key}: {count}" for key, count in found if count < ENOUGH)
