// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {ERC1155Utils} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Utils.sol";
import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Application} from "../core/Application.sol";
import {Currency, ICurrencies} from "../core/interfaces/ICurrencies.sol";
import {IEscrow} from "../core/interfaces/IEscrow.sol";
import {Core} from "../core/types/Core.sol";
import {IFinancingRegister} from "./interfaces/IFinancingRegister.sol";
import {IReceivableLedger} from "./interfaces/IReceivableLedger.sol";
import {ofCreditNote} from "./types/CreditNote.sol";

/// @title Implementation of {IReceivableLedger}, where errors, events and rules are described
/// @dev ERC-1155 by hand, because OpenZeppelin's keeps a balance in a slot of its own: here units and what was claimed on them share one, and no
/// approval is read on a transfer.
contract ReceivableLedger is IReceivableLedger, Application, ERC165 {
    /// @notice Longest batch of transfers, so that no caller chooses the length of a loop.
    uint256 public constant MAX_BATCH = 32;
    /// @notice Longest time to the due date, seconds: no trade credit runs as long, but a time in milliseconds would.
    uint64 public constant MAX_TERM = 50 * 365 days;

    ICurrencies public immutable currencies;
    IEscrow public immutable escrow;
    IFinancingRegister public immutable register;
    /// @inheritdoc IReceivableLedger
    uint64 public immutable gracePeriod;

    /// @dev Four slots:
    /// 0: debtor (160) | dueAt (56) | state (8) | givenBack (8) | currency (24): all that a transfer needs
    /// 1: face (128) | paid (128): with slot 0, all that a payment or a claim needs
    /// 2: supplier (160): read only before the debtor's answer and for credit notes
    /// 3: fingerprint: read only when a draft ends without an undertaking
    struct Record {
        address debtor;
        uint56 dueAt;
        State state;
        bool givenBack;
        Currency currency;
        uint128 face;
        uint128 paid;
        address supplier;
        bytes32 fingerprint;
    }

    mapping(uint256 id => Record) private _receivables;
    /// @dev One slot each: units (128) | claimed (128).
    mapping(uint256 id => mapping(address holder => Holding)) private _holdings;
    mapping(uint256 id => mapping(address holder => bool)) private _writtenOff;
    uint256 private _lastId;

    constructor(Core memory core, IFinancingRegister register_, uint64 gracePeriod_) Application(core) {
        currencies = core.currencies;
        escrow = core.escrow;
        register = register_;
        gracePeriod = gracePeriod_;
    }

    // --- from draft to undertaking

    /// @inheritdoc IReceivableLedger
    function draft(
        address debtor,
        Currency currency,
        uint128 face,
        uint64 dueAt,
        bytes32 fingerprint,
        bytes32 numberFingerprint
    ) external restricted returns (uint256 id) {
        address supplier = _activeActorWith(debtor);
        if (debtor == supplier) revert ReceivableLedger_OwnDebtor(supplier);
        if (face == 0) revert ReceivableLedger_ZeroFace();
        if (dueAt <= block.timestamp) revert ReceivableLedger_DueInPast(dueAt, uint64(block.timestamp));
        uint64 latest = uint64(block.timestamp) + MAX_TERM;
        if (dueAt > latest) revert ReceivableLedger_DueTooLate(dueAt, latest);
        // Reverts when the currency has no settlement token.
        currencies.tokenOf(currency);

        id = ++_lastId;
        _receivables[id] = Record(debtor, uint56(dueAt), State.Draft, false, currency, face, 0, supplier, fingerprint);

        emit ReceivableDrafted(id, supplier, debtor, currency, face, dueAt, fingerprint, numberFingerprint);

        register.enter(fingerprint, numberFingerprint, id, supplier);
    }

    /// @inheritdoc IReceivableLedger
    function confirm(uint256 id) external restricted {
        Record storage found = _requireDraft(id);
        address supplier = found.supplier;
        address debtor = _actor();
        if (debtor != found.debtor) revert ReceivableLedger_NotDebtor(id, debtor);
        members.requireBothActive(debtor, supplier);
        uint128 face = found.face;

        found.state = State.Confirmed;
        _holdings[id][supplier].units = face;

        emit ReceivableConfirmed(id, debtor);
        emit TransferSingle(debtor, address(0), supplier, id, face);
    }

    /// @inheritdoc IReceivableLedger
    function dispute(uint256 id, bytes32 basis) external {
        Record storage found = _requireDraft(id);
        address actor = _actor();
        if (actor != found.debtor) revert ReceivableLedger_NotDebtor(id, actor);
        if (found.state == State.Disputed) revert ReceivableLedger_WrongState(id, State.Disputed);

        found.state = State.Disputed;

        emit ReceivableDisputed(id, actor, basis);
    }

    /// @inheritdoc IReceivableLedger
    function reject(uint256 id) external {
        Record storage found = _requireDraft(id);
        address actor = _actor();
        if (actor != found.debtor) revert ReceivableLedger_NotDebtor(id, actor);

        found.state = State.Rejected;

        emit ReceivableRejected(id, actor);

        register.leave(found.fingerprint, id, actor);
    }

    /// @inheritdoc IReceivableLedger
    function withdraw(uint256 id) external {
        Record storage found = _requireDraft(id);
        address actor = _actor();
        if (actor != found.supplier) revert ReceivableLedger_NotSupplier(id, actor);

        found.state = State.Withdrawn;

        emit ReceivableWithdrawn(id, actor);

        register.leave(found.fingerprint, id, actor);
    }

    /// @inheritdoc IReceivableLedger
    function strike(uint256 id, bytes32 basis) external restricted {
        Record storage found = _requireDraft(id);
        address actor = _activeActor();

        found.state = State.Withdrawn;

        emit ReceivableStruck(id, actor, basis);

        register.leave(found.fingerprint, id, actor);
    }

    // --- units

    /// @inheritdoc IReceivableLedger
    function move(uint256 id, address from, address to, uint128 units, address actor) external restricted returns (Currency currency) {
        members.requireBothActive(from, to);

        currency = _transfer(id, from, to, units);

        emit TransferSingle(actor, from, to, id, units);
    }

    /// @inheritdoc IReceivableLedger
    function giveBack(
        uint256 id,
        address from,
        address to,
        uint128 units,
        address actor
    ) external restricted returns (Currency currency, uint128 unpaid) {
        _requireDefaulted(id);
        if (units == 0) revert ReceivableLedger_ZeroUnits(id);
        currency = _receivables[id].currency;
        uint128 due = _claimable(id, _receivables[id], _holdings[id][from]);

        _holdings[id][from].claimed += due;
        uint128 moved = _moveBack(id, from, to, units);
        unpaid = units - moved;

        if (due != 0) emit ReceivableClaimed(id, from, due);
        emit UnitsGivenBack(id, actor, from, to, units, moved);
        emit TransferSingle(actor, from, to, id, units);

        if (due != 0) escrow.payOut(id, currencies.tokenOf(currency), from, due);
    }

    /// @inheritdoc IERC1155
    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes calldata data) external {
        if (_actor() != from) revert ReceivableLedger_ApprovalsRefused(_actor());
        members.requireBothActive(from, to);

        _transfer(id, from, to, value);

        emit TransferSingle(from, from, to, id, value);

        // Asked here too, so that `data` is not copied for a receiver without code.
        if (to.code.length != 0) ERC1155Utils.checkOnERC1155Received(from, from, to, id, value, data);
    }

    /// @inheritdoc IERC1155
    function safeBatchTransferFrom(
        address from,
        address to,
        uint256[] calldata ids,
        uint256[] calldata values,
        bytes calldata data
    ) external {
        if (_actor() != from) revert ReceivableLedger_ApprovalsRefused(_actor());
        if (ids.length != values.length) revert ReceivableLedger_LengthMismatch(ids.length, values.length);
        if (ids.length > MAX_BATCH) revert ReceivableLedger_BatchTooLong(ids.length, MAX_BATCH);
        members.requireBothActive(from, to);

        for (uint256 i; i < ids.length; ++i) {
            _transfer(ids[i], from, to, values[i]);
        }

        emit TransferBatch(from, from, to, ids, values);

        ERC1155Utils.checkOnERC1155BatchReceived(from, from, to, ids, values, data);
    }

    /// @inheritdoc IERC1155
    /// @dev Always refused: a desk moves units through its role, for a holder that asks it to.
    function setApprovalForAll(address operator, bool) external pure {
        revert ReceivableLedger_ApprovalsRefused(operator);
    }

    // --- money

    /// @inheritdoc IReceivableLedger
    function pay(uint256 id, uint128 amount) external {
        Record storage found = _receivables[id];
        State state = found.state;
        if (!_isOwed(state)) revert ReceivableLedger_WrongState(id, state);
        address debtor = found.debtor;
        address actor = _actor();
        if (actor != debtor && actor != members.receiverOf(debtor)) revert ReceivableLedger_NotDebtor(id, actor);
        if (amount == 0) revert ReceivableLedger_ZeroAmount(id);
        uint128 face = found.face;
        uint128 paid = found.paid;
        if (amount > face - paid) revert ReceivableLedger_Overpaid(id, face - paid, amount);

        paid += amount;
        found.paid = paid;
        if (paid == face) found.state = State.Settled;
        else if (state == State.Confirmed) found.state = State.PartlyPaid;

        emit ReceivablePaid(id, actor, amount, paid);

        escrow.hold(id, currencies.tokenOf(found.currency), actor, amount);
    }

    /// @inheritdoc IReceivableLedger
    function claim(uint256 id) external returns (uint128 amount) {
        address holder = _actor();
        Record storage found = _receivables[id];
        Holding storage holding_ = _holdings[id][holder];
        amount = _claimable(id, found, holding_);
        if (amount == 0) revert ReceivableLedger_NothingToClaim(id, holder);

        holding_.claimed += amount;

        emit ReceivableClaimed(id, holder, amount);

        escrow.payOut(id, currencies.tokenOf(found.currency), holder, amount);
    }

    // --- credit notes and losses

    /// @inheritdoc IReceivableLedger
    function dilute(uint256 id, uint128 amount, bytes32 creditNote, bytes32 creditNoteNumber) external restricted {
        Record storage found = _receivables[id];
        State state = found.state;
        if (state != State.Confirmed) revert ReceivableLedger_WrongState(id, state);
        address supplier = _activeActor();
        if (supplier != found.supplier) revert ReceivableLedger_NotSupplier(id, supplier);
        if (amount == 0) revert ReceivableLedger_ZeroAmount(id);
        uint128 held = _holdings[id][supplier].units;
        if (amount > held) revert ReceivableLedger_InsufficientUnits(id, supplier, held, amount);
        uint128 face = found.face - amount;

        found.face = face;
        if (face == 0) found.state = State.Settled;
        _holdings[id][supplier].units = held - amount;

        emit ReceivableDiluted(id, supplier, amount, face, creditNote);
        emit TransferSingle(supplier, supplier, address(0), id, amount);

        register.enter(ofCreditNote(creditNote), ofCreditNote(creditNoteNumber), id, supplier);
    }

    /// @inheritdoc IReceivableLedger
    function writeOff(uint256 id, bytes32 basis) external {
        _requireDefaulted(id);
        address holder = _actor();
        Holding memory held = _holdings[id][holder];
        if (held.units == 0) revert ReceivableLedger_ZeroUnits(id);
        if (_writtenOff[id][holder]) revert ReceivableLedger_AlreadyWrittenOff(id, holder);

        _writtenOff[id][holder] = true;

        emit ReceivableWrittenOff(id, holder, held.units - _entitlement(_receivables[id], held.units), basis);
    }

    // --- views

    /// @inheritdoc IReceivableLedger
    function receivable(uint256 id) external view returns (Receivable memory) {
        Record storage found = _receivables[id];
        return
            Receivable(found.debtor, found.dueAt, found.state, found.currency, found.face, found.paid, found.supplier, found.fingerprint);
    }

    /// @inheritdoc IReceivableLedger
    function holding(uint256 id, address holder) external view returns (Holding memory) {
        return _holdings[id][holder];
    }

    /// @inheritdoc IReceivableLedger
    function claimable(uint256 id, address holder) external view returns (uint128) {
        return _claimable(id, _receivables[id], _holdings[id][holder]);
    }

    /// @inheritdoc IReceivableLedger
    function isDefaulted(uint256 id) external view returns (bool) {
        Record storage found = _receivables[id];
        return _isOwed(found.state) && block.timestamp >= uint256(found.dueAt) + gracePeriod;
    }

    /// @inheritdoc IReceivableLedger
    function isWrittenOff(uint256 id, address holder) external view returns (bool) {
        return _writtenOff[id][holder];
    }

    /// @inheritdoc IReceivableLedger
    function isOpen(uint256 id) external view returns (bool) {
        Record storage found = _receivables[id];
        return found.state == State.Confirmed && block.timestamp < found.dueAt;
    }

    /// @inheritdoc IERC1155
    function balanceOf(address account, uint256 id) public view returns (uint256) {
        return _holdings[id][account].units;
    }

    /// @inheritdoc IERC1155
    function balanceOfBatch(address[] calldata accounts, uint256[] calldata ids) external view returns (uint256[] memory balances) {
        if (accounts.length != ids.length) revert ReceivableLedger_LengthMismatch(ids.length, accounts.length);
        balances = new uint256[](ids.length);
        for (uint256 i; i < ids.length; ++i) {
            balances[i] = balanceOf(accounts[i], ids[i]);
        }
    }

    /// @inheritdoc IERC1155
    function isApprovedForAll(address, address) external pure returns (bool) {
        return false;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) public view override(ERC165, IERC165) returns (bool) {
        return interfaceId == type(IERC1155).interfaceId || super.supportsInterface(interfaceId);
    }

    // --- checks and effects shared by several functions

    /// @dev The one place where units change hands. The holder may be the receiver: the second line reads what the first wrote.
    function _transfer(uint256 id, address from, address to, uint256 units) private returns (Currency currency) {
        Record storage found = _receivables[id];
        // In this order the compiler loads the slot once.
        uint64 dueAt = found.dueAt;
        currency = found.currency;
        State state = found.state;
        if (state != State.Confirmed) revert ReceivableLedger_WrongState(id, state);
        if (block.timestamp >= dueAt) revert ReceivableLedger_Due(id, dueAt);
        if (units == 0) revert ReceivableLedger_ZeroUnits(id);
        Holding storage giver = _holdings[id][from];
        uint128 held = giver.units;
        if (units > held) revert ReceivableLedger_InsufficientUnits(id, from, held, units);

        // Nothing was claimed yet while the receivable is open. The sum of all units is `face`, so nothing overflows.
        unchecked {
            giver.units = held - uint128(units);
            _holdings[id][to].units += uint128(units);
        }
    }

    /// @dev What was paid on the units stays with the giver; the taker gets them with as much claimed, so that nobody is paid twice.
    function _moveBack(uint256 id, address from, address to, uint128 units) private returns (uint128 moved) {
        Holding storage giver = _holdings[id][from];
        Holding storage taker = _holdings[id][to];
        uint128 held = giver.units;
        if (units > held) revert ReceivableLedger_InsufficientUnits(id, from, held, units);
        uint128 kept = _entitlement(_receivables[id], held - units);
        uint128 claimed = giver.claimed;
        moved = claimed > kept ? claimed - kept : 0;
        // Rounding must not make more claimed than there are units.
        if (moved > units) moved = units;

        _receivables[id].givenBack = true;
        giver.units = held - units;
        giver.claimed = claimed - moved;
        taker.units += units;
        taker.claimed += moved;
    }

    function _claimable(uint256 id, Record storage found, Holding storage holding_) private view returns (uint128 amount) {
        (uint128 units, uint128 claimed) = (holding_.units, holding_.claimed);
        if (units == 0) return 0; // nobody holds units of a receivable without a face
        uint128 entitlement = _entitlement(found, units);
        if (entitlement <= claimed) return 0;
        amount = entitlement - claimed;
        if (!found.givenBack) return amount;
        // Units that were given back carry what was claimed on them, which rounding can make one more than their entitlement; until the next
        // payment makes up for it, the others' entitlements can exceed by that one what is held.
        uint256 held = escrow.held(address(this), id, currencies.tokenOf(found.currency));
        if (held < amount) amount = uint128(held);
    }

    /// @dev floor(units × paid ÷ face). Two uint128 multiply within 256 bits, and units ≤ face, so the quotient is at most `paid`.
    function _entitlement(Record storage found, uint128 units) private view returns (uint128) {
        return uint128((uint256(units) * found.paid) / found.face);
    }

    function _requireDraft(uint256 id) private view returns (Record storage found) {
        found = _receivables[id];
        State state = found.state;
        if (state != State.Draft && state != State.Disputed) revert ReceivableLedger_WrongState(id, state);
    }

    function _requireDefaulted(uint256 id) private view {
        Record storage found = _receivables[id];
        State state = found.state;
        if (!_isOwed(state)) revert ReceivableLedger_WrongState(id, state);
        uint256 from = uint256(found.dueAt) + gracePeriod;
        if (block.timestamp < from) revert ReceivableLedger_NotDefaulted(id, from, uint64(block.timestamp));
    }

    function _isOwed(State state) private pure returns (bool) {
        return state == State.Confirmed || state == State.PartlyPaid;
    }
}
