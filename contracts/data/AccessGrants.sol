// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Desk} from "../core/Application.sol";
import {Currency, ICurrencies} from "../core/interfaces/ICurrencies.sol";
import {IEscrow} from "../core/interfaces/IEscrow.sol";
import {Core} from "../core/types/Core.sol";
import {IAccessGrants} from "./interfaces/IAccessGrants.sol";
import {IDatasetRegistry} from "./interfaces/IDatasetRegistry.sol";

/// @title Implementation of {IAccessGrants}, where errors, events and rules are described
contract AccessGrants is IAccessGrants, Desk {
    /// @notice How long a holder may take to answer a request.
    uint64 public constant ANSWER_PERIOD = 7 days;
    /// @notice No grant is good for longer.
    uint64 public constant LONGEST_PERIOD = 5 * 365 days;

    ICurrencies public immutable currencies;
    IEscrow public immutable escrow;
    IDatasetRegistry public immutable datasets;

    /// @dev Both counters share slot 0 with the authority's address, which every restricted call reads.
    uint40 private _offerCount;
    uint48 private _grantCount;
    /// @dev Three slots: holder, period, maxUses, state | token, price | datasetId, purpose. A request reads the first two.
    mapping(uint256 offerId => Offer) private _offers;
    /// @dev Two slots: all that a use reads and writes | offerId, uses.
    mapping(uint256 grantId => Grant) private _grants;

    constructor(Core memory core, IDatasetRegistry datasets_) Desk(core) {
        currencies = core.currencies;
        escrow = core.escrow;
        datasets = datasets_;
    }

    // --- offers

    /// @inheritdoc IAccessGrants
    function offer(
        uint256 datasetId,
        bytes24 purpose,
        Currency currency,
        uint128 price,
        uint64 period,
        uint16 maxUses
    ) external restricted returns (uint256 offerId) {
        address holder = _activeActor();
        datasets.requireHolder(datasetId, holder);
        if (purpose == 0) revert AccessGrants_EmptyPurpose();
        // price × uses then fits every amount's uint128.
        if (price > type(uint96).max) revert AccessGrants_PriceTooHigh(price, type(uint96).max);
        if (period == 0 || period > LONGEST_PERIOD) revert AccessGrants_PeriodOutOfRange(period, LONGEST_PERIOD);
        if (maxUses == 0) revert AccessGrants_NoUses();

        offerId = ++_offerCount;
        _offers[offerId] = Offer(
            holder,
            period,
            maxUses,
            OfferState.Open,
            currencies.tokenOf(currency),
            uint96(price),
            uint64(datasetId),
            purpose
        );

        emit OfferMade(offerId, holder, datasetId, purpose, currency, price, period, maxUses);
    }

    /// @inheritdoc IAccessGrants
    /// @dev Not restricted: a holder that was suspended or lost its role still may.
    function withdrawOffer(uint256 offerId) external {
        address actor = _actor();
        Offer storage terms = _offers[offerId];
        if (terms.state != OfferState.Open) revert AccessGrants_OfferNotOpen(offerId, terms.state);
        _requireHolder(offerId, actor, terms);

        terms.state = OfferState.Withdrawn;

        emit OfferWithdrawn(offerId, actor);
    }

    // --- requests

    /// @inheritdoc IAccessGrants
    function request(uint256 offerId, uint16 uses) external restricted returns (uint256 grantId) {
        Offer storage terms = _offers[offerId];
        address holder = terms.holder;
        if (terms.state != OfferState.Open) revert AccessGrants_OfferNotOpen(offerId, terms.state);
        address requester = _activeActorWith(holder);
        if (requester == holder) revert AccessGrants_OwnOffer(offerId, holder);
        if (uses == 0) revert AccessGrants_NoUses();
        if (uses > terms.maxUses) revert AccessGrants_TooManyUses(offerId, uses, terms.maxUses);

        grantId = ++_grantCount;
        uint64 answerBy = uint64(block.timestamp) + ANSWER_PERIOD;
        _grants[grantId] = Grant(requester, answerBy, uses, 0, State.Requested, uint64(offerId), uses);
        uint128 amount = uint128(terms.price) * uses;

        emit GrantRequested(grantId, requester, offerId, uses, amount, answerBy);

        if (amount != 0) escrow.hold(grantId, terms.token, requester, amount);
    }

    /// @inheritdoc IAccessGrants
    function approve(uint256 grantId) external restricted {
        Grant storage found = _inState(grantId, State.Requested);
        Offer storage terms = _offers[found.offerId];
        address actor = _activeActorWith(found.grantee);
        _requireHolder(grantId, actor, terms);
        _requireNotLater(grantId, found.until);

        uint64 validUntil = uint64(block.timestamp) + terms.period;
        found.state = State.Approved;
        found.until = validUntil;

        emit GrantApproved(grantId, actor, validUntil);
    }

    /// @inheritdoc IAccessGrants
    /// @dev Not restricted: a holder that was suspended or lost its role still may.
    function deny(uint256 grantId) external {
        Grant storage found = _inState(grantId, State.Requested);
        address actor = _actor();
        _requireHolder(grantId, actor, _offers[found.offerId]);

        emit GrantDenied(grantId, actor, _close(grantId, found, State.Denied));
    }

    /// @inheritdoc IAccessGrants
    function lapse(uint256 grantId) external {
        Grant storage found = _inState(grantId, State.Requested);
        _requireLater(grantId, found.until);

        emit GrantLapsed(grantId, _actor(), _close(grantId, found, State.Lapsed));
    }

    // --- grants

    /// @inheritdoc IAccessGrants
    /// @dev Not restricted: a holder that was suspended or lost its role still may.
    function revoke(uint256 grantId) external {
        Grant storage found = _inState(grantId, State.Approved);
        address actor = _actor();
        _requireHolder(grantId, actor, _offers[found.offerId]);

        emit GrantRevoked(grantId, actor, _close(grantId, found, State.Revoked));
    }

    /// @inheritdoc IAccessGrants
    function expire(uint256 grantId) external {
        Grant storage found = _inState(grantId, State.Approved);
        _requireLater(grantId, found.until);

        emit GrantExpired(grantId, _actor(), _close(grantId, found, State.Expired));
    }

    // --- uses

    /// @inheritdoc IAccessGrants
    function use(uint256 grantId, address actor) external restricted {
        Grant storage found = _inState(grantId, State.Approved);
        if (actor != found.grantee) revert AccessGrants_NotTheGrantee(grantId, actor, found.grantee);
        _requireNotLater(grantId, found.until);
        uint16 usesLeft = found.usesLeft;
        if (usesLeft == 0) revert AccessGrants_NoUseLeft(grantId);
        uint8 openUses = found.openUses;
        if (openUses == type(uint8).max) revert AccessGrants_TooManyOpenUses(grantId, openUses);

        unchecked {
            --usesLeft;
            found.usesLeft = usesLeft;
            found.openUses = openUses + 1;
        }

        emit GrantUsed(grantId, actor, usesLeft);
    }

    /// @inheritdoc IAccessGrants
    function payUse(uint256 grantId, address actor) external restricted {
        Grant storage found = _grants[grantId];
        if (found.state == State.Revoked) revert AccessGrants_Revoked(grantId);
        Offer storage terms = _offers[found.offerId];
        _settleOne(grantId, found);

        uint128 amount = terms.price;
        emit UsePaid(grantId, actor, amount);

        _release(grantId, terms, terms.holder, amount);
    }

    /// @inheritdoc IAccessGrants
    function refundUse(uint256 grantId, address actor) external restricted {
        Grant storage found = _grants[grantId];
        Offer storage terms = _offers[found.offerId];
        _settleOne(grantId, found);

        uint128 amount = terms.price;
        emit UseRefunded(grantId, actor, amount);

        _release(grantId, terms, found.grantee, amount);
    }

    // --- views

    /// @inheritdoc IAccessGrants
    function offerOf(uint256 offerId) external view returns (Offer memory) {
        return _offers[offerId];
    }

    /// @inheritdoc IAccessGrants
    function grantOf(uint256 grantId) external view returns (Grant memory) {
        return _grants[grantId];
    }

    /// @inheritdoc IAccessGrants
    function standingOf(uint256 grantId) external view returns (address holder, uint256 datasetId, State state, uint64 until) {
        Grant storage found = _grants[grantId];
        Offer storage terms = _offers[found.offerId];
        return (terms.holder, terms.datasetId, found.state, found.until);
    }

    /// @inheritdoc IAccessGrants
    function isUsable(uint256 grantId) external view returns (bool) {
        Grant storage found = _grants[grantId];
        return found.state == State.Approved && block.timestamp <= found.until && found.usesLeft != 0 && found.openUses != type(uint8).max;
    }

    /// @inheritdoc IAccessGrants
    function offerCount() external view returns (uint256) {
        return _offerCount;
    }

    /// @inheritdoc IAccessGrants
    function grantCount() external view returns (uint256) {
        return _grantCount;
    }

    // --- inside

    /// @dev Ends a grant and gives the money of the uses not taken back.
    function _close(uint256 grantId, Grant storage found, State state) private returns (uint128 refunded) {
        Offer storage terms = _offers[found.offerId];
        refunded = uint128(terms.price) * found.usesLeft;

        found.state = state;
        found.usesLeft = 0;

        _release(grantId, terms, found.grantee, refunded);
    }

    function _settleOne(uint256 grantId, Grant storage found) private {
        uint8 openUses = found.openUses;
        if (openUses == 0) revert AccessGrants_NoOpenUse(grantId);

        found.openUses = openUses - 1;
    }

    /// @dev The Escrow refuses to move nothing, which is what free uses cost.
    function _release(uint256 grantId, Offer storage terms, address payee, uint128 amount) private {
        if (amount != 0) escrow.release(grantId, terms.token, payee, amount);
    }

    function _inState(uint256 grantId, State required) private view returns (Grant storage found) {
        found = _grants[grantId];
        State state = found.state;
        if (state != required) revert AccessGrants_WrongState(grantId, state, required);
    }

    function _requireHolder(uint256 id, address actor, Offer storage terms) private view {
        address holder = terms.holder;
        if (actor != holder) revert AccessGrants_NotTheHolder(id, actor, holder);
    }

    function _requireNotLater(uint256 grantId, uint64 until) private view {
        if (block.timestamp > until) revert AccessGrants_TooLate(grantId, until, uint64(block.timestamp));
    }

    function _requireLater(uint256 grantId, uint64 until) private view {
        if (block.timestamp <= until) revert AccessGrants_TooEarly(grantId, until, uint64(block.timestamp));
    }
}
