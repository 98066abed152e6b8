"""Refusals of the core contracts and of OpenZeppelin's."""

from __future__ import annotations

from .sentence import Sentence as S

_STATUS = ("never enrolled", "active", "suspended", "retired")
_DOCUMENT = ("unknown", "valid", "revoked", "superseded")
_SUCCESSION = ("no succession", "proposed", "completed")

CORE = {
    "Application_ManagerCannotAct": S(
        403, "A call through the authority's `execute` has no actor of its own; call directly."
    ),
    "Desk_NotAuthorized": S(403, "{actor} may not act for {principal}: it has no mandate for {scope} in force."),
    "Currencies_AlreadyListed": S(409, "{currency} has the settlement token {token} already, for ever."),
    "Currencies_ManagerCannotAct": S(
        403, "A call through the authority's `execute` has no actor of its own; call directly."
    ),
    "Currencies_NotACode": S(422, "{currency} is no ISO 4217 code of three capitals."),
    "Currencies_NotListed": S(422, "There is no settlement token for {currency}."),
    "Currencies_TokenNotListed": S(422, "{token} is no listed settlement token."),
    "Currencies_WrongToken": S(422, "{token} is no settlement token of {currency}."),
    "DocumentRegistry_AlreadyAnchored": S(409, "{issuer} anchored this batch already, at {anchoredAt}."),
    "DocumentRegistry_AlreadyEnded": S(409, "This document is {status} already.", {"status": _DOCUMENT}),
    "DocumentRegistry_EmptyBatch": S(422, "A batch holds at least one document."),
    "DocumentRegistry_EmptyRoot": S(422, "The zero hash commits to nothing."),
    "DocumentRegistry_NoReason": S(422, "Say why the document is revoked."),
    "DocumentRegistry_SupersededByItself": S(422, "A document cannot take its own place."),
    "Escrow_InsufficientHeld": S(409, "Case {caseId} has {held} minor units in escrow, {requested} were asked for."),
    "Escrow_InvalidPayee": S(422, "Money cannot be paid to {payee}: it could never be claimed."),
    "Escrow_ManagerCannotAct": S(
        403, "A call through the authority's `execute` has no actor of its own; call directly."
    ),
    "Escrow_NothingToClaim": S(409, "Nothing was released to {payee} in this currency."),
    "Escrow_ShortTransfer": S(409, "The token moved {received} instead of {expected} minor units; nothing was taken."),
    "Escrow_ZeroAmount": S(422, "An amount of zero moves nothing."),
    "Forwarder_NoValue": S(422, "Forwarded requests carry no native value."),
    "Mandates_EmptyScope": S(422, "A mandate says what it is for."),
    "Mandates_GuardianshipInForce": S(
        409, "{agent} is guardian of {principal} for {scope}; only an office can end that."
    ),
    "Mandates_NoMandate": S(404, "{agent} has no mandate of {principal} for {scope}."),
    "Mandates_SelfMandate": S(422, "{account} needs no mandate to act for itself."),
    "Mandates_ValidityInPast": S(
        422, "The mandate would end at {validUntil}, which is past: it is {chainTime} on the chain."
    ),
    "Mandates_ValidityTooLong": S(422, "A mandate lasts at most five years, until {latest}."),
    "Members_AlreadyEnrolled": S(409, "{account} is enrolled already ({status}).", {"status": _STATUS}),
    "Members_CreditCodeTaken": S(409, "The credit code {creditCode} belongs to {holder}."),
    "Members_EmptyCommitment": S(422, "The zero hash commits to nothing."),
    "Members_Expired": S(403, "The enrolment of {account} expired at {validUntil}."),
    "Members_InvalidCreditCode": S(
        422, "{creditCode} is no unified social credit code: its check character is wrong (GB 32100-2015)."
    ),
    "Members_KindAlreadyDefined": S(409, "Kind {kind} is defined already."),
    "Members_KindReserved": S(422, "Kind {kind} is reserved."),
    "Members_ManagerCannotAct": S(
        403, "A call through the authority's `execute` has no actor of its own; call directly."
    ),
    "Members_NotAMember": S(404, "{account} is no member."),
    "Members_NotAResident": S(404, "{account} is no enrolled resident."),
    "Members_NotEnrolled": S(403, "{account} is neither a member nor an enrolled resident."),
    "Members_ReceiverNotActive": S(422, "{receiver} cannot be receiver: it is no active member."),
    "Members_Retired": S(403, "{account} is retired."),
    "Members_Suspended": S(403, "{account} is suspended: it may meet its obligations but do no new business."),
    "Members_TooManyRoles": S(422, "A kind confers 1 to {limit} roles, not {roles}."),
    "Members_UnknownKind": S(422, "The charter has no kind {kind}."),
    "Members_ValidityInPast": S(
        422, "The enrolment would end at {validUntil}, which is past: it is {chainTime} on the chain."
    ),
    "Members_WrongStatus": S(
        409, "{account} is {status}, it must be {required} for that.", {"status": _STATUS, "required": _STATUS}
    ),
    "Members_ZeroAccount": S(422, "The zero address is nobody."),
    "SettlementToken_CapExceeded": S(
        409, "{bank} has issued {position} net and may issue up to {cap} minor units; {amount} more do not fit."
    ),
    "SettlementToken_EscrowExempt": S(
        422, "Money in escrow is other people's; freeze or deduct it where it arrives, not at {escrow}."
    ),
    "SettlementToken_Frozen": S(
        409, "{frozen} of the {balance} minor units of {account} are frozen; {amount} cannot leave."
    ),
    "SettlementToken_ManagerCannotAct": S(
        403, "A call through the authority's `execute` has no actor of its own; call directly."
    ),
    "SettlementToken_NotAHolder": S(
        403, "{account} may not hold settlement tokens: it is neither member nor enrolled resident."
    ),
    "SettlementToken_ZeroAmount": S(422, "An amount of zero moves nothing."),
    "Succession_NotThePredecessor": S(403, "Only {predecessor} itself may contest its succession."),
    "Succession_SuccessorWasSucceeded": S(409, "{successor} was itself succeeded by {by}."),
    "Succession_ToItself": S(422, "{account} cannot succeed itself."),
    "Succession_TooEarly": S(
        409, "The succession of {predecessor} can be completed from {completableAt}; it is {chainTime} on the chain."
    ),
    "Succession_UnknownPredecessor": S(404, "{account} is neither a member nor an enrolled resident."),
    "Succession_WrongState": S(409, "For {predecessor}: {state}.", {"state": _SUCCESSION}),
}

OPENZEPPELIN = {
    "Error": S(409, "The contract refused: {message}."),
    "Panic": S(409, "The contract stopped at an impossible state (code {code})."),
    "AccessManagedInvalidAuthority": S(422, "{authority} cannot be the authority: it has no code."),
    "AccessManagedRequiredDelay": S(409, "{caller} must schedule this first; the delay is {delay} seconds."),
    "AccessManagedUnauthorized": S(403, "{caller} does not have the role for this."),
    "AccessManagerAlreadyScheduled": S(409, "This operation is scheduled already."),
    "AccessManagerBadConfirmation": S(422, "The confirmation is not the caller's own address."),
    "AccessManagerExpired": S(409, "The scheduled operation has expired; schedule it again."),
    "AccessManagerInvalidInitialAdmin": S(422, "The authority needs an administrator."),
    "AccessManagerLockedFunction": S(409, "This function's permission cannot be changed."),
    "AccessManagerLockedRole": S(409, "Role {roleId} cannot be changed."),
    "AccessManagerNotReady": S(409, "The scheduled operation's delay has not passed yet."),
    "AccessManagerNotScheduled": S(409, "This operation was not scheduled."),
    "AccessManagerUnauthorizedAccount": S(403, "{msgsender} does not administer role {roleId}."),
    "AccessManagerUnauthorizedCall": S(403, "{caller} may not call this function of {target}."),
    "AccessManagerUnauthorizedCancel": S(403, "{msgsender} may not cancel what {caller} scheduled."),
    "AccessManagerUnauthorizedConsume": S(403, "{target} may not use up a scheduled operation."),
    "AddressEmptyCode": S(422, "There is no contract at {target}."),
    "ECDSAInvalidSignature": S(422, "The signature is not valid."),
    "ECDSAInvalidSignatureLength": S(422, "A signature has 65 bytes, not {length}."),
    "ECDSAInvalidSignatureS": S(422, "The signature is not in its canonical form (its s is in the upper half)."),
    "ERC20InsufficientAllowance": S(
        409,
        "{spender} may take {allowance} minor units, {needed} are needed; approve more first "
        "(POST /currencies/…/approvals).",
    ),
    "ERC20InsufficientBalance": S(409, "{sender} has {balance} minor units, {needed} are needed."),
    "ERC20InvalidApprover": S(422, "{approver} cannot approve."),
    "ERC20InvalidReceiver": S(422, "{receiver} cannot receive."),
    "ERC20InvalidSender": S(422, "{sender} cannot send."),
    "ERC20InvalidSpender": S(422, "{spender} cannot spend."),
    "ERC2771ForwarderExpiredRequest": S(409, "The signed request expired at {deadline}; prepare and sign it again."),
    "ERC2771ForwarderInvalidSigner": S(
        422,
        "The signature is not that of this request by its signer at the forwarder's next nonce; prepare and sign it again.",
    ),
    "ERC2771ForwarderMismatchedValue": S(422, "Forwarded requests carry no native value."),
    "ERC2771ForwarderNoRefundReceiver": S(422, "Forwarded requests carry no native value."),
    "ERC2771UntrustfulTarget": S(422, "{target} takes no forwarded calls."),
    "ERC3009InvalidAuthorizationTime": S(409, "The signed transfer is not valid now."),
    "ERC3009InvalidSignature": S(422, "The signature of the transfer is not valid."),
    "ERC3009UsedAuthorization": S(409, "The signed transfer of {authorizer} was used already."),
    "ERC721IncorrectOwner": S(409, "{owner} holds the title, not {sender}."),
    "ERC721InsufficientApproval": S(403, "{operator} is not approved."),
    "ERC721InvalidApprover": S(422, "{approver} cannot approve."),
    "ERC721InvalidOperator": S(422, "{operator} cannot be an operator."),
    "ERC721InvalidOwner": S(422, "The zero address is nobody."),
    "ERC721InvalidReceiver": S(422, "{receiver} cannot receive."),
    "ERC721InvalidSender": S(422, "{sender} cannot send."),
    "ERC721NonexistentToken": S(404, "There is no title with token id {tokenId}."),
    "FailedCall": S(409, "An inner call failed without a reason."),
    "InsufficientBalance": S(409, "{balance} are there, {needed} are needed."),
    "InvalidAccountNonce": S(409, "The next nonce of {account} is {currentNonce}."),
    "InvalidShortString": S(422, "The text cannot be read."),
    "ReentrancyGuardReentrantCall": S(409, "The contract was called while it was being called."),
    "SafeCastOverflowedIntDowncast": S(422, "{value} does not fit into {bits} bits."),
    "SafeCastOverflowedUintDowncast": S(422, "{value} does not fit into {bits} bits."),
    "SafeCastOverflowedUintToInt": S(422, "{value} is too large."),
    "SafeERC20FailedOperation": S(409, "The token {token} refused the transfer."),
    "StringTooLong": S(422, "The text is too long."),
}
