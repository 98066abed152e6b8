// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Currency} from "../../core/interfaces/ICurrencies.sol";
import {UnitNumber} from "../types/UnitNumber.sol";

/// @title Mortgages, from application to release
/// @notice Lifecycle:
///
///   None → apply → Applied → offer → Offered → accept → Accepted → register → Registered → release → Released
///                  │ withdraw (owner), decline (bank), refuse (registrar), at each of these three stages
///                  └→ Closed
///
/// A case before registration that is not acted on by `validUntil` is *expired*: time alone makes it so, only closing it remains.
/// Application-to-registration is the time between {MortgageApplied} and {MortgageRegistered} of a case.
interface IMortgageDesk {
    enum State {
        None,
        Applied,
        Offered,
        Accepted,
        Registered,
        Released,
        Closed
    }

    /// @param applicant       the title's owner at application
    /// @param state           see the lifecycle
    /// @param lien            the lien's number on the title, zero before registration
    /// @param currency        of the principal
    /// @param forbidsTransfer whether the lien will forbid transfer (the offer says)
    /// @param bank            the lender
    /// @param validUntil      Unix seconds, the last at which the next step before registration may be taken
    /// @param unit            the mortgaged unit
    /// @param principal       minor units of `currency`: applied for, then offered
    /// @param terms           salted hash of the offered contract; zero before the offer
    struct Case {
        address applicant;
        State state;
        uint16 lien;
        Currency currency;
        bool forbidsTransfer;
        address bank;
        uint64 validUntil;
        UnitNumber unit;
        uint128 principal;
        bytes32 terms;
    }

    event MortgageApplied(
        uint256 indexed caseId,
        address indexed actor,
        UnitNumber indexed unit,
        address applicant,
        address bank,
        uint128 principal,
        Currency currency,
        uint64 validUntil
    );
    event MortgageOffered(
        uint256 indexed caseId,
        address indexed actor,
        uint128 principal,
        bytes32 terms,
        bool forbidsTransfer,
        uint64 validUntil
    );
    event MortgageAccepted(uint256 indexed caseId, address indexed actor, bytes32 terms, uint64 validUntil);
    event MortgageRegistered(uint256 indexed caseId, address indexed actor, uint16 lien);
    event MortgageReleased(uint256 indexed caseId, address indexed actor);
    event MortgageClosed(uint256 indexed caseId, address indexed actor, State from, bytes32 basis);

    error MortgageDesk_WrongState(uint256 caseId, State state, State required);
    error MortgageDesk_Expired(uint256 caseId, uint64 validUntil, uint64 chainTime);
    error MortgageDesk_TitleNotActive(UnitNumber unit);
    error MortgageDesk_NotTheBank(uint256 caseId, address actor, address bank);
    error MortgageDesk_ZeroPrincipal();
    /// @notice The bank is the owner, or acts for the owner (Civil Code 168).
    error MortgageDesk_SelfDealing(address actor, address bank);
    error MortgageDesk_EmptyTerms(uint256 caseId);
    error MortgageDesk_OtherTerms(uint256 caseId, bytes32 terms, bytes32 offered);
    error MortgageDesk_ValidityTooLong(uint256 caseId, uint64 validUntil, uint64 latest);

    /// @notice Apply at a bank. By the title's owner or its agent for "PROPERTY"; owner, agent and bank must be active.
    /// @param principal minor units of `currency`, which must have a settlement token
    function applyFor(UnitNumber unit, address bank, uint128 principal, Currency currency) external returns (uint256 caseId);

    /// @notice Offer a mortgage to an applicant. By the bank that was asked.
    /// @param principal  minor units; may differ from what was applied for
    /// @param terms      salted hash of the contract offered
    /// @param validUntil Unix seconds, at most `STEP_VALIDITY` from now
    function offer(uint256 caseId, uint128 principal, bytes32 terms, bool forbidsTransfer, uint64 validUntil) external;

    /// @notice Accept the offer. By the applicant or its agent, naming the terms, so that nothing else can be accepted by mistake.
    function accept(uint256 caseId, bytes32 terms) external;

    /// @notice Register the mortgage: the lien stands on the title from now on. By the registrar.
    function register(uint256 caseId) external;

    /// @notice Release the mortgage. By the bank (also a suspended one) or its active court-appointed receiver.
    function release(uint256 caseId) external;

    /// @notice Give the case up before registration. By the applicant or its agent.
    function withdraw(uint256 caseId) external;

    /// @notice End the case before registration. By the bank.
    function decline(uint256 caseId, bytes32 basis) external;

    /// @notice End the case before registration. By the registrar.
    function refuse(uint256 caseId, bytes32 basis) external;

    function caseOf(uint256 caseId) external view returns (Case memory);

    /// @notice The number of cases so far; ids run from 1.
    function cases() external view returns (uint256);
}
