// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";

import {Currency} from "../../core/interfaces/ICurrencies.sol";

/// @title Receivables that their debtors have undertaken to pay
/// @notice ERC-1155: the id is the receivable, a balance is face value in minor units of the invoice's currency.
///
/// Lifecycle (every transition that is not listed is refused with {ReceivableLedger_WrongState}):
/// - `None` → `Draft`: {draft} by the supplier
/// - `Draft` → `Confirmed`: {confirm} by the debtor, irrevocably; all units are minted to the supplier
/// - `Draft` → `Disputed`: {dispute} by the debtor, who says what is wrong. A disputed draft ends as any other draft does
/// - `Draft` → `Rejected`: {reject} by the debtor. `Draft` → `Withdrawn`: {withdraw} by the supplier or {strike} by the court. Both are final
/// - `Confirmed` → `PartlyPaid` → `Settled`, or `Confirmed` → `Settled`: {pay} by the debtor; `Settled` is final
/// - `Confirmed` → `Confirmed`, or → `Settled` when nothing is left: {dilute} by the supplier, out of units that it still holds
///
/// *Open* is `Confirmed` before `dueAt`: only then do units change hands. The first payment or the due date closes it for good, so that who is
/// paid what is settled before money moves. *Overdue* is `Confirmed` or `PartlyPaid` from `dueAt` on, and *defaulted* from `dueAt + gracePeriod`
/// on; time alone makes it so, nothing is written. A default lets a holder write its units off ({writeOff}, for its own books: the debtor owes
/// and pays as before, later payments are recoveries) and lets a desk put units back to who sold them with recourse ({giveBack}).
///
/// An invoice is taken in the {IFinancingRegister} from its draft on, and given back only if the draft is rejected or withdrawn.
///
/// Invariant R1: the units of a confirmed receivable add up to `face`, which only credit notes reduce.
/// Invariant R2: Σ claimed ≤ paid ≤ face, and the Escrow holds exactly paid − Σ claimed for the receivable.
/// Invariant R3: rounding loses nothing. Each holder's entitlement is rounded down, so that while the receivable is partly paid less than one
/// minor unit per holder stays in the Escrow; when it is settled, floor(units × face ÷ face) = units and every holder gets all of it.
///
/// How it keeps to ERC-1155: transfers by the holder call the receiver's hook as the standard says, after everything is written, so a receiver
/// that refuses hinders its sender only. {confirm} and {move} call no hook: neither a debtor's undertaking nor a settlement may hang on
/// somebody's code. Approvals are refused; desks move units through a role. `operator` in the transfer events is the human actor, for {move} too.
interface IReceivableLedger is IERC1155 {
    enum State {
        None,
        Draft,
        Rejected,
        Withdrawn,
        Confirmed,
        PartlyPaid,
        Settled,
        Disputed
    }

    /// @param debtor   who owes
    /// @param dueAt    Unix seconds; from then on no unit changes hands
    /// @param state    see the lifecycle above
    /// @param currency of the invoice; payments are in its settlement token
    /// @param face     minor units owed, and units in existence once confirmed
    /// @param paid     minor units paid so far
    /// @param supplier who drafted it
    /// @param fingerprint of the invoice
    struct Receivable {
        address debtor;
        uint64 dueAt;
        State state;
        Currency currency;
        uint128 face;
        uint128 paid;
        address supplier;
        bytes32 fingerprint;
    }

    /// @param units   face value held, minor units
    /// @param claimed paid out to the holder so far, minor units
    struct Holding {
        uint128 units;
        uint128 claimed;
    }

    event ReceivableDrafted(
        uint256 indexed id,
        address indexed actor,
        address indexed debtor,
        Currency currency,
        uint128 face,
        uint64 dueAt,
        bytes32 fingerprint,
        bytes32 numberFingerprint
    );
    event ReceivableConfirmed(uint256 indexed id, address indexed actor);
    event ReceivableDisputed(uint256 indexed id, address indexed actor, bytes32 basis);
    event ReceivableRejected(uint256 indexed id, address indexed actor);
    event ReceivableWithdrawn(uint256 indexed id, address indexed actor);
    event ReceivableStruck(uint256 indexed id, address indexed actor, bytes32 basis);
    event ReceivableDiluted(uint256 indexed id, address indexed actor, uint128 amount, uint128 face, bytes32 creditNote);
    event ReceivablePaid(uint256 indexed id, address indexed actor, uint128 amount, uint128 paid);
    event ReceivableClaimed(uint256 indexed id, address indexed actor, uint128 amount);
    event ReceivableWrittenOff(uint256 indexed id, address indexed actor, uint128 unpaid, bytes32 basis);
    event UnitsGivenBack(uint256 indexed id, address indexed actor, address indexed from, address to, uint128 units, uint128 claimed);

    error ReceivableLedger_ZeroFace();
    error ReceivableLedger_OwnDebtor(address supplier);
    error ReceivableLedger_DueInPast(uint64 dueAt, uint64 chainTime);
    error ReceivableLedger_DueTooLate(uint64 dueAt, uint64 latest);
    error ReceivableLedger_WrongState(uint256 id, State state);
    error ReceivableLedger_NotSupplier(uint256 id, address actor);
    error ReceivableLedger_NotDebtor(uint256 id, address actor);
    error ReceivableLedger_Due(uint256 id, uint64 dueAt);
    error ReceivableLedger_NotDefaulted(uint256 id, uint256 defaultsAt, uint64 chainTime);
    error ReceivableLedger_AlreadyWrittenOff(uint256 id, address holder);
    error ReceivableLedger_ZeroUnits(uint256 id);
    error ReceivableLedger_InsufficientUnits(uint256 id, address holder, uint256 held, uint256 requested);
    error ReceivableLedger_ZeroAmount(uint256 id);
    error ReceivableLedger_Overpaid(uint256 id, uint128 outstanding, uint128 amount);
    error ReceivableLedger_NothingToClaim(uint256 id, address holder);
    error ReceivableLedger_ApprovalsRefused(address operator);
    error ReceivableLedger_LengthMismatch(uint256 ids, uint256 values);
    error ReceivableLedger_BatchTooLong(uint256 length, uint256 limit);

    /// @notice Draft a receivable from an invoice. Called by the supplier.
    /// @dev Emits {ReceivableDrafted}. Requirements: supplier and debtor are active and not the same; the currency has a settlement token; `dueAt`
    /// is in the future, at most `MAX_TERM` from now; the invoice's fingerprint is free and its number free or cleared ({IFinancingRegister}).
    /// @param face              minor units of `currency`
    /// @param dueAt             Unix seconds
    /// @param fingerprint       keyed hash of the normalised invoice (docs/invoices.md); nothing can be guessed from it
    /// @param numberFingerprint keyed hash of its seller and number
    /// @return id sequential, from 1
    function draft(
        address debtor,
        Currency currency,
        uint128 face,
        uint64 dueAt,
        bytes32 fingerprint,
        bytes32 numberFingerprint
    ) external returns (uint256 id);

    /// @notice Undertake to pay `face`, irrevocably and whoever holds the units. Called by the debtor; also after the due date, when it is
    /// an acknowledgement of debt that nobody can sell.
    /// @dev Emits {ReceivableConfirmed} and {TransferSingle}. Supplier and debtor must be active.
    function confirm(uint256 id) external;

    /// @notice Say that a draft is not as agreed. Called by the debtor, suspended or not. There are no disputes after the confirmation.
    /// @dev Emits {ReceivableDisputed}.
    /// @param basis commitment to what is wrong with it
    function dispute(uint256 id, bytes32 basis) external;

    /// @notice Refuse a draft. Called by the debtor, suspended or not.
    /// @dev Emits {ReceivableRejected}.
    function reject(uint256 id) external;

    /// @notice Take a draft back. Called by the supplier, suspended or not.
    /// @dev Emits {ReceivableWithdrawn}.
    function withdraw(uint256 id) external;

    /// @notice Strike a draft that takes somebody else's invoice. Called by the court.
    /// @dev Emits {ReceivableStruck}.
    /// @param basis commitment to the decision
    function strike(uint256 id, bytes32 basis) external;

    /// @notice Use a credit note: cancel units that the supplier still holds, and as much of the debt. Called by the supplier, before the first
    /// payment. Units that were passed on or sold stay untouched: what their holders bought cannot be taken back from behind.
    /// @dev Emits {ReceivableDiluted} and {TransferSingle}. The credit note is taken in the {IFinancingRegister}, so that it is used once;
    /// there its fingerprints are keccak256(abi.encode("credit note", fingerprint)), so that none takes an invoice.
    /// @param amount           minor units
    /// @param creditNote       fingerprint of the credit note
    /// @param creditNoteNumber fingerprint of its issuer and number
    function dilute(uint256 id, uint128 amount, bytes32 creditNote, bytes32 creditNoteNumber) external;

    /// @notice Write one's units of a defaulted receivable off. Called by a holder, for its own books: it keeps the units and claims what is
    /// recovered.
    /// @dev Emits {ReceivableWrittenOff} with what had not been paid on the units.
    /// @param basis commitment to the decision
    function writeOff(uint256 id, bytes32 basis) external;

    /// @notice Move units of a defaulted receivable back for a desk, without a receiver's hook and whether the parties are active or not: the
    /// taker has promised it. What was paid on the units so far stays with the giver, who is paid what it could claim.
    /// @dev Emits {UnitsGivenBack} and {TransferSingle}, and {ReceivableClaimed} where something was left to claim. Restricted to desks.
    /// @param units minor units of face value
    /// @param actor on whose order
    /// @return currency of the receivable
    /// @return unpaid   minor units that had not been paid on these units
    function giveBack(
        uint256 id,
        address from,
        address to,
        uint128 units,
        address actor
    ) external returns (Currency currency, uint128 unpaid);

    /// @notice Move units of an open receivable for a desk, without a receiver's hook. The desk answers for the holder's consent.
    /// @dev Emits {TransferSingle}. Holder and receiver must be active. Restricted to desks.
    /// @param units minor units of face value
    /// @param actor on whose order
    /// @return currency of the receivable, so that a desk that settles need not ask again
    function move(uint256 id, address from, address to, uint128 units, address actor) external returns (Currency currency);

    /// @notice Pay, wholly or in part. Called by the debtor, suspended or not, or by its court-appointed receiver; the caller's money, for which
    /// it has approved the Escrow.
    /// @dev Emits {ReceivablePaid}. The first payment closes the receivable for transfers.
    /// @param amount minor units, at most what is outstanding
    function pay(uint256 id, uint128 amount) external;

    /// @notice Collect one's part of what was paid: floor(units × paid ÷ face) − already claimed. Called by the holder, suspended or not.
    /// @dev Emits {ReceivableClaimed}.
    /// @return amount minor units sent
    function claim(uint256 id) external returns (uint128 amount);

    /// @notice Everything recorded of a receivable; zeros when there is none.
    function receivable(uint256 id) external view returns (Receivable memory);

    /// @notice What a holder holds and has claimed.
    function holding(uint256 id, address holder) external view returns (Holding memory);

    /// @notice Minor units that {claim} would send now. After units were given back this can be one minor unit less than the entitlement, per
    /// put-back, until the next payment.
    function claimable(uint256 id, address holder) external view returns (uint128);

    /// @notice Whether a holder has written its units off.
    function isWrittenOff(uint256 id, address holder) external view returns (bool);

    /// @notice Seconds after the due date from which an unpaid receivable is defaulted.
    function gracePeriod() external view returns (uint64);

    /// @notice Whether it is unpaid and past due by more than the grace period.
    function isDefaulted(uint256 id) external view returns (bool);

    /// @notice Whether units may change hands now.
    function isOpen(uint256 id) external view returns (bool);
}
