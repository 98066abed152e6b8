// SPDX-License-Identifier: CC0-1.0
pragma solidity 0.8.37;

/// @title ERC-5192: Minimal Soulbound NFTs
/// @dev Source: the Final ERC-5192 text; the interface id is 0xb45a3c0e.
interface IERC5192 {
    /// @notice Emitted when the locking status of a token is changed to locked, also when it is minted so.
    event Locked(uint256 tokenId);
    event Unlocked(uint256 tokenId);

    /// @notice Whether a token is locked; reverts for a token that does not exist.
    function locked(uint256 tokenId) external view returns (bool);
}
