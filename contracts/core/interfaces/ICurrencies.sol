// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice ISO 4217 alphabetic code, three ASCII capitals.
type Currency is bytes3;

/// @title Which settlement token stands for which currency
/// @notice One token per currency, listed once and for ever: a receivable in CNY must not change its money.
interface ICurrencies {
    event CurrencyListed(Currency indexed currency, address indexed actor, address token);

    error Currencies_NotACode(Currency currency);
    error Currencies_AlreadyListed(Currency currency, address token);
    error Currencies_WrongToken(Currency currency, address token);
    error Currencies_NotListed(Currency currency);
    error Currencies_TokenNotListed(address token);
    error Currencies_ManagerCannotAct(address manager);

    /// @notice List a currency's settlement token. The token must answer the same code from `currency()`.
    function list(Currency currency, address token) external;

    /// @notice The currency's token; reverts when there is none.
    function tokenOf(Currency currency) external view returns (IERC20);

    /// @notice Whether a currency has a token.
    function isListed(Currency currency) external view returns (bool);

    /// @notice Reverts unless the token is a listed settlement token.
    function requireListed(IERC20 token) external view;
}
