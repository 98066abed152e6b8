// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title An organisation's account that signs by ERC-1271 with one operator's key, which it may replace
contract SigningAccountMock is IERC1271 {
    address public operator;

    constructor(address operator_) {
        operator = operator_;
    }

    function replaceOperator(address operator_) external {
        operator = operator_;
    }

    function approve(IERC20 token, address spender, uint256 amount) external {
        token.approve(spender, amount);
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return ECDSA.recover(hash, signature) == operator ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}
