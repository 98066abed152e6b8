// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title All money in transit, held per case of a desk
/// @notice A desk holds and releases only for its own cases: the account is (desk, case). A payee claims what was released to it, so that a
/// payee whose account refuses tokens blocks nobody else. Invariant E1: for each token, the Escrow's balance ≥ Σ held + Σ claimable.
interface IEscrow {
    event Held(
        address indexed desk,
        uint256 indexed caseId,
        address indexed payer,
        IERC20 token,
        uint256 amount
    );
    event Released(
        address indexed desk,
        uint256 indexed caseId,
        address indexed payee,
        IERC20 token,
        uint256 amount
    );
    event PaidOut(address indexed desk, uint256 indexed caseId, address indexed payee, IERC20 token, uint256 amount);
    event Claimed(address indexed payee, address indexed actor, IERC20 token, uint256 amount);

    error Escrow_ZeroAmount();
    error Escrow_ShortTransfer(IERC20 token, uint256 expected, uint256 received);
    error Escrow_InsufficientHeld(address desk, uint256 caseId, uint256 held, uint256 requested);
    error Escrow_NothingToClaim(address payee, IERC20 token);
    /// @notice Nobody could ever claim it: the zero address, or the Escrow itself.
    error Escrow_InvalidPayee(address payee);
    error Escrow_ManagerCannotAct(address manager);

    /// @notice Take money from a payer into a case of the calling desk. The payer has approved the Escrow.
    /// @dev Emits {Held}. Only desks with the role ESCROW_DESK; the token must be a listed settlement token.
    function hold(uint256 caseId, IERC20 token, address payer, uint256 amount) external;

    /// @notice Make money of a case claimable by a payee. Open to any desk for its own cases, so a replaced desk can always finish.
    /// @dev Emits {Released}.
    function release(uint256 caseId, IERC20 token, address payee, uint256 amount) external;

    /// @notice Send money of a case to a payee at once. For payees who are calling themselves: a failing transfer reverts the call.
    /// @dev Emits {PaidOut}.
    function payOut(uint256 caseId, IERC20 token, address payee, uint256 amount) external;

    /// @notice Send a payee everything that was released to it. Anyone may call; the money goes to the payee only.
    /// @dev Emits {Claimed}.
    /// @return amount minor units sent
    function claim(address payee, IERC20 token) external returns (uint256 amount);

    /// @notice Minor units held for a case of a desk.
    function held(address desk, uint256 caseId, IERC20 token) external view returns (uint256);

    /// @notice Minor units that a payee may claim.
    function claimable(address payee, IERC20 token) external view returns (uint256);
}
