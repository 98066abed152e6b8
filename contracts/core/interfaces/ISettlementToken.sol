// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Currency} from "./ICurrencies.sol";

/// @title Tokenised bank deposits of one currency
/// @notice ERC-20 with ERC-3009 transfers that accept ERC-1271 signers. Several settlement banks issue; each has a cap and a net position
/// (issued − redeemed), which is negative when it redeemed what others issued and is cleared between the banks by report.
/// Invariant S1: totalSupply = Σ positions. Invariant S2: a freeze never makes an incoming transfer fail.
interface ISettlementToken is IERC20 {
    event CapSet(address indexed bank, address indexed actor, uint128 cap);
    event Issued(address indexed bank, address indexed to, uint256 amount, bytes32 booking);
    event Redeemed(address indexed bank, address indexed from, uint256 amount, bytes32 booking);
    event FreezeSet(address indexed account, address indexed actor, uint256 amount, bytes32 basis);
    event Deducted(address indexed account, address indexed actor, address to, uint256 amount, bytes32 basis);

    error SettlementToken_CapExceeded(address bank, int256 position, uint256 amount, uint256 cap);
    error SettlementToken_NotAHolder(address account);
    error SettlementToken_Frozen(address account, uint256 balance, uint256 frozen, uint256 amount);
    error SettlementToken_ZeroAmount();
    error SettlementToken_ManagerCannotAct(address manager);
    /// @notice What lies in escrow is other people's; a court freezes and deducts it where it arrives.
    error SettlementToken_EscrowExempt(address escrow);

    /// @notice How far a bank's position may go.
    /// @param cap minor units; zero stops the bank's issuing, while what it issued can still be redeemed there
    function setCap(address bank, uint128 cap) external;

    /// @notice Issue deposits. Called by a settlement bank.
    /// @param amount minor units
    /// @param booking the bank's own booking reference
    function issue(address to, uint256 amount, bytes32 booking) external;

    /// @notice Give tokens back for an account balance at a settlement bank. Called by the holder.
    function redeem(address bank, uint256 amount, bytes32 booking) external;

    /// @notice Freeze an amount of what an account holds now or later; stops outgoing transfers only. Zero lifts it. Not on the Escrow.
    /// @param amount minor units that must stay
    /// @param basis commitment to the court's decision
    function setFreeze(address account, uint256 amount, bytes32 basis) external;

    /// @notice A court takes an amount, frozen or not (扣划). The freeze shrinks by as much. Not from the Escrow.
    function deduct(address account, address to, uint256 amount, bytes32 basis) external;

    /// @notice ISO 4217 code.
    function currency() external view returns (Currency);

    /// @notice Minor units that must stay on an account.
    function frozenOf(address account) external view returns (uint256);

    /// @notice A bank's net issued position in minor units and its cap.
    function positionOf(address bank) external view returns (int128 position, uint128 cap);
}
