// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {SafeERC20, IERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {Desk} from "../core/Application.sol";
import {Currency, ICurrencies} from "../core/interfaces/ICurrencies.sol";
import {Core} from "../core/types/Core.sol";
import {IFinancingDesk} from "./interfaces/IFinancingDesk.sol";
import {IReceivableLedger} from "./interfaces/IReceivableLedger.sol";

/// @title Implementation of {IFinancingDesk}, where errors, events and rules are described
contract FinancingDesk is IFinancingDesk, Desk, EIP712 {
    using SafeERC20 for IERC20;

    bytes32 public constant QUOTE_TYPEHASH = keccak256(
        "Quote(uint256 receivableId,uint128 units,uint128 proceeds,address seller,address bank,bool recourse,uint64 validUntil,uint256 nonce)"
    );
    /// @notice The authority's number of the role a bank needs; numbers are the first 8 bytes of the label's hash (scripts/deployment/plan.py).
    uint64 public constant FINANCIER_ROLE = uint64(bytes8(keccak256("RECEIVABLE_FINANCIER")));

    ICurrencies public immutable currencies;
    IReceivableLedger public immutable ledger;

    /// @dev Two bits per nonce, a {NonceState}; 128 nonces share a slot, so a bank that counts up pays for a new slot once in 128 quotes.
    mapping(address bank => mapping(uint256 word => uint256)) private _nonces;

    constructor(Core memory core, IReceivableLedger ledger_) Desk(core) EIP712("chaincity FinancingDesk", "1") {
        currencies = core.currencies;
        ledger = ledger_;
    }

    /// @inheritdoc IFinancingDesk
    function fill(Quote calldata quote, bytes calldata signature) external {
        address actor = _actor();
        address bank = quote.bank;
        if (actor != quote.seller) revert FinancingDesk_WrongSeller(quote.seller, actor);
        if (actor == bank) revert FinancingDesk_OwnQuote(bank);
        if (block.timestamp > quote.validUntil) revert FinancingDesk_Expired(quote.validUntil, uint64(block.timestamp));
        if (quote.units == 0) revert FinancingDesk_ZeroUnits(quote.receivableId);
        if (quote.proceeds == 0) revert FinancingDesk_ZeroProceeds(quote.receivableId);
        _requireFinancier(bank);
        bytes32 digest = digestOf(quote);
        if (!SignatureChecker.isValidSignatureNowCalldata(bank, digest, signature)) revert FinancingDesk_WrongSigner(bank, digest);

        _end(bank, quote.nonce, NonceState.Used);

        emit QuoteFilled(quote.receivableId, actor, bank, quote.nonce, quote.units, quote.proceeds, quote.recourse);

        Currency currency = ledger.move(quote.receivableId, actor, bank, quote.units, actor);
        currencies.tokenOf(currency).safeTransferFrom(bank, actor, quote.proceeds);
    }

    /// @inheritdoc IFinancingDesk
    function cancel(uint256 nonce) external {
        address actor = _actor();

        _end(actor, nonce, NonceState.Cancelled);

        emit QuoteCancelled(nonce, actor);
    }

    /// @inheritdoc IFinancingDesk
    function nonceState(address bank, uint256 nonce) external view returns (NonceState) {
        return _stateIn(_nonces[bank][nonce >> 7], nonce);
    }

    /// @inheritdoc IFinancingDesk
    function digestOf(Quote calldata quote) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(QUOTE_TYPEHASH, quote)));
    }

    function _requireFinancier(address bank) private view {
        (bool isMember, ) = IAccessManager(authority()).hasRole(FINANCIER_ROLE, bank);
        if (!isMember) revert FinancingDesk_NotAFinancier(bank);
    }

    /// @dev Takes an open nonce to its end, or says how it ended.
    function _end(address bank, uint256 nonce, NonceState state) private {
        uint256 word = _nonces[bank][nonce >> 7];
        NonceState found = _stateIn(word, nonce);
        if (found == NonceState.Used) revert FinancingDesk_NonceUsed(bank, nonce);
        if (found == NonceState.Cancelled) revert FinancingDesk_NonceCancelled(bank, nonce);

        _nonces[bank][nonce >> 7] = word | (uint256(state) << ((nonce & 127) * 2));
    }

    function _stateIn(uint256 word, uint256 nonce) private pure returns (NonceState) {
        return NonceState((word >> ((nonce & 127) * 2)) & 3);
    }
}
