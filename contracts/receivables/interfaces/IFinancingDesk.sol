// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Receivables sold to banks by signed quote
/// @notice A bank quotes off chain, to one seller, by an EIP-712 signature (ERC-1271 accounts too); the seller fills the quote: units to the bank
/// against settlement tokens to the seller, both or neither. The bank has approved the desk on the currency's token.
///
/// A nonce of a bank is `Open`, then `Used` by one fill or `Cancelled` by the bank; both are final, so no quote is filled twice. Nonces need no
/// order; a bank that gives two quotes the same nonce lets only one of them be filled. The signature binds chain and contract.
interface IFinancingDesk {
    enum NonceState {
        Open,
        Used,
        Cancelled
    }

    /// @param receivableId of the ledger
    /// @param units        face value sold, minor units of the receivable's currency
    /// @param proceeds     what the bank pays for it, minor units of the same currency
    /// @param seller       who alone may fill
    /// @param bank         who quotes, signs, pays and receives the units
    /// @param recourse     whether the bank may come back on the seller when the debtor defaults
    /// @param validUntil   Unix seconds, the last second included
    /// @param nonce        chosen by the bank
    struct Quote {
        uint256 receivableId;
        uint128 units;
        uint128 proceeds;
        address seller;
        address bank;
        bool recourse;
        uint64 validUntil;
        uint256 nonce;
    }

    event QuoteFilled(
        uint256 indexed receivableId,
        address indexed actor,
        address indexed bank,
        uint256 nonce,
        uint128 units,
        uint128 proceeds,
        bool recourse
    );
    event QuoteCancelled(uint256 indexed nonce, address indexed actor);

    error FinancingDesk_WrongSeller(address seller, address actor);
    error FinancingDesk_Expired(uint64 validUntil, uint64 chainTime);
    error FinancingDesk_ZeroUnits(uint256 receivableId);
    error FinancingDesk_ZeroProceeds(uint256 receivableId);
    error FinancingDesk_OwnQuote(address bank);
    error FinancingDesk_NonceUsed(address bank, uint256 nonce);
    error FinancingDesk_NonceCancelled(address bank, uint256 nonce);
    error FinancingDesk_NotAFinancier(address bank);
    error FinancingDesk_WrongSigner(address bank, bytes32 digest);

    /// @notice Sell units as quoted. Called by the seller, directly or through the forwarder.
    /// @dev Emits {QuoteFilled}. Further requirements are the ledger's: seller and bank are active, the receivable is open, the seller holds the
    /// units; and the token's: the bank has the money, not frozen, and has approved the desk.
    /// @param signature the bank's: 65 bytes for a plain key, what its contract wants for an ERC-1271 account
    function fill(Quote calldata quote, bytes calldata signature) external;

    /// @notice Make sure that a nonce of one's own is never used. Open to anyone for its own nonces: a bank that lost its role still may, and must.
    /// @dev Emits {QuoteCancelled}.
    function cancel(uint256 nonce) external;

    /// @notice What became of a bank's nonce.
    function nonceState(address bank, uint256 nonce) external view returns (NonceState);

    /// @notice What the bank signs: the EIP-712 digest of a quote.
    function digestOf(Quote calldata quote) external view returns (bytes32);
}
