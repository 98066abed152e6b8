// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {Application} from "../core/Application.sol";
import {Core} from "../core/types/Core.sol";
import {IFinancingRegister} from "./interfaces/IFinancingRegister.sol";

/// @title Implementation of {IFinancingRegister}, where errors, events and rules are described
contract FinancingRegister is IFinancingRegister, Application, EIP712 {
    /// @notice Longest reservation, seconds.
    uint64 public constant MAX_RESERVATION = 30 days;
    /// @notice Stands for a number of which more than one fingerprint was let in. No fingerprint has this value but by a broken hash.
    bytes32 public constant AMBIGUOUS = bytes32(uint256(1));
    bytes32 public constant CONSENT_TYPEHASH = keccak256(
        "Consent(bytes32 fingerprint,bytes32 numberFingerprint,address seller,address bank,uint64 reservedUntil,uint256 nonce)"
    );

    /// @dev Two slots:
    /// 0: holder (160) | reservedUntil (40) | caseId (48) | state (8)
    /// 1: numberFingerprint
    struct Record {
        address holder;
        uint40 reservedUntil;
        uint48 caseId;
        State state;
        bytes32 numberFingerprint;
    }

    mapping(bytes32 fingerprint => Record) private _records;
    /// @dev The fingerprint that took the number last, live or not; `AMBIGUOUS` for good after a clearance.
    mapping(bytes32 numberFingerprint => bytes32 fingerprint) private _numbers;
    mapping(bytes32 fingerprint => bytes32 numberFingerprint) private _cleared;
    mapping(bytes32 fingerprint => mapping(address bank => bytes32)) private _filings;
    mapping(bytes32 digest => bool) private _spent;

    constructor(Core memory core) Application(core) EIP712("chaincity FinancingRegister", "1") {}

    // --- banks

    /// @inheritdoc IFinancingRegister
    function reserve(Consent calldata consent, bytes calldata signature) external restricted {
        address bank = _activeActorWith(consent.seller);
        uint64 until = consent.reservedUntil;
        if (bank != consent.bank) revert FinancingRegister_WrongBank(consent.bank, bank);
        if (bank == consent.seller) revert FinancingRegister_OwnConsent(bank);
        if (block.timestamp > until) revert FinancingRegister_ConsentExpired(until, uint64(block.timestamp));
        uint64 latest = uint64(block.timestamp) + MAX_RESERVATION;
        if (until > latest) revert FinancingRegister_ReservationTooLong(until, latest);
        bytes32 digest = digestOf(consent);
        if (_spent[digest]) revert FinancingRegister_ConsentUsed(digest);
        if (!SignatureChecker.isValidSignatureNowCalldata(consent.seller, digest, signature))
            revert FinancingRegister_WrongSigner(consent.seller, digest);

        _spent[digest] = true;
        // Fits: `until` is at most 30 days from now.
        _take(consent.fingerprint, Record(bank, uint40(until), 0, State.Reserved, consent.numberFingerprint));

        emit FingerprintReserved(consent.fingerprint, bank, consent.seller, consent.numberFingerprint, until);
    }

    /// @inheritdoc IFinancingRegister
    function release(bytes32 fingerprint) external {
        address bank = _actor();
        _requireReservedBy(fingerprint, bank);

        delete _records[fingerprint];

        emit FingerprintReleased(fingerprint, bank);
    }

    /// @inheritdoc IFinancingRegister
    function finance(bytes32 fingerprint, bytes32 filing) external restricted {
        address bank = _activeActor();
        _requireReservedBy(fingerprint, bank);

        _records[fingerprint].state = State.Financed;
        _records[fingerprint].reservedUntil = 0;
        if (filing != 0) _filings[fingerprint][bank] = filing;

        emit FingerprintFinanced(fingerprint, bank, filing);
    }

    /// @inheritdoc IFinancingRegister
    function recordFiling(bytes32 fingerprint, bytes32 filing) external restricted {
        address bank = _activeActor();
        if (filing == 0) revert FinancingRegister_EmptyFiling(fingerprint);
        (Record storage record, State state) = _found(fingerprint);
        if (state == State.Free) revert FinancingRegister_WrongState(fingerprint, state);
        if (state != State.Entered && record.holder != bank) revert FinancingRegister_NotHolder(fingerprint, record.holder, bank);

        _filings[fingerprint][bank] = filing;

        emit FilingRecorded(fingerprint, bank, filing);
    }

    // --- applications

    /// @inheritdoc IFinancingRegister
    function enter(bytes32 fingerprint, bytes32 numberFingerprint, uint256 caseId, address actor) external restricted {
        address application = _actor();
        if (caseId > type(uint48).max) revert FinancingRegister_CaseIdTooLarge(caseId);

        _take(fingerprint, Record(application, 0, uint48(caseId), State.Entered, numberFingerprint));

        emit FingerprintEntered(fingerprint, actor, application, uint64(caseId), numberFingerprint);
    }

    /// @inheritdoc IFinancingRegister
    function leave(bytes32 fingerprint, uint256 caseId, address actor) external restricted {
        address application = _actor();
        Record storage record = _records[fingerprint];
        if (record.state != State.Entered || record.holder != application || record.caseId != caseId) return;

        delete _records[fingerprint];

        emit FingerprintLeft(fingerprint, actor, application, uint64(caseId));
    }

    // --- the arbiter

    /// @inheritdoc IFinancingRegister
    function clear(bytes32 fingerprint, bytes32 numberFingerprint, bytes32 basis) external restricted {
        address arbiter = _activeActor();
        if (fingerprint == 0 || fingerprint == AMBIGUOUS) revert FinancingRegister_EmptyFingerprint();
        bytes32 by = takenBy(numberFingerprint);
        if (by == 0 || by == fingerprint) revert FinancingRegister_NumberFree(numberFingerprint);

        _cleared[fingerprint] = numberFingerprint;
        _numbers[numberFingerprint] = AMBIGUOUS;

        emit NumberCleared(fingerprint, arbiter, numberFingerprint, basis);
    }

    /// @inheritdoc IFinancingRegister
    function annul(bytes32 fingerprint, bytes32 basis) external restricted {
        address arbiter = _activeActor();
        (Record storage record, State state) = _found(fingerprint);
        if (state == State.Free) revert FinancingRegister_WrongState(fingerprint, state);
        address holder = record.holder;

        delete _records[fingerprint];

        emit FinancingAnnulled(fingerprint, arbiter, holder, basis);
    }

    // --- sellers

    /// @inheritdoc IFinancingRegister
    function withdrawConsent(Consent calldata consent) external {
        address actor = _actor();
        if (actor != consent.seller) revert FinancingRegister_NotSeller(consent.seller, actor);
        bytes32 digest = digestOf(consent);
        if (_spent[digest]) revert FinancingRegister_ConsentUsed(digest);

        _spent[digest] = true;

        emit ConsentWithdrawn(digest, actor);
    }

    // --- views

    /// @inheritdoc IFinancingRegister
    function entryOf(bytes32 fingerprint) external view returns (Entry memory) {
        (Record storage record, State state) = _found(fingerprint);
        if (state == State.Free) return Entry(state, address(0), 0, 0, 0);
        return Entry(state, record.holder, record.reservedUntil, record.caseId, record.numberFingerprint);
    }

    /// @inheritdoc IFinancingRegister
    function takenBy(bytes32 numberFingerprint) public view returns (bytes32 fingerprint) {
        fingerprint = _numbers[numberFingerprint];
        if (fingerprint == AMBIGUOUS) return fingerprint;
        Record storage record = _records[fingerprint];
        // The fingerprint may have been given back, and taken again with another number.
        if (_stateOf(record) == State.Free || record.numberFingerprint != numberFingerprint) return 0;
    }

    /// @inheritdoc IFinancingRegister
    function clearedFor(bytes32 fingerprint) external view returns (bytes32) {
        return _cleared[fingerprint];
    }

    /// @inheritdoc IFinancingRegister
    function filingOf(bytes32 fingerprint, address bank) external view returns (bytes32) {
        return _filings[fingerprint][bank];
    }

    /// @inheritdoc IFinancingRegister
    function isSpent(bytes32 digest) external view returns (bool) {
        return _spent[digest];
    }

    /// @inheritdoc IFinancingRegister
    function digestOf(Consent calldata consent) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(CONSENT_TYPEHASH, consent)));
    }

    // --- checks and effects shared by several functions

    /// @dev The one place where a fingerprint becomes somebody's.
    function _take(bytes32 fingerprint, Record memory record) private {
        bytes32 number = record.numberFingerprint;
        if (fingerprint == 0 || fingerprint == AMBIGUOUS || number == 0) revert FinancingRegister_EmptyFingerprint();
        (Record storage taken, State state) = _found(fingerprint);
        if (state != State.Free) revert FinancingRegister_Taken(fingerprint, state, taken.holder, taken.caseId);
        bytes32 by = takenBy(number);
        if (by == 0) _numbers[number] = fingerprint;
        else if (_cleared[fingerprint] != number) revert FinancingRegister_NumberTaken(fingerprint, number, by);

        _records[fingerprint] = record;
    }

    function _requireReservedBy(bytes32 fingerprint, address bank) private view {
        (Record storage record, State state) = _found(fingerprint);
        if (state != State.Reserved) revert FinancingRegister_WrongState(fingerprint, state);
        if (record.holder != bank) revert FinancingRegister_NotHolder(fingerprint, record.holder, bank);
    }

    function _found(bytes32 fingerprint) private view returns (Record storage record, State state) {
        record = _records[fingerprint];
        state = _stateOf(record);
    }

    function _stateOf(Record storage record) private view returns (State) {
        State state = record.state;
        return state == State.Reserved && block.timestamp > record.reservedUntil ? State.Free : state;
    }
}
