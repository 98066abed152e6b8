// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Currency, ICurrencies} from "./interfaces/ICurrencies.sol";
import {ISettlementToken} from "./interfaces/ISettlementToken.sol";

/// @title Implementation of {ICurrencies}, where errors, events and rules are described
contract Currencies is ICurrencies, AccessManaged {
    mapping(Currency => IERC20) private _tokens;
    mapping(IERC20 => bool) private _listed;

    constructor(address authority_) AccessManaged(authority_) {}

    /// @inheritdoc ICurrencies
    function list(Currency currency, address token) external restricted {
        address actor = _msgSender();
        if (actor == authority()) revert Currencies_ManagerCannotAct(actor);
        _requireCode(currency);
        address listed = address(_tokens[currency]);
        if (listed != address(0)) revert Currencies_AlreadyListed(currency, listed);
        if (!_answers(token, currency)) revert Currencies_WrongToken(currency, token);

        _tokens[currency] = IERC20(token);
        _listed[IERC20(token)] = true;

        emit CurrencyListed(currency, actor, token);
    }

    /// @inheritdoc ICurrencies
    function tokenOf(Currency currency) external view returns (IERC20 token) {
        token = _tokens[currency];
        if (address(token) == address(0)) revert Currencies_NotListed(currency);
    }

    /// @inheritdoc ICurrencies
    function isListed(Currency currency) external view returns (bool) {
        return address(_tokens[currency]) != address(0);
    }

    /// @inheritdoc ICurrencies
    function requireListed(IERC20 token) external view {
        if (!_listed[token]) revert Currencies_TokenNotListed(address(token));
    }

    /// @dev By hand, so that an account without code and a contract without `currency()` are refused with the same error as a wrong answer.
    function _answers(address token, Currency currency) private view returns (bool) {
        (bool success, bytes memory answer) = token.staticcall(abi.encodeCall(ISettlementToken.currency, ()));
        return success && answer.length == 32 && bytes32(answer) == bytes32(Currency.unwrap(currency));
    }

    function _requireCode(Currency currency) private pure {
        bytes3 code = Currency.unwrap(currency);
        for (uint256 i; i < 3; ++i) {
            if (code[i] < "A" || code[i] > "Z") revert Currencies_NotACode(currency);
        }
    }
}
