"""Refusals of the property contracts."""

from __future__ import annotations

from .sentence import Sentence as S

_TITLE = ("not registered", "active", "superseded", "cancelled")
_LIEN = ("not there", "active", "released")
_CASE = ("none", "applied", "offered", "accepted", "registered", "released", "closed")

PROPERTY = {
    "TitleRegistry_AlreadyRegistered": S(
        409, "{unit} was registered before; its title is {status}.", {"status": _TITLE}
    ),
    "TitleRegistry_EmptyCertificateRoot": S(422, "A title needs a certificate; the zero hash commits to nothing."),
    "TitleRegistry_Encumbered": S(409, "{unit} has {liens} active liens; they must be released first."),
    "TitleRegistry_LienNotActive": S(409, "Lien {number} on {unit} is {status}.", {"status": _LIEN}),
    "TitleRegistry_Locked": S(403, "Titles do not move by token transfers or approvals (ERC-5192); use a desk."),
    "TitleRegistry_MalformedUnitNumber": S(422, "{unit} is not laid out as GB/T 37346 says."),
    "TitleRegistry_NotActive": S(409, "The title of {unit} is {status}.", {"status": _TITLE}),
    "TitleRegistry_NotTheOwner": S(409, "{owner} holds {unit}, no longer {claimed}."),
    "TitleRegistry_SameCertificateRoot": S(409, "This is the current certificate of {unit} already."),
    "TitleRegistry_SameOwner": S(422, "{owner} holds {unit} already."),
    "TitleRegistry_TooManyLiens": S(409, "{unit} has {limit} active liens, the most a title takes."),
    "TitleRegistry_TransferForbiddenByLien": S(409, "{forbidding} liens on {unit} forbid its transfer."),
    "TitleRegistry_ZeroAmount": S(422, "A lien secures more than zero."),
    "MortgageDesk_EmptyTerms": S(422, "An offer names the hash of its terms."),
    "MortgageDesk_Expired": S(
        409, "Case {caseId} expired at {validUntil}; it is {chainTime} on the chain. Apply again."
    ),
    "MortgageDesk_NotTheBank": S(403, "{actor} is not the bank of case {caseId}, {bank} is."),
    "MortgageDesk_OtherTerms": S(409, "Case {caseId} was offered with the terms {offered}, not {terms}."),
    "MortgageDesk_SelfDealing": S(
        403, "{bank} cannot lend to itself, nor act for the owner towards itself; {actor} may not do this."
    ),
    "MortgageDesk_TitleNotActive": S(404, "{unit} has no active title."),
    "MortgageDesk_ValidityTooLong": S(422, "An offer stands at most 30 days, until {latest}."),
    "MortgageDesk_WrongState": S(
        409, "Case {caseId} is {state}; for this it must be {required}.", {"state": _CASE, "required": _CASE}
    ),
    "MortgageDesk_ZeroPrincipal": S(422, "A mortgage secures more than zero."),
}
