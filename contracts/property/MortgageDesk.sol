// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Desk} from "../core/Application.sol";
import {Currency, ICurrencies} from "../core/interfaces/ICurrencies.sol";
import {Core} from "../core/types/Core.sol";
import {IMortgageDesk} from "./interfaces/IMortgageDesk.sol";
import {ITitleRegistry} from "./interfaces/ITitleRegistry.sol";
import {UnitNumber} from "./types/UnitNumber.sol";

/// @title Implementation of {IMortgageDesk}, where errors, events and rules are described
contract MortgageDesk is IMortgageDesk, Desk {
    /// @notice What a mandate must be for to act on an owner's behalf here.
    bytes32 public constant SCOPE = "PROPERTY";
    /// @notice How long each step before registration may take at most.
    uint64 public constant STEP_VALIDITY = 30 days;

    ITitleRegistry public immutable titles;
    ICurrencies public immutable currencies;

    /// @inheritdoc IMortgageDesk
    uint256 public cases;
    mapping(uint256 caseId => Case) private _cases;

    constructor(Core memory core, ITitleRegistry titles_) Desk(core) {
        titles = titles_;
        currencies = core.currencies;
    }

    // --- before registration

    /// @inheritdoc IMortgageDesk
    function applyFor(
        UnitNumber unit,
        address bank,
        uint128 principal,
        Currency currency
    ) external returns (uint256 caseId) {
        address actor = _activeActorWith(bank);
        ITitleRegistry.Title memory title = titles.titleOf(unit);
        if (title.status != ITitleRegistry.Status.Active) revert MortgageDesk_TitleNotActive(unit);
        _requireMayBind(actor, title.owner, bank);
        if (principal == 0) revert MortgageDesk_ZeroPrincipal();
        currencies.tokenOf(currency);

        caseId = ++cases;
        Case storage opened = _cases[caseId];
        opened.applicant = title.owner;
        opened.state = State.Applied;
        opened.currency = currency;
        opened.bank = bank;
        opened.validUntil = _latest();
        opened.unit = unit;
        opened.principal = principal;

        emit MortgageApplied(caseId, actor, unit, title.owner, bank, principal, currency, opened.validUntil);
    }

    /// @inheritdoc IMortgageDesk
    function offer(
        uint256 caseId,
        uint128 principal,
        bytes32 terms,
        bool forbidsTransfer,
        uint64 validUntil
    ) external restricted {
        Case storage found = _open(caseId, State.Applied);
        address actor = _activeActorWith(found.applicant);
        if (actor != found.bank) revert MortgageDesk_NotTheBank(caseId, actor, found.bank);
        if (principal == 0) revert MortgageDesk_ZeroPrincipal();
        if (terms == 0) revert MortgageDesk_EmptyTerms(caseId);
        if (validUntil < block.timestamp) revert MortgageDesk_Expired(caseId, validUntil, uint64(block.timestamp));
        if (validUntil > _latest()) revert MortgageDesk_ValidityTooLong(caseId, validUntil, _latest());

        found.state = State.Offered;
        found.forbidsTransfer = forbidsTransfer;
        found.validUntil = validUntil;
        found.principal = principal;
        found.terms = terms;

        emit MortgageOffered(caseId, actor, principal, terms, forbidsTransfer, validUntil);
    }

    /// @inheritdoc IMortgageDesk
    function accept(uint256 caseId, bytes32 terms) external {
        Case storage found = _open(caseId, State.Offered);
        address actor = _activeActorWith(found.bank);
        _requireMayBind(actor, found.applicant, found.bank);
        if (terms != found.terms) revert MortgageDesk_OtherTerms(caseId, terms, found.terms);

        found.state = State.Accepted;
        found.validUntil = _latest();

        emit MortgageAccepted(caseId, actor, terms, found.validUntil);
    }

    /// @inheritdoc IMortgageDesk
    function register(uint256 caseId) external restricted {
        address actor = _activeActor();
        Case storage found = _open(caseId, State.Accepted);

        found.state = State.Registered;
        // The registry refuses when the title moved since the application.
        uint16 lien = titles.placeLien(
            found.unit,
            found.applicant,
            found.bank,
            found.principal,
            found.currency,
            found.forbidsTransfer,
            actor
        );
        found.lien = lien;

        emit MortgageRegistered(caseId, actor, lien);
    }

    /// @inheritdoc IMortgageDesk
    function withdraw(uint256 caseId) external {
        address actor = _actor();
        _requireMayAct(actor, _cases[caseId].applicant, SCOPE);
        _close(caseId, actor, 0);
    }

    /// @inheritdoc IMortgageDesk
    function decline(uint256 caseId, bytes32 basis) external {
        address actor = _actor();
        _requireBank(caseId, actor);
        _close(caseId, actor, basis);
    }

    /// @inheritdoc IMortgageDesk
    function refuse(uint256 caseId, bytes32 basis) external restricted {
        _close(caseId, _activeActor(), basis);
    }

    // --- after registration

    /// @inheritdoc IMortgageDesk
    function release(uint256 caseId) external {
        address actor = _actor();
        Case storage found = _cases[caseId];
        if (found.state != State.Registered) revert MortgageDesk_WrongState(caseId, found.state, State.Registered);
        _requireBank(caseId, actor);

        found.state = State.Released;
        titles.releaseLien(found.unit, found.lien, actor);

        emit MortgageReleased(caseId, actor);
    }

    // --- views

    /// @inheritdoc IMortgageDesk
    function caseOf(uint256 caseId) external view returns (Case memory) {
        return _cases[caseId];
    }

    // --- internals

    function _latest() private view returns (uint64) {
        return uint64(block.timestamp) + STEP_VALIDITY;
    }

    function _open(uint256 caseId, State required) private view returns (Case storage found) {
        found = _cases[caseId];
        if (found.state != required) revert MortgageDesk_WrongState(caseId, found.state, required);
        if (block.timestamp > found.validUntil)
            revert MortgageDesk_Expired(caseId, found.validUntil, uint64(block.timestamp));
    }

    /// @dev New business of an owner: nobody deals with itself, and an agent cannot do what its suspended principal could not.
    function _requireMayBind(address actor, address owner, address bank) private view {
        if (actor == bank || owner == bank) revert MortgageDesk_SelfDealing(actor, bank);
        _requireMayAct(actor, owner, SCOPE);
        if (actor != owner) members.requireActive(owner);
    }

    function _requireBank(uint256 caseId, address actor) private view {
        address bank = _cases[caseId].bank;
        if (actor == bank) return;
        if (actor != members.receiverOf(bank)) revert MortgageDesk_NotTheBank(caseId, actor, bank);
        // The bank meets its own obligations even while suspended; a receiver that was suspended does so for nobody.
        members.requireActive(actor);
    }

    /// @dev Closing an expired case is allowed: it changes nothing that time has not.
    function _close(uint256 caseId, address actor, bytes32 basis) private {
        Case storage found = _cases[caseId];
        State state = found.state;
        if (state != State.Applied && state != State.Offered && state != State.Accepted)
            revert MortgageDesk_WrongState(caseId, state, State.Applied);

        found.state = State.Closed;

        emit MortgageClosed(caseId, actor, state, basis);
    }
}
