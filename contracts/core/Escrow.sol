// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {ICurrencies} from "./interfaces/ICurrencies.sol";
import {IEscrow} from "./interfaces/IEscrow.sol";

/// @title Implementation of {IEscrow}, where errors, events and rules are described
contract Escrow is IEscrow, AccessManaged, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    ICurrencies public immutable currencies;

    mapping(address desk => mapping(uint256 caseId => mapping(IERC20 => uint256))) private _held;
    mapping(address payee => mapping(IERC20 => uint256)) private _claimable;

    constructor(address authority_, ICurrencies currencies_) AccessManaged(authority_) {
        currencies = currencies_;
    }

    /// @inheritdoc IEscrow
    function hold(uint256 caseId, IERC20 token, address payer, uint256 amount) external restricted nonReentrant {
        address desk = _actor();
        if (amount == 0) revert Escrow_ZeroAmount();
        currencies.requireListed(token);

        _held[desk][caseId][token] += amount;

        emit Held(desk, caseId, payer, token, amount);

        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(payer, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert Escrow_ShortTransfer(token, amount, received);
    }

    /// @inheritdoc IEscrow
    function release(uint256 caseId, IERC20 token, address payee, uint256 amount) external nonReentrant {
        address desk = _msgSender();
        _requirePayable(payee);
        _take(desk, caseId, token, amount);

        _claimable[payee][token] += amount;

        emit Released(desk, caseId, payee, token, amount);
    }

    /// @inheritdoc IEscrow
    function payOut(uint256 caseId, IERC20 token, address payee, uint256 amount) external nonReentrant {
        address desk = _msgSender();
        _requirePayable(payee);
        _take(desk, caseId, token, amount);

        emit PaidOut(desk, caseId, payee, token, amount);

        token.safeTransfer(payee, amount);
    }

    /// @inheritdoc IEscrow
    function claim(address payee, IERC20 token) external nonReentrant returns (uint256 amount) {
        address actor = _actor();
        amount = _claimable[payee][token];
        if (amount == 0) revert Escrow_NothingToClaim(payee, token);

        delete _claimable[payee][token];

        emit Claimed(payee, actor, token, amount);

        token.safeTransfer(payee, amount);
    }

    /// @inheritdoc IEscrow
    function held(address desk, uint256 caseId, IERC20 token) external view returns (uint256) {
        return _held[desk][caseId][token];
    }

    /// @inheritdoc IEscrow
    function claimable(address payee, IERC20 token) external view returns (uint256) {
        return _claimable[payee][token];
    }

    /// @dev A call through `AccessManager.execute` would make the manager a desk or the recorded actor.
    function _actor() private view returns (address actor) {
        actor = _msgSender();
        if (actor == authority()) revert Escrow_ManagerCannotAct(actor);
    }

    function _requirePayable(address payee) private view {
        if (payee == address(0) || payee == address(this)) revert Escrow_InvalidPayee(payee);
    }

    function _take(address desk, uint256 caseId, IERC20 token, uint256 amount) private {
        if (amount == 0) revert Escrow_ZeroAmount();
        uint256 available = _held[desk][caseId][token];
        if (available < amount) revert Escrow_InsufficientHeld(desk, caseId, available, amount);

        _held[desk][caseId][token] = available - amount;
    }
}
