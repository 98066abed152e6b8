// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

import {Currency} from "../core/interfaces/ICurrencies.sol";

/// @title A listed token that breaks its word: keeps a fee, brings too much, answers false, reverts, or calls somebody while it moves
contract HostileTokenMock is ERC20 {
    enum Mode {
        Honest,
        KeepsFee,
        BringsMore,
        AnswersFalse,
        Reverts,
        Reenters
    }

    Currency public immutable currency;
    Mode public mode;
    address public target;
    bytes public data;
    /// @notice What came of the last call while moving.
    bool public reentered;
    bytes public answer;

    error HostileTokenMock_Refused();

    constructor(Currency currency_) ERC20("Hostile", "HOST") {
        currency = currency_;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function set(Mode mode_, address target_, bytes calldata data_) external {
        (mode, target, data) = (mode_, target_, data_);
    }

    /// @notice Call anything in this token's name.
    function run(address target_, bytes calldata data_) external {
        Address.functionCall(target_, data_);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return super.transfer(to, amount) && mode != Mode.AnswersFalse;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return super.transferFrom(from, to, amount) && mode != Mode.AnswersFalse;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (mode == Mode.Reverts) revert HostileTokenMock_Refused();
        super._update(from, to, amount);
        if (mode == Mode.KeepsFee) super._update(to, address(0), 1);
        if (mode == Mode.BringsMore) super._update(address(0), to, 1);
        if (mode == Mode.Reenters) (reentered, answer) = target.call(data);
    }
}
