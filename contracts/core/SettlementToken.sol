// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20TransferAuthorization} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20TransferAuthorization.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Currency} from "./interfaces/ICurrencies.sol";
import {IMembers} from "./interfaces/IMembers.sol";
import {ISettlementToken} from "./interfaces/ISettlementToken.sol";

/// @title Implementation of {ISettlementToken}, where errors, events and rules are described
contract SettlementToken is ISettlementToken, ERC20TransferAuthorization, AccessManaged {
    using SafeCast for int256;
    using SafeCast for uint256;

    /// @dev One slot per bank.
    struct Issuer {
        int128 position;
        uint128 cap;
    }

    IMembers public immutable members;
    /// @notice The Escrow may hold tokens although it is no member.
    address public immutable escrow;
    /// @inheritdoc ISettlementToken
    Currency public immutable currency;
    uint8 private immutable _decimals;

    mapping(address bank => Issuer) private _issuers;
    mapping(address account => uint256) private _frozen;

    constructor(
        address authority_,
        IMembers members_,
        address escrow_,
        Currency currency_,
        uint8 decimals_,
        string memory name_
    ) AccessManaged(authority_) ERC20(name_, string(abi.encodePacked(currency_))) EIP712(name_, "1") {
        members = members_;
        escrow = escrow_;
        currency = currency_;
        _decimals = decimals_;
    }

    /// @inheritdoc ISettlementToken
    function setCap(address bank, uint128 cap) external restricted {
        address actor = _officer();

        _issuers[bank].cap = cap;

        emit CapSet(bank, actor, cap);
    }

    /// @inheritdoc ISettlementToken
    function issue(address to, uint256 amount, bytes32 booking) external restricted {
        address bank = _actor();
        members.requireBothActive(bank, to);
        if (amount == 0) revert SettlementToken_ZeroAmount();
        Issuer storage issuer = _issuers[bank];
        int256 position = issuer.position;
        uint256 cap = issuer.cap;
        // A bank with a negative position may issue more than its cap at once, up to the cap; with none it issues nothing.
        if (cap == 0 || amount > type(uint128).max || position + int256(amount) > int256(cap))
            revert SettlementToken_CapExceeded(bank, position, amount, cap);

        issuer.position = (position + int256(amount)).toInt128();
        _mint(to, amount);

        emit Issued(bank, to, amount, booking);
    }

    /// @inheritdoc ISettlementToken
    function redeem(address bank, uint256 amount, bytes32 booking) external {
        address holder = _actor();
        members.requireActive(bank);
        if (amount == 0) revert SettlementToken_ZeroAmount();
        Issuer storage issuer = _issuers[bank];
        // Neither cap nor position: no settlement bank. One whose cap was taken away winds its position down.
        if (issuer.cap == 0 && issuer.position == 0)
            revert SettlementToken_CapExceeded(bank, issuer.position, amount, 0);

        issuer.position = (issuer.position - amount.toInt256()).toInt128();
        _burn(holder, amount);

        emit Redeemed(bank, holder, amount, booking);
    }

    /// @inheritdoc ISettlementToken
    function setFreeze(address account, uint256 amount, bytes32 basis) external restricted {
        address actor = _officer();
        _requireNotEscrow(account);

        _frozen[account] = amount;

        emit FreezeSet(account, actor, amount, basis);
    }

    /// @inheritdoc ISettlementToken
    function deduct(address account, address to, uint256 amount, bytes32 basis) external restricted {
        address actor = _officer();
        _requireNotEscrow(account);
        if (amount == 0) revert SettlementToken_ZeroAmount();
        uint256 frozen = _frozen[account];

        // Lifted before the transfer, which would otherwise refuse the frozen part.
        delete _frozen[account];
        _transfer(account, to, amount);
        _frozen[account] = frozen > amount ? frozen - amount : 0;

        emit Deducted(account, actor, to, amount, basis);
    }

    /// @inheritdoc ISettlementToken
    function frozenOf(address account) external view returns (uint256) {
        return _frozen[account];
    }

    /// @inheritdoc ISettlementToken
    function positionOf(address bank) external view returns (int128 position, uint128 cap) {
        Issuer storage issuer = _issuers[bank];
        return (issuer.position, issuer.cap);
    }

    /// @notice Decimal places of the currency's minor unit (ISO 4217): 2 for CNY, 0 for JPY.
    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (from != address(0)) {
            uint256 frozen = _frozen[from];
            if (frozen != 0) {
                uint256 balance = balanceOf(from);
                // A balance that is too small is ERC-20's own error.
                if (balance >= amount && balance - amount < frozen)
                    revert SettlementToken_Frozen(from, balance, frozen, amount);
            }
        }
        if (to != address(0) && to != escrow && !members.mayHold(to)) revert SettlementToken_NotAHolder(to);
        super._update(from, to, amount);
    }

    function _actor() private view returns (address actor) {
        actor = _msgSender();
        if (actor == authority()) revert SettlementToken_ManagerCannotAct(actor);
    }

    /// @dev A suspended office keeps its roles but may not use them here.
    function _officer() private view returns (address actor) {
        actor = _actor();
        members.requireNotBarred(actor);
    }

    function _requireNotEscrow(address account) private view {
        if (account == escrow) revert SettlementToken_EscrowExempt(account);
    }
}
