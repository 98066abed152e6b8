// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Which invoices and inventory lots are spoken for
/// @notice The same invoice or lot is not financed twice among the register's participants. It claims no more than that: who finances outside
/// is not seen here, which is why the filing number of the national register (动产融资统一登记公示系统, 中登网) can be kept beside an entry.
///
/// Two keyed fingerprints stand for an invoice or a lot (docs/invoices.md); nothing can be guessed from either without the consortium's key:
/// - the *fingerprint* of all its facts. One that is taken cannot be taken again;
/// - the *number fingerprint* of issuer and number alone. Another fingerprint with the same number is an altered copy until the arbiter says
///   otherwise ({clear}).
///
/// Lifecycle of a fingerprint (every transition that is not listed is refused with {FinancingRegister_Taken} or {FinancingRegister_WrongState}):
/// - `Free` → `Reserved`: {reserve} by a bank with the seller's signed consent, until a time; `Reserved` → `Free` when it has passed (time alone
///   makes it so), by {release} or by {annul}
/// - `Reserved` → `Financed`: {finance} by the reserving bank, in time. For good, but for {annul}
/// - `Free` → `Entered`: {enter} by an application of this chain that keeps track of it itself (a receivable, a warehouse receipt, a credit note
///   that was used); `Entered` → `Free`: {leave} by the same application, when nothing came of the case or it is over, or {annul}
///
/// Invariant F1: while a fingerprint is not `Free`, nobody else takes it. Invariant F2: of all fingerprints with one number, at most one is taken
/// without the arbiter's clearance.
interface IFinancingRegister {
    enum State {
        Free,
        Reserved,
        Financed,
        Entered
    }

    /// @param state             see the lifecycle; `Free` for a reservation whose time has passed
    /// @param holder            the bank, or the application
    /// @param reservedUntil     Unix seconds, the last second included; zero unless reserved
    /// @param caseId            the application's own number; zero for banks
    /// @param numberFingerprint that it was taken with
    struct Entry {
        State state;
        address holder;
        uint64 reservedUntil;
        uint64 caseId;
        bytes32 numberFingerprint;
    }

    /// @notice What a seller signs (EIP-712) so that a bank may reserve its invoice or lot. Good for one reservation.
    /// @param reservedUntil Unix seconds, the longest that the bank may reserve and the last second at which the consent can be used
    /// @param nonce         chosen by the seller, so that the same consent can be given again
    struct Consent {
        bytes32 fingerprint;
        bytes32 numberFingerprint;
        address seller;
        address bank;
        uint64 reservedUntil;
        uint256 nonce;
    }

    event FingerprintReserved(
        bytes32 indexed fingerprint,
        address indexed actor,
        address indexed seller,
        bytes32 numberFingerprint,
        uint64 reservedUntil
    );
    event FingerprintReleased(bytes32 indexed fingerprint, address indexed actor);
    event FingerprintFinanced(bytes32 indexed fingerprint, address indexed actor, bytes32 filing);
    event FingerprintEntered(
        bytes32 indexed fingerprint,
        address indexed actor,
        address indexed application,
        uint64 caseId,
        bytes32 numberFingerprint
    );
    event FingerprintLeft(bytes32 indexed fingerprint, address indexed actor, address indexed application, uint64 caseId);
    event NumberCleared(bytes32 indexed fingerprint, address indexed actor, bytes32 numberFingerprint, bytes32 basis);
    event FinancingAnnulled(bytes32 indexed fingerprint, address indexed actor, address holder, bytes32 basis);
    event FilingRecorded(bytes32 indexed fingerprint, address indexed actor, bytes32 filing);
    event ConsentWithdrawn(bytes32 indexed digest, address indexed actor);

    error FinancingRegister_EmptyFingerprint();
    error FinancingRegister_Taken(bytes32 fingerprint, State state, address holder, uint64 caseId);
    error FinancingRegister_NumberTaken(bytes32 fingerprint, bytes32 numberFingerprint, bytes32 by);
    error FinancingRegister_NumberFree(bytes32 numberFingerprint);
    error FinancingRegister_WrongState(bytes32 fingerprint, State state);
    error FinancingRegister_NotHolder(bytes32 fingerprint, address holder, address actor);
    error FinancingRegister_WrongBank(address bank, address actor);
    error FinancingRegister_OwnConsent(address bank);
    error FinancingRegister_ConsentExpired(uint64 reservedUntil, uint64 chainTime);
    error FinancingRegister_ReservationTooLong(uint64 reservedUntil, uint64 latest);
    error FinancingRegister_ConsentUsed(bytes32 digest);
    error FinancingRegister_WrongSigner(address seller, bytes32 digest);
    error FinancingRegister_NotSeller(address seller, address actor);
    error FinancingRegister_CaseIdTooLarge(uint256 caseId);
    error FinancingRegister_EmptyFiling(bytes32 fingerprint);

    /// @notice Reserve an invoice or lot, so that the bank can look into it without another financing it meanwhile. Called by the bank that the
    /// consent names.
    /// @dev Emits {FingerprintReserved}. Requirements: bank and seller are active; the fingerprint is free and its number free or cleared; the
    /// consent is the seller's (ERC-1271 too), was not used or withdrawn, and ends at most `MAX_RESERVATION` from now.
    function reserve(Consent calldata consent, bytes calldata signature) external;

    /// @notice Give a reservation up. Called by the bank that made it.
    /// @dev Emits {FingerprintReleased}.
    function release(bytes32 fingerprint) external;

    /// @notice Record that a reserved invoice or lot was financed. Called by the bank that reserved it, in time.
    /// @dev Emits {FingerprintFinanced}.
    /// @param filing number under which it was filed with the national register, ASCII; zero where there is none (yet)
    function finance(bytes32 fingerprint, bytes32 filing) external;

    /// @notice Record the national register's filing number of one's own financing: of a reserved invoice or lot, or of a part of one that an
    /// application keeps. The last one recorded counts.
    /// @dev Emits {FilingRecorded}.
    function recordFiling(bytes32 fingerprint, bytes32 filing) external;

    /// @notice Take a fingerprint for a case of the calling application.
    /// @dev Emits {FingerprintEntered}. Restricted to applications.
    /// @param actor on whose order
    function enter(bytes32 fingerprint, bytes32 numberFingerprint, uint256 caseId, address actor) external;

    /// @notice Give back what the calling application has taken for a case. Nothing happens when the case no longer has it: the arbiter may have
    /// annulled the entry, and the end of the case must not hang on that.
    /// @dev Emits {FingerprintLeft}. Restricted to applications.
    function leave(bytes32 fingerprint, uint256 caseId, address actor) external;

    /// @notice Let a fingerprint be taken though its number is: the arbiter has seen both and they are two. From then on every further
    /// fingerprint with this number needs a clearance of its own.
    /// @dev Emits {NumberCleared}. The number must be taken.
    /// @param basis commitment to the decision
    function clear(bytes32 fingerprint, bytes32 numberFingerprint, bytes32 basis) external;

    /// @notice Free a fingerprint on a decision of the arbiter: a financing that was recorded wrongly or unwound, an entry by somebody whose invoice
    /// it never was. The application's case goes on without it.
    /// @dev Emits {FinancingAnnulled}.
    function annul(bytes32 fingerprint, bytes32 basis) external;

    /// @notice Make sure that a consent is never used. Called by the seller; what was reserved with it already stays.
    /// @dev Emits {ConsentWithdrawn}.
    function withdrawConsent(Consent calldata consent) external;

    /// @notice What is known of a fingerprint now.
    function entryOf(bytes32 fingerprint) external view returns (Entry memory);

    /// @notice Which taken fingerprint a number stands for; zero when the number is free. `AMBIGUOUS` once the arbiter has cleared another.
    function takenBy(bytes32 numberFingerprint) external view returns (bytes32 fingerprint);

    /// @notice The number that a fingerprint was cleared for; zero when it was not.
    function clearedFor(bytes32 fingerprint) external view returns (bytes32 numberFingerprint);

    /// @notice The filing number that a bank recorded.
    function filingOf(bytes32 fingerprint, address bank) external view returns (bytes32);

    /// @notice Whether a consent was used or withdrawn.
    function isSpent(bytes32 digest) external view returns (bool);

    /// @notice What the seller signs: the EIP-712 digest of a consent.
    function digestOf(Consent calldata consent) external view returns (bytes32);
}
