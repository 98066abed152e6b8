// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Currency} from "../../core/interfaces/ICurrencies.sol";

/// @title Who may use which dataset, what for, how often, until when and at what price
/// @notice A holder offers a dataset's use; a requester asks for a number of uses and pays them into the Escrow, where the money of a grant is
/// held under the grant's id. A desk that meters (ComputeDesk) takes a use out of the grant when a job is submitted and settles it once:
/// paid to the holder, or refunded. Refunds become claimable by the grantee.
///
/// Invariant G1: held(grant) = price × (uses left + open uses) while a grant is requested or approved, price × open uses afterwards.
/// Invariant G2: uses left + open uses + settled uses = granted uses while a grant is approved.
///
/// Grant: Requested → Approved | Denied | Lapsed; Approved → Revoked | Expired. An approved grant whose time is over but that nobody closed is
/// still stored as Approved; it allows no use.
interface IAccessGrants {
    enum OfferState {
        None,
        Open,
        Withdrawn
    }

    enum State {
        None,
        Requested,
        Approved,
        Denied,
        Lapsed,
        Revoked,
        Expired
    }

    /// @param holder    who offers and is paid
    /// @param period    seconds that a grant is good for, from its approval
    /// @param maxUses   the most uses one grant may have
    /// @param state     see {OfferState}
    /// @param token     settlement token of the offer's currency
    /// @param price     minor units per use; zero is free
    /// @param datasetId what is offered
    /// @param purpose   the one purpose it may be used for, an ASCII label such as "MEDICAL_RESEARCH" padded with zeros
    struct Offer {
        address holder;
        uint64 period;
        uint16 maxUses;
        OfferState state;
        IERC20 token;
        uint96 price;
        uint64 datasetId;
        bytes24 purpose;
    }

    /// @param grantee  who may use it
    /// @param until    Unix seconds, inclusive: the last moment to answer a request, then the last moment of use
    /// @param usesLeft uses not yet taken
    /// @param openUses uses taken and not yet settled
    /// @param state    see {State}
    /// @param offerId  under which terms
    /// @param uses     uses asked for
    struct Grant {
        address grantee;
        uint64 until;
        uint16 usesLeft;
        uint8 openUses;
        State state;
        uint64 offerId;
        uint16 uses;
    }

    event OfferMade(
        uint256 indexed offerId,
        address indexed actor,
        uint256 datasetId,
        bytes24 purpose,
        Currency currency,
        uint128 price,
        uint64 period,
        uint16 maxUses
    );
    event OfferWithdrawn(uint256 indexed offerId, address indexed actor);
    event GrantRequested(uint256 indexed grantId, address indexed actor, uint256 offerId, uint16 uses, uint128 amount, uint64 answerBy);
    event GrantApproved(uint256 indexed grantId, address indexed actor, uint64 validUntil);
    event GrantDenied(uint256 indexed grantId, address indexed actor, uint128 refunded);
    event GrantLapsed(uint256 indexed grantId, address indexed actor, uint128 refunded);
    event GrantRevoked(uint256 indexed grantId, address indexed actor, uint128 refunded);
    event GrantExpired(uint256 indexed grantId, address indexed actor, uint128 refunded);
    event GrantUsed(uint256 indexed grantId, address indexed actor, uint16 usesLeft);
    event UsePaid(uint256 indexed grantId, address indexed actor, uint128 amount);
    event UseRefunded(uint256 indexed grantId, address indexed actor, uint128 amount);

    error AccessGrants_EmptyPurpose();
    error AccessGrants_PriceTooHigh(uint128 price, uint128 highest);
    error AccessGrants_PeriodOutOfRange(uint64 period, uint64 longest);
    error AccessGrants_NoUses();
    error AccessGrants_OfferNotOpen(uint256 offerId, OfferState state);
    error AccessGrants_NotTheHolder(uint256 id, address actor, address holder);
    error AccessGrants_OwnOffer(uint256 offerId, address holder);
    error AccessGrants_TooManyUses(uint256 offerId, uint16 uses, uint16 maxUses);
    error AccessGrants_WrongState(uint256 grantId, State state, State required);
    error AccessGrants_TooLate(uint256 grantId, uint64 until, uint64 chainTime);
    error AccessGrants_TooEarly(uint256 grantId, uint64 until, uint64 chainTime);
    error AccessGrants_NotTheGrantee(uint256 grantId, address actor, address grantee);
    error AccessGrants_NoUseLeft(uint256 grantId);
    error AccessGrants_TooManyOpenUses(uint256 grantId, uint8 limit);
    error AccessGrants_NoOpenUse(uint256 grantId);
    error AccessGrants_Revoked(uint256 grantId);

    /// @notice Offer the use of one's own dataset for one purpose. An offer's terms never change.
    /// @dev Emits {OfferMade}.
    /// @param price minor units per use, at most 2^96 − 1
    /// @param period seconds, 1 to `LONGEST_PERIOD`
    /// @return offerId sequential, from 1
    function offer(
        uint256 datasetId,
        bytes24 purpose,
        Currency currency,
        uint128 price,
        uint64 period,
        uint16 maxUses
    ) external returns (uint256 offerId);

    /// @notice Take an offer back. Requests and grants under it go on.
    /// @dev Emits {OfferWithdrawn}.
    function withdrawOffer(uint256 offerId) external;

    /// @notice Ask for uses under an offer; price × uses goes into the Escrow, which the requester has approved for it.
    /// @dev Emits {GrantRequested}. Requester and holder must be active.
    /// @return grantId sequential, from 1
    function request(uint256 offerId, uint16 uses) external returns (uint256 grantId);

    /// @notice Grant what was asked for. Called by the offer's holder within `ANSWER_PERIOD`.
    /// @dev Emits {GrantApproved}. Holder and requester must be active.
    function approve(uint256 grantId) external;

    /// @notice Refuse what was asked for; the money becomes claimable by the requester. Called by the offer's holder.
    /// @dev Emits {GrantDenied}.
    function deny(uint256 grantId) external;

    /// @notice Refund a request that nobody answered in time. Anyone may.
    /// @dev Emits {GrantLapsed}.
    function lapse(uint256 grantId) external;

    /// @notice End a grant at once; the money of the uses not taken becomes claimable by the grantee. Called by the holder.
    /// A use that is open can no longer be paid for, only refunded.
    /// @dev Emits {GrantRevoked}.
    function revoke(uint256 grantId) external;

    /// @notice Refund the uses not taken of a grant whose time is over. Anyone may. Open uses are still settled.
    /// @dev Emits {GrantExpired}.
    function expire(uint256 grantId) external;

    /// @notice Take one use. Called by a desk that meters.
    /// @dev Emits {GrantUsed}. The desk has checked that `actor` is active.
    /// @param actor who uses it; must be the grantee
    function use(uint256 grantId, address actor) external;

    /// @notice Settle one open use: its price becomes claimable by the holder. Called by the desk that took it.
    /// @dev Emits {UsePaid}. Refused once the grant was revoked.
    function payUse(uint256 grantId, address actor) external;

    /// @notice Settle one open use: its price becomes claimable by the grantee. The use stays spent, so that attempts are bounded.
    /// @dev Emits {UseRefunded}.
    function refundUse(uint256 grantId, address actor) external;

    /// @notice The terms; zeros when there is no such offer.
    function offerOf(uint256 offerId) external view returns (Offer memory);

    /// @notice The record as stored; zeros when there is none.
    function grantOf(uint256 grantId) external view returns (Grant memory);

    /// @notice What a desk asks before it works under a grant; zeros when there is none.
    /// @return holder    whose dataset it is
    /// @return datasetId which one
    /// @return state     as stored
    /// @return until     see {Grant}
    function standingOf(uint256 grantId) external view returns (address holder, uint256 datasetId, State state, uint64 until);

    /// @notice Whether a use could be taken now.
    function isUsable(uint256 grantId) external view returns (bool);

    /// @notice How many offers there are, which is also the last id.
    function offerCount() external view returns (uint256);

    /// @notice How many grants there are, which is also the last id.
    function grantCount() external view returns (uint256);
}
