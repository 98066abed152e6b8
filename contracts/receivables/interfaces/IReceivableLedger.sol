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
/// - `Draft` → `Rejected`: {reject} by the debtor. `Draft` → `Withdrawn`: {withdraw} by the supplier. Both are final
/// - `Confirmed` → `PartlyPaid` → `Settled`, or `Confirmed` → `Settled`: {pay} by the debtor; `Settled` is final
///
/// *Open* is `Confirmed` before `dueAt`: only then do units change hands. The first payment or the due date closes it for good, so that who is
/// paid what is settled before money moves. *Overdue* is `Confirmed` or `PartlyPaid` from `dueAt` on; time alone makes it so, nothing is written.
///
/// Invariant R1: the units of a confirmed receivable add up to `face`.
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
        Settled
    }

    /// @param debtor   who owes
    /// @param dueAt    Unix seconds; from then on no unit changes hands
    /// @param state    see the lifecycle above
    /// @param currency of the invoice; payments are in its settlement token
    /// @param face     minor units owed, and units in existence once confirmed
    /// @param paid     minor units paid so far
    /// @param supplier who drafted it
    struct Receivable {
        address debtor;
        uint64 dueAt;
        State state;
        Currency currency;
        uint128 face;
        uint128 paid;
        address supplier;
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
        bytes32 invoiceHash
    );
    event ReceivableConfirmed(uint256 indexed id, address indexed actor);
    event ReceivableRejected(uint256 indexed id, address indexed actor);
    event ReceivableWithdrawn(uint256 indexed id, address indexed actor);
    event ReceivablePaid(uint256 indexed id, address indexed actor, uint128 amount, uint128 paid);
    event ReceivableClaimed(uint256 indexed id, address indexed actor, uint128 amount);

    error ReceivableLedger_ZeroFace();
    error ReceivableLedger_EmptyInvoiceHash();
    error ReceivableLedger_OwnDebtor(address supplier);
    error ReceivableLedger_DueInPast(uint64 dueAt, uint64 chainTime);
    error ReceivableLedger_InvoiceAlreadyDrafted(bytes32 invoiceHash, uint256 id);
    error ReceivableLedger_WrongState(uint256 id, State state);
    error ReceivableLedger_NotSupplier(uint256 id, address actor);
    error ReceivableLedger_NotDebtor(uint256 id, address actor);
    error ReceivableLedger_Due(uint256 id, uint64 dueAt);
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
    /// is in the future; the supplier has no other receivable of the invoice, unless it was rejected or withdrawn.
    /// @param face        minor units of `currency`
    /// @param dueAt       Unix seconds
    /// @param invoiceHash keyed hash of the normalised invoice (frontend_api/modules/receivables/invoices.py); nothing can be guessed from it
    /// @return id sequential, from 1
    function draft(address debtor, Currency currency, uint128 face, uint64 dueAt, bytes32 invoiceHash) external returns (uint256 id);

    /// @notice Undertake to pay `face`, irrevocably and whoever holds the units. Called by the debtor; also after the due date, when it is
    /// an acknowledgement of debt that nobody can sell.
    /// @dev Emits {ReceivableConfirmed} and {TransferSingle}. Supplier and debtor must be active.
    function confirm(uint256 id) external;

    /// @notice Refuse a draft. Called by the debtor, suspended or not.
    /// @dev Emits {ReceivableRejected}.
    function reject(uint256 id) external;

    /// @notice Take a draft back. Called by the supplier, suspended or not.
    /// @dev Emits {ReceivableWithdrawn}.
    function withdraw(uint256 id) external;

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

    /// @notice Minor units that {claim} would send now.
    function claimable(uint256 id, address holder) external view returns (uint128);

    /// @notice The receivable that a supplier drafted last from an invoice; zero when none.
    function receivableOf(address supplier, bytes32 invoiceHash) external view returns (uint256 id);

    /// @notice Whether units may change hands now.
    function isOpen(uint256 id) external view returns (bool);
}
