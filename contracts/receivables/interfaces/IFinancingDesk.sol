// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Currency} from "../../core/interfaces/ICurrencies.sol";

/// @title Receivables sold to banks by signed quote
/// @notice A bank quotes off chain, to one seller, by an EIP-712 signature (ERC-1271 accounts too); the seller fills the quote: units to the bank
/// against settlement tokens to the seller, both or neither. The bank has approved the desk on the currency's token.
///
/// Lifecycle of a bank's nonce:
/// - `Open` → `Used`: a fill of all units that the quote offers
/// - `Open` → `InParts` → `Used`: fills of parts, where the quote is `divisible`; the last part ends it
/// - `Open` | `InParts` → `Cancelled`: {cancel} by the bank
/// `Used` and `Cancelled` are final, so no quote is filled beyond its size, in whatever parts. Nonces need no order; of several quotes with one
/// nonce, the first that is filled, wholly or in part, is the only one. The signature binds chain and contract.
///
/// A part pays floor(proceeds × units filled so far ÷ units offered) less what the parts before it paid: all parts together pay `proceeds`.
///
/// *Recourse*: who fills a quote with `recourse` answers for the debtor. Once the receivable is defaulted the bank may put the units back; they move
/// to the seller without a receiver's hook, and the seller owes the bank what had not been paid on them. Lifecycle of a bank's recourse by nonce:
/// - `None` → `Held`: {fill}; `Held` → `Owed`: {putBack} by the bank, once, for what it still holds of the units bought; `Owed` → `Repaid`:
///   {repay} by the seller, in parts if it must
///
/// Invariant Q1: Σ units filled of a nonce ≤ units of its quote, Σ proceeds paid ≤ proceeds. Invariant Q2: units are put back once at most.
interface IFinancingDesk {
    enum NonceState {
        Open,
        Used,
        Cancelled,
        InParts
    }

    enum RecourseState {
        None,
        Held,
        Owed,
        Repaid
    }

    /// @param receivableId of the ledger
    /// @param units        face value bought, minor units of the receivable's currency
    /// @param proceeds     what the bank pays for it, minor units of the same currency
    /// @param seller       who alone may fill
    /// @param bank         who quotes, signs, pays and receives the units
    /// @param recourse     whether the bank may come back on the seller when the debtor defaults
    /// @param divisible    whether it may be filled in parts
    /// @param validUntil   Unix seconds, the last second included
    /// @param nonce        chosen by the bank
    struct Quote {
        uint256 receivableId;
        uint128 units;
        uint128 proceeds;
        address seller;
        address bank;
        bool recourse;
        bool divisible;
        uint64 validUntil;
        uint256 nonce;
    }

    /// @param seller       who answers for the debtor
    /// @param currency     of the receivable; zero until the units are put back
    /// @param state        see the lifecycle
    /// @param amount       `Held`: units bought with the nonce; `Owed` and `Repaid`: minor units that the seller owes or owed
    /// @param repaid       minor units paid by the seller so far
    /// @param receivableId of the ledger
    struct Recourse {
        address seller;
        Currency currency;
        RecourseState state;
        uint128 amount;
        uint128 repaid;
        uint256 receivableId;
    }

    event QuoteFilled(
        uint256 indexed receivableId,
        address indexed actor,
        address indexed bank,
        uint256 nonce,
        bytes32 digest,
        uint128 units,
        uint128 proceeds,
        bool recourse,
        bool complete
    );
    event QuoteCancelled(uint256 indexed nonce, address indexed actor);
    event UnitsPutBack(
        uint256 indexed receivableId,
        address indexed actor,
        address indexed seller,
        uint256 nonce,
        uint128 units,
        uint128 owed
    );
    event RecourseRepaid(
        uint256 indexed receivableId,
        address indexed actor,
        address indexed bank,
        uint256 nonce,
        uint128 amount,
        uint128 repaid
    );

    error FinancingDesk_WrongSeller(address seller, address actor);
    error FinancingDesk_Expired(uint64 validUntil, uint64 chainTime);
    error FinancingDesk_ZeroUnits(uint256 receivableId);
    error FinancingDesk_ZeroProceeds(uint256 receivableId);
    error FinancingDesk_OwnQuote(address bank);
    error FinancingDesk_Indivisible(uint128 units, uint128 requested);
    error FinancingDesk_Overfilled(address bank, uint256 nonce, uint128 remaining, uint128 requested);
    error FinancingDesk_NonceUsed(address bank, uint256 nonce);
    error FinancingDesk_NonceCancelled(address bank, uint256 nonce);
    error FinancingDesk_NonceOfAnotherQuote(address bank, uint256 nonce);
    error FinancingDesk_NotAFinancier(address bank);
    error FinancingDesk_WrongSigner(address bank, bytes32 digest);
    error FinancingDesk_WrongRecourseState(address bank, uint256 nonce, RecourseState state);
    error FinancingDesk_NothingOwed(address bank, uint256 nonce);
    error FinancingDesk_ZeroAmount(address bank, uint256 nonce);
    error FinancingDesk_Overpaid(address bank, uint256 nonce, uint128 outstanding, uint128 amount);

    /// @notice Sell units as quoted. Called by the seller, directly or through the forwarder.
    /// @dev Emits {QuoteFilled}. Further requirements are the ledger's: seller and bank are active, the receivable is open, the seller holds the
    /// units; and the token's: the bank has the money, not frozen, and has approved the desk.
    /// @param units     all that the quote offers, or a part if it is divisible
    /// @param signature the bank's: 65 bytes for a plain key, what its contract wants for an ERC-1271 account
    function fill(Quote calldata quote, uint128 units, bytes calldata signature) external;

    /// @notice Make sure that a nonce of one's own is never used, or not further. Open to anyone for its own nonces: a bank that lost its role
    /// still may, and must.
    /// @dev Emits {QuoteCancelled}.
    function cancel(uint256 nonce) external;

    /// @notice Put the units bought with a nonce back to their seller, after the debtor's default: all of them, or as many as the bank still holds.
    /// Called by the bank, suspended or not. Units have no nonce: of two nonces on one receivable, the first takes of all that the bank holds.
    /// Warning: units that come back to the bank later, from another bank by its own recourse, cannot be put back any more.
    /// @dev Emits {UnitsPutBack}. Further requirements are those of {IReceivableLedger-giveBack}, which refuses when no unit is left.
    function putBack(uint256 nonce) external;

    /// @notice Pay what one owes from a recourse, wholly or in part. Called by the seller, suspended or not, or by its court-appointed receiver;
    /// the caller's money, for which it has approved the desk.
    /// @dev Emits {RecourseRepaid}.
    /// @param amount minor units, at most what is outstanding
    function repay(address bank, uint256 nonce, uint128 amount) external;

    /// @notice What became of a bank's nonce.
    function nonceState(address bank, uint256 nonce) external view returns (NonceState);

    /// @notice Units that were filled of a divisible quote, while it is filled in parts.
    function filledOf(bytes32 digest) external view returns (uint128 units);

    /// @notice What a seller answers for, or owes, by the bank's nonce.
    function recourseOf(address bank, uint256 nonce) external view returns (Recourse memory);

    /// @notice What the bank signs: the EIP-712 digest of a quote.
    function digestOf(Quote calldata quote) external view returns (bytes32);
}
