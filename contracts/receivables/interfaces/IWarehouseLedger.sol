// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Currency} from "../../core/interfaces/ICurrencies.sol";

/// @title Warehouse receipts (仓单) and the pledges on them
/// @notice A receipt says that a warehouse keeps a quantity of goods for an owner; a pledge (质押) binds part of the quantity to a bank, and
/// a third party, the supervisor (监管方), confirms to the bank that the goods are there.
///
/// Lifecycle of a receipt (every transition that is not listed is refused with {WarehouseLedger_WrongReceiptState}):
/// - `None` → `Stored`: {issue} by the warehouse
/// - `Stored` → `Stored`: {transfer} by the owner while nothing is pledged; {deliver} by the warehouse and {enforce} by the court, in part
/// - `Stored` → `Delivered`: {deliver} or {enforce} of all that is left. `Stored` → `Struck`: {strike} by the court. Both are final
///
/// Lifecycle of a pledge (every transition that is not listed is refused with {WarehouseLedger_WrongPledgeState}):
/// - `None` → `Proposed`: {pledge} by the owner, who names bank and supervisor; the quantity is bound from here on
/// - `Proposed` → `Accepted`: {accept} by the bank; `Accepted` → `Active`: {confirm} by the supervisor; both by `answerBy`, the last second
///   included
/// - `Proposed` or `Accepted` → `Declined`: {decline} by the bank or the supervisor; → `Withdrawn`: {withdraw} by the owner; → `Lapsed`:
///   {lapse} by anyone after `answerBy`
/// - `Active` → `Active` in part, → `Released` when nothing is left: {release} by the bank
/// - `Active` → `Active` in part, → `Enforced` when nothing is left: {enforce} by the court
/// - `Declined`, `Withdrawn`, `Lapsed`, `Released` and `Enforced` are final
///
/// A proposal *has lapsed* once `answerBy` is past: nobody can accept or confirm it any more, time alone makes it so. Its quantity stays
/// bound until somebody says so ({lapse}, {withdraw} or {decline}): each frees one pledge, so that no call has to search for lapsed ones.
///
/// Invariant W1: the quantities of a receipt's open pledges (`Proposed`, `Accepted`, `Active`) add up to `pledged`, and `pledged` ≤
/// `quantity`. The same goods are therefore never pledged twice, and what is pledged is neither delivered to the owner nor transferred.
/// Invariant W2: a lot's fingerprint belongs to one receipt that is `Stored`: it is taken in the {IFinancingRegister} by {issue} and given
/// back when the receipt ends, so no second receipt is issued for a lot, nor one while a bank has financed it without a receipt.
///
/// Suspension stops new business ({issue}, {transfer}, {pledge}, {accept}, {confirm}), not obligations and ways out ({decline}, {withdraw},
/// {lapse}, {release}, {deliver}): where these are a suspended member's, its court-appointed receiver may act in its place. What a
/// warehouse says is only as good as the warehouse: the chain sees no goods. That is what the supervisor is for.
interface IWarehouseLedger {
    enum ReceiptState {
        None,
        Stored,
        Delivered,
        Struck
    }

    enum PledgeState {
        None,
        Proposed,
        Accepted,
        Active,
        Declined,
        Withdrawn,
        Lapsed,
        Released,
        Enforced
    }

    /// @param owner       whose goods they are
    /// @param state       see the lifecycle above
    /// @param unit        of all quantities: UN/ECE Recommendation 20 code in ASCII, padded with zeros on the right (`KGM`, `TNE`, `H87`)
    /// @param warehouse   who keeps them
    /// @param quantity    on hand, by the ledger
    /// @param pledged     bound by open pledges; part of `quantity`
    /// @param fingerprint of the lot
    struct Receipt {
        address owner;
        ReceiptState state;
        bytes3 unit;
        address warehouse;
        uint128 quantity;
        uint128 pledged;
        bytes32 fingerprint;
    }

    /// @param bank          whose security it is
    /// @param answerBy      Unix seconds, the last second at which bank and supervisor can accept and confirm
    /// @param state         see the lifecycle above
    /// @param currency      of `securedAmount`
    /// @param supervisor    who watches the goods for the bank
    /// @param receiptId     what is pledged
    /// @param quantity      still bound by an open pledge; zero once released or enforced; as proposed where nothing came of it
    /// @param securedAmount the most that the pledge secures, minor units; never changes
    struct Pledge {
        address bank;
        uint64 answerBy;
        PledgeState state;
        Currency currency;
        address supervisor;
        uint256 receiptId;
        uint128 quantity;
        uint128 securedAmount;
    }

    event ReceiptIssued(
        uint256 indexed receiptId,
        address indexed actor,
        address indexed owner,
        bytes32 fingerprint,
        bytes32 numberFingerprint,
        bytes32 goods,
        uint128 quantity,
        bytes3 unit
    );
    event ReceiptTransferred(uint256 indexed receiptId, address indexed actor, address indexed to);
    event GoodsDelivered(uint256 indexed receiptId, address indexed actor, address indexed to, uint128 quantity, uint128 left);
    event ShortageReported(uint256 indexed receiptId, address indexed actor, uint256 pledgeId, uint128 quantity, bytes32 basis);
    event ReceiptStruck(uint256 indexed receiptId, address indexed actor, bytes32 basis);
    event PledgeProposed(
        uint256 indexed pledgeId,
        address indexed actor,
        uint256 indexed receiptId,
        address bank,
        address supervisor,
        uint128 quantity,
        uint128 securedAmount,
        Currency currency,
        uint64 answerBy
    );
    event PledgeAccepted(uint256 indexed pledgeId, address indexed actor);
    event PledgeConfirmed(uint256 indexed pledgeId, address indexed actor, bytes32 basis);
    event PledgeDeclined(uint256 indexed pledgeId, address indexed actor, bytes32 basis);
    event PledgeWithdrawn(uint256 indexed pledgeId, address indexed actor);
    event PledgeLapsed(uint256 indexed pledgeId, address indexed actor);
    event PledgeReleased(uint256 indexed pledgeId, address indexed actor, uint128 quantity, uint128 left);
    event PledgeEnforced(
        uint256 indexed pledgeId,
        address indexed actor,
        address indexed to,
        uint128 quantity,
        uint128 left,
        bytes32 basis
    );

    error WarehouseLedger_EmptyGoods();
    error WarehouseLedger_EmptyUnit();
    error WarehouseLedger_ZeroQuantity(uint256 id);
    error WarehouseLedger_ZeroSecuredAmount(uint256 receiptId);
    error WarehouseLedger_WrongReceiptState(uint256 receiptId, ReceiptState state);
    error WarehouseLedger_WrongPledgeState(uint256 pledgeId, PledgeState state);
    error WarehouseLedger_NotOwner(uint256 receiptId, address actor);
    error WarehouseLedger_NotWarehouse(uint256 receiptId, address actor);
    error WarehouseLedger_NotBank(uint256 pledgeId, address actor);
    error WarehouseLedger_NotSupervisor(uint256 pledgeId, address actor);
    error WarehouseLedger_NotBankOrSupervisor(uint256 pledgeId, address actor);
    error WarehouseLedger_PledgeOfAnotherReceipt(uint256 pledgeId, uint256 receiptId);
    error WarehouseLedger_OwnWarehouse(address warehouse);
    error WarehouseLedger_OwnReceipt(uint256 receiptId, address owner);
    error WarehouseLedger_WrongBank(uint256 receiptId, address bank);
    error WarehouseLedger_WrongSupervisor(uint256 receiptId, address supervisor);
    error WarehouseLedger_AnswerInPast(uint64 answerBy, uint64 chainTime);
    error WarehouseLedger_AnswerTooLate(uint64 answerBy, uint64 latest);
    error WarehouseLedger_HasLapsed(uint256 pledgeId, uint64 answerBy, uint64 chainTime);
    error WarehouseLedger_NotLapsed(uint256 pledgeId, uint64 answerBy, uint64 chainTime);
    error WarehouseLedger_Pledged(uint256 receiptId, uint128 pledged);
    error WarehouseLedger_InsufficientFree(uint256 receiptId, uint128 free, uint128 requested);
    error WarehouseLedger_InsufficientPledged(uint256 pledgeId, uint128 pledged, uint128 requested);
    error WarehouseLedger_MoreThanOnHand(uint256 receiptId, uint128 quantity, uint128 reported);

    // --- receipts

    /// @notice Issue a receipt for a lot that was taken in. Called by the warehouse.
    /// @dev Emits {ReceiptIssued}. Requirements: warehouse and owner are active and not the same; the lot's fingerprint is free and its
    /// number free or cleared ({IFinancingRegister}).
    /// @param fingerprint       keyed hash of the lot's facts (docs/lots.md); nothing can be guessed from it
    /// @param numberFingerprint keyed hash of its warehouse and lot number
    /// @param goods             salted commitment to the description of the goods and their place
    /// @param quantity          in `unit`s
    /// @param unit              UN/ECE Recommendation 20 code
    /// @return receiptId sequential, from 1
    function issue(
        address owner,
        bytes32 fingerprint,
        bytes32 numberFingerprint,
        bytes32 goods,
        uint128 quantity,
        bytes3 unit
    ) external returns (uint256 receiptId);

    /// @notice Pass the receipt, and with it the goods, on to somebody else. Called by the owner, while nothing of it is pledged.
    /// @dev Emits {ReceiptTransferred}. Owner and receiver must be active; the receiver is neither the owner nor the warehouse.
    function transfer(uint256 receiptId, address to) external;

    /// @notice Record that goods were handed over to the receipt's owner. Called by the warehouse. Only what is not pledged.
    /// @dev Emits {GoodsDelivered}. When nothing is left the receipt ends and the lot is given back in the {IFinancingRegister}.
    function deliver(uint256 receiptId, uint128 quantity) external;

    /// @notice Say that goods are missing or spoilt. Called by the warehouse, or by the supervisor of an active pledge on them. Nothing
    /// changes by it: what follows from it is for the parties and the court.
    /// @dev Emits {ShortageReported}.
    /// @param pledgeId zero when the warehouse reports
    /// @param quantity missing of what the ledger has on hand; zero when an earlier shortage was made good
    /// @param basis    commitment to the finding
    function reportShortage(uint256 receiptId, uint256 pledgeId, uint128 quantity, bytes32 basis) external;

    /// @notice End a receipt that was issued for somebody else's lot or for no goods, while nothing of it is pledged. Called by the court.
    /// @dev Emits {ReceiptStruck}; the lot is given back in the {IFinancingRegister}.
    /// @param basis commitment to the decision
    function strike(uint256 receiptId, bytes32 basis) external;

    // --- pledges

    /// @notice Offer goods to a bank as security, under a supervisor's watch. Called by the receipt's owner. The quantity is bound at once.
    /// @dev Emits {PledgeProposed}. Requirements: owner, bank and supervisor are active; the bank is neither owner nor warehouse, the
    /// supervisor neither of the three; the quantity is not bound by another pledge; the currency has a settlement token; `answerBy` is at
    /// most `MAX_ANSWER` from now.
    /// @param securedAmount minor units of `currency`, the most that the pledge secures
    /// @param answerBy      Unix seconds
    /// @return pledgeId sequential, from 1, over all receipts
    function pledge(
        uint256 receiptId,
        address bank,
        address supervisor,
        uint128 quantity,
        uint128 securedAmount,
        Currency currency,
        uint64 answerBy
    ) external returns (uint256 pledgeId);

    /// @notice Take the goods as security. Called by the bank, in time; bank, supervisor and owner must be active.
    /// @dev Emits {PledgeAccepted}.
    function accept(uint256 pledgeId) external;

    /// @notice Confirm that the goods are there and under watch; from now on they secure the bank. Called by the supervisor, in time; bank,
    /// supervisor and owner must be active.
    /// @dev Emits {PledgeConfirmed}.
    /// @param basis commitment to the supervisor's finding
    function confirm(uint256 pledgeId, bytes32 basis) external;

    /// @notice Refuse a pledge before it is active. Called by the bank or the supervisor, suspended or not, or the receiver of either.
    /// @dev Emits {PledgeDeclined}.
    /// @param basis commitment to the reason
    function decline(uint256 pledgeId, bytes32 basis) external;

    /// @notice Take a pledge back before it is active. Called by the owner, suspended or not, or its receiver.
    /// @dev Emits {PledgeWithdrawn}.
    function withdraw(uint256 pledgeId) external;

    /// @notice Free what a pledge binds that was not accepted and confirmed in time. Called by anyone.
    /// @dev Emits {PledgeLapsed}.
    function lapse(uint256 pledgeId) external;

    /// @notice Let go of goods, wholly or in part, when the loan was repaid so far. Called by the bank, suspended or not, or its receiver.
    /// @dev Emits {PledgeReleased}.
    function release(uint256 pledgeId, uint128 quantity) external;

    /// @notice Hand pledged goods to a buyer or to the bank on a decision of the court, or to the owner where the court finds that nothing
    /// is owed any more. Called by the court; `to` must be active.
    /// @dev Emits {PledgeEnforced}. The goods leave the receipt; when nothing is left it ends and the lot is given back in the
    /// {IFinancingRegister}.
    /// @param basis commitment to the decision
    function enforce(uint256 pledgeId, uint128 quantity, address to, bytes32 basis) external;

    // --- views

    /// @notice Everything recorded of a receipt; zeros when there is none.
    function receipt(uint256 receiptId) external view returns (Receipt memory);

    /// @notice Everything recorded of a pledge; zeros when there is none.
    function pledgeOf(uint256 pledgeId) external view returns (Pledge memory);

    /// @notice What is neither pledged nor delivered; zero when there is no such receipt or it has ended.
    function free(uint256 receiptId) external view returns (uint128);

    /// @notice Whether a pledge still waits for an answer that can no longer be given.
    function hasLapsed(uint256 pledgeId) external view returns (bool);
}
