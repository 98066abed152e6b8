// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Application} from "../core/Application.sol";
import {Currency, ICurrencies} from "../core/interfaces/ICurrencies.sol";
import {Core} from "../core/types/Core.sol";
import {IFinancingRegister} from "./interfaces/IFinancingRegister.sol";
import {IWarehouseLedger} from "./interfaces/IWarehouseLedger.sol";

/// @title Implementation of {IWarehouseLedger}, where errors, events and rules are described
/// @dev No token, no money and no hook: the only foreign contracts it calls are the core's and the {IFinancingRegister}, which call nobody
/// back. The register is called last all the same.
contract WarehouseLedger is IWarehouseLedger, Application {
    /// @notice Longest time for bank and supervisor to answer, seconds: goods are not to be bound for long by a mere proposal.
    uint64 public constant MAX_ANSWER = 30 days;

    ICurrencies public immutable currencies;
    IFinancingRegister public immutable register;

    /// @dev Four slots:
    /// 0: owner (160) | state (8) | unit (24)
    /// 1: quantity (128) | pledged (128): with slot 0, all that a pledge, a release or a delivery writes
    /// 2: warehouse (160)
    /// 3: fingerprint: read only when the receipt ends
    struct ReceiptRecord {
        address owner;
        ReceiptState state;
        bytes3 unit;
        uint128 quantity;
        uint128 pledged;
        address warehouse;
        bytes32 fingerprint;
    }

    /// @dev Three slots:
    /// 0: bank (160) | answerBy (64) | state (8) | currency (24)
    /// 1: supervisor (160) | receiptId (96)
    /// 2: quantity (128) | securedAmount (128)
    struct PledgeRecord {
        address bank;
        uint64 answerBy;
        PledgeState state;
        Currency currency;
        address supervisor;
        uint96 receiptId;
        uint128 quantity;
        uint128 securedAmount;
    }

    mapping(uint256 receiptId => ReceiptRecord) private _receipts;
    mapping(uint256 pledgeId => PledgeRecord) private _pledges;
    /// @dev One slot: receipts counted so far (128) | pledges (128)
    uint128 private _lastReceipt;
    uint128 private _lastPledge;

    constructor(Core memory core, IFinancingRegister register_) Application(core) {
        currencies = core.currencies;
        register = register_;
    }

    // --- receipts

    /// @inheritdoc IWarehouseLedger
    function issue(
        address owner,
        bytes32 fingerprint,
        bytes32 numberFingerprint,
        bytes32 goods,
        uint128 quantity,
        bytes3 unit
    ) external restricted returns (uint256 receiptId) {
        address warehouse = _activeActorWith(owner);
        if (owner == warehouse) revert WarehouseLedger_OwnWarehouse(warehouse);
        if (goods == 0) revert WarehouseLedger_EmptyGoods();
        if (quantity == 0) revert WarehouseLedger_ZeroQuantity(0);
        if (unit == 0) revert WarehouseLedger_EmptyUnit();

        receiptId = ++_lastReceipt;
        _receipts[receiptId] = ReceiptRecord(owner, ReceiptState.Stored, unit, quantity, 0, warehouse, fingerprint);

        emit ReceiptIssued(receiptId, warehouse, owner, fingerprint, numberFingerprint, goods, quantity, unit);

        register.enter(fingerprint, numberFingerprint, receiptId, warehouse);
    }

    /// @inheritdoc IWarehouseLedger
    function transfer(uint256 receiptId, address to) external {
        ReceiptRecord storage found = _requireStored(receiptId);
        address owner = _actor();
        if (owner != found.owner) revert WarehouseLedger_NotOwner(receiptId, owner);
        members.requireBothActive(owner, to);
        if (to == owner) revert WarehouseLedger_OwnReceipt(receiptId, owner);
        if (to == found.warehouse) revert WarehouseLedger_OwnWarehouse(to);
        if (found.pledged != 0) revert WarehouseLedger_Pledged(receiptId, found.pledged);

        found.owner = to;

        emit ReceiptTransferred(receiptId, owner, to);
    }

    /// @inheritdoc IWarehouseLedger
    function deliver(uint256 receiptId, uint128 quantity) external {
        ReceiptRecord storage found = _requireStored(receiptId);
        address actor = _actor();
        if (!_actsFor(actor, found.warehouse)) revert WarehouseLedger_NotWarehouse(receiptId, actor);
        if (quantity == 0) revert WarehouseLedger_ZeroQuantity(receiptId);
        uint128 unbound = found.quantity - found.pledged;
        if (quantity > unbound) revert WarehouseLedger_InsufficientFree(receiptId, unbound, quantity);

        uint128 left = _takeOut(found, quantity);

        emit GoodsDelivered(receiptId, actor, found.owner, quantity, left);

        if (left == 0) register.leave(found.fingerprint, receiptId, actor);
    }

    /// @inheritdoc IWarehouseLedger
    function reportShortage(uint256 receiptId, uint256 pledgeId, uint128 quantity, bytes32 basis) external {
        ReceiptRecord storage found = _requireStored(receiptId);
        address actor = _actor();
        if (pledgeId == 0) {
            if (!_actsFor(actor, found.warehouse)) revert WarehouseLedger_NotWarehouse(receiptId, actor);
        } else {
            PledgeRecord storage pledged = _requireActivePledge(pledgeId);
            if (receiptId != pledged.receiptId) revert WarehouseLedger_PledgeOfAnotherReceipt(pledgeId, receiptId);
            if (actor != pledged.supervisor) revert WarehouseLedger_NotSupervisor(pledgeId, actor);
        }
        if (quantity > found.quantity) revert WarehouseLedger_MoreThanOnHand(receiptId, found.quantity, quantity);

        emit ShortageReported(receiptId, actor, pledgeId, quantity, basis);
    }

    /// @inheritdoc IWarehouseLedger
    function strike(uint256 receiptId, bytes32 basis) external restricted {
        ReceiptRecord storage found = _requireStored(receiptId);
        address actor = _activeActor();
        if (found.pledged != 0) revert WarehouseLedger_Pledged(receiptId, found.pledged);

        found.state = ReceiptState.Struck;

        emit ReceiptStruck(receiptId, actor, basis);

        register.leave(found.fingerprint, receiptId, actor);
    }

    // --- pledges

    /// @inheritdoc IWarehouseLedger
    function pledge(
        uint256 receiptId,
        address bank,
        address supervisor,
        uint128 quantity,
        uint128 securedAmount,
        Currency currency,
        uint64 answerBy
    ) external returns (uint256 pledgeId) {
        ReceiptRecord storage found = _requireStored(receiptId);
        address owner = _actor();
        if (owner != found.owner) revert WarehouseLedger_NotOwner(receiptId, owner);
        _requireThreeActive(owner, bank, supervisor);
        address warehouse = found.warehouse;
        if (bank == owner || bank == warehouse) revert WarehouseLedger_WrongBank(receiptId, bank);
        if (supervisor == owner || supervisor == warehouse || supervisor == bank)
            revert WarehouseLedger_WrongSupervisor(receiptId, supervisor);
        if (quantity == 0) revert WarehouseLedger_ZeroQuantity(receiptId);
        if (securedAmount == 0) revert WarehouseLedger_ZeroSecuredAmount(receiptId);
        _requireAnswerable(answerBy);
        // Reverts when the currency has no settlement token.
        currencies.tokenOf(currency);
        uint128 pledged = found.pledged;
        uint128 unbound = found.quantity - pledged;
        if (quantity > unbound) revert WarehouseLedger_InsufficientFree(receiptId, unbound, quantity);

        found.pledged = pledged + quantity;
        pledgeId = ++_lastPledge;
        // Fits: receipts are counted one by one.
        _pledges[pledgeId] = PledgeRecord(
            bank,
            answerBy,
            PledgeState.Proposed,
            currency,
            supervisor,
            uint96(receiptId),
            quantity,
            securedAmount
        );

        emit PledgeProposed(pledgeId, owner, receiptId, bank, supervisor, quantity, securedAmount, currency, answerBy);
    }

    /// @inheritdoc IWarehouseLedger
    function accept(uint256 pledgeId) external restricted {
        PledgeRecord storage found = _pledges[pledgeId];
        if (found.state != PledgeState.Proposed) revert WarehouseLedger_WrongPledgeState(pledgeId, found.state);
        address bank = _actor();
        if (bank != found.bank) revert WarehouseLedger_NotBank(pledgeId, bank);
        _requireInTime(pledgeId, found);
        _requireThreeActive(bank, found.supervisor, _receipts[found.receiptId].owner);

        found.state = PledgeState.Accepted;

        emit PledgeAccepted(pledgeId, bank);
    }

    /// @inheritdoc IWarehouseLedger
    function confirm(uint256 pledgeId, bytes32 basis) external restricted {
        PledgeRecord storage found = _pledges[pledgeId];
        if (found.state != PledgeState.Accepted) revert WarehouseLedger_WrongPledgeState(pledgeId, found.state);
        address supervisor = _actor();
        if (supervisor != found.supervisor) revert WarehouseLedger_NotSupervisor(pledgeId, supervisor);
        _requireInTime(pledgeId, found);
        _requireThreeActive(supervisor, found.bank, _receipts[found.receiptId].owner);

        found.state = PledgeState.Active;

        emit PledgeConfirmed(pledgeId, supervisor, basis);
    }

    /// @inheritdoc IWarehouseLedger
    function decline(uint256 pledgeId, bytes32 basis) external {
        PledgeRecord storage found = _requireUnanswered(pledgeId);
        address actor = _actor();
        if (!_actsFor(actor, found.bank) && !_actsFor(actor, found.supervisor)) revert WarehouseLedger_NotBankOrSupervisor(pledgeId, actor);

        _drop(found, PledgeState.Declined);

        emit PledgeDeclined(pledgeId, actor, basis);
    }

    /// @inheritdoc IWarehouseLedger
    function withdraw(uint256 pledgeId) external {
        PledgeRecord storage found = _requireUnanswered(pledgeId);
        address actor = _actor();
        if (!_actsFor(actor, _receipts[found.receiptId].owner)) revert WarehouseLedger_NotOwner(found.receiptId, actor);

        _drop(found, PledgeState.Withdrawn);

        emit PledgeWithdrawn(pledgeId, actor);
    }

    /// @inheritdoc IWarehouseLedger
    function lapse(uint256 pledgeId) external {
        PledgeRecord storage found = _requireUnanswered(pledgeId);
        address actor = _actor();
        uint64 answerBy = found.answerBy;
        if (block.timestamp <= answerBy) revert WarehouseLedger_NotLapsed(pledgeId, answerBy, uint64(block.timestamp));

        _drop(found, PledgeState.Lapsed);

        emit PledgeLapsed(pledgeId, actor);
    }

    /// @inheritdoc IWarehouseLedger
    function release(uint256 pledgeId, uint128 quantity) external {
        PledgeRecord storage found = _requireActivePledge(pledgeId);
        address actor = _actor();
        if (!_actsFor(actor, found.bank)) revert WarehouseLedger_NotBank(pledgeId, actor);

        uint128 left = _unbind(pledgeId, found, quantity, PledgeState.Released);

        emit PledgeReleased(pledgeId, actor, quantity, left);
    }

    /// @inheritdoc IWarehouseLedger
    function enforce(uint256 pledgeId, uint128 quantity, address to, bytes32 basis) external restricted {
        PledgeRecord storage found = _requireActivePledge(pledgeId);
        address actor = _activeActorWith(to);

        uint128 left = _unbind(pledgeId, found, quantity, PledgeState.Enforced);
        ReceiptRecord storage holding = _receipts[found.receiptId];
        uint128 onHand = _takeOut(holding, quantity);

        emit PledgeEnforced(pledgeId, actor, to, quantity, left, basis);

        if (onHand == 0) register.leave(holding.fingerprint, found.receiptId, actor);
    }

    // --- views

    /// @inheritdoc IWarehouseLedger
    function receipt(uint256 receiptId) external view returns (Receipt memory) {
        ReceiptRecord storage found = _receipts[receiptId];
        return Receipt(found.owner, found.state, found.unit, found.warehouse, found.quantity, found.pledged, found.fingerprint);
    }

    /// @inheritdoc IWarehouseLedger
    function pledgeOf(uint256 pledgeId) external view returns (Pledge memory) {
        PledgeRecord storage found = _pledges[pledgeId];
        return
            Pledge(
                found.bank,
                found.answerBy,
                found.state,
                found.currency,
                found.supervisor,
                found.receiptId,
                found.quantity,
                found.securedAmount
            );
    }

    /// @inheritdoc IWarehouseLedger
    function free(uint256 receiptId) external view returns (uint128) {
        ReceiptRecord storage found = _receipts[receiptId];
        return found.state == ReceiptState.Stored ? found.quantity - found.pledged : 0;
    }

    /// @inheritdoc IWarehouseLedger
    function hasLapsed(uint256 pledgeId) external view returns (bool) {
        PledgeRecord storage found = _pledges[pledgeId];
        return _isUnanswered(found.state) && block.timestamp > found.answerBy;
    }

    // --- checks and effects shared by several functions

    /// @dev A member meets its own obligations even while suspended; a receiver that was suspended itself does so for nobody.
    function _actsFor(address actor, address party) private view returns (bool) {
        return actor == party || (actor == members.receiverOf(party) && members.isActive(actor));
    }

    function _requireStored(uint256 receiptId) private view returns (ReceiptRecord storage found) {
        found = _receipts[receiptId];
        if (found.state != ReceiptState.Stored) revert WarehouseLedger_WrongReceiptState(receiptId, found.state);
    }

    function _requireUnanswered(uint256 pledgeId) private view returns (PledgeRecord storage found) {
        found = _pledges[pledgeId];
        if (!_isUnanswered(found.state)) revert WarehouseLedger_WrongPledgeState(pledgeId, found.state);
    }

    function _requireActivePledge(uint256 pledgeId) private view returns (PledgeRecord storage found) {
        found = _pledges[pledgeId];
        if (found.state != PledgeState.Active) revert WarehouseLedger_WrongPledgeState(pledgeId, found.state);
    }

    function _requireInTime(uint256 pledgeId, PledgeRecord storage found) private view {
        uint64 answerBy = found.answerBy;
        if (block.timestamp > answerBy) revert WarehouseLedger_HasLapsed(pledgeId, answerBy, uint64(block.timestamp));
    }

    function _requireAnswerable(uint64 answerBy) private view {
        uint64 chainTime = uint64(block.timestamp);
        if (answerBy < chainTime) revert WarehouseLedger_AnswerInPast(answerBy, chainTime);
        if (answerBy > chainTime + MAX_ANSWER) revert WarehouseLedger_AnswerTooLate(answerBy, chainTime + MAX_ANSWER);
    }

    function _requireThreeActive(address first, address second, address third) private view {
        members.requireBothActive(first, second);
        members.requireActive(third);
    }

    function _isUnanswered(PledgeState state) private pure returns (bool) {
        return state == PledgeState.Proposed || state == PledgeState.Accepted;
    }

    /// @dev Goods leave the receipt, which ends with the last of them.
    function _takeOut(ReceiptRecord storage found, uint128 quantity) private returns (uint128 left) {
        left = found.quantity - quantity;
        found.quantity = left;
        if (left == 0) found.state = ReceiptState.Delivered;
    }

    /// @dev Nothing came of a proposal: all that it bound is free again. It keeps what was proposed.
    function _drop(PledgeRecord storage found, PledgeState state) private {
        found.state = state;
        _receipts[found.receiptId].pledged -= found.quantity;
    }

    /// @dev Part of an active pledge is bound no more; `end` is its state when that was the rest.
    function _unbind(uint256 pledgeId, PledgeRecord storage found, uint128 quantity, PledgeState end) private returns (uint128 left) {
        if (quantity == 0) revert WarehouseLedger_ZeroQuantity(pledgeId);
        left = found.quantity;
        if (quantity > left) revert WarehouseLedger_InsufficientPledged(pledgeId, left, quantity);

        left -= quantity;
        found.quantity = left;
        if (left == 0) found.state = end;
        _receipts[found.receiptId].pledged -= quantity;
    }
}
