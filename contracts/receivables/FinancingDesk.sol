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
        "Quote(uint256 receivableId,uint128 units,uint128 proceeds,address seller,address bank,bool recourse,bool divisible,uint64 validUntil,uint256 nonce)"
    );
    /// @notice The authority's number of the role a bank needs; numbers are the first 8 bytes of the label's hash (scripts/deployment/plan.py).
    uint64 public constant FINANCIER_ROLE = uint64(bytes8(keccak256("RECEIVABLE_FINANCIER")));

    ICurrencies public immutable currencies;
    IReceivableLedger public immutable ledger;

    /// @dev Two bits per nonce, a {NonceState}; 128 nonces share a slot, so a bank that counts up pays for a new slot once in 128 quotes.
    mapping(address bank => mapping(uint256 word => uint256)) private _nonces;
    /// @dev By the quote's digest, so that a nonce in parts belongs to one quote.
    mapping(bytes32 digest => uint128 units) private _filled;
    mapping(address bank => mapping(uint256 nonce => Recourse)) private _recourses;

    constructor(Core memory core, IReceivableLedger ledger_) Desk(core) EIP712("chaincity FinancingDesk", "1") {
        currencies = core.currencies;
        ledger = ledger_;
    }

    /// @inheritdoc IFinancingDesk
    function fill(Quote calldata quote, uint128 units, bytes calldata signature) external {
        address actor = _actor();
        bytes32 digest = _requireFillable(quote, actor, units, signature);

        (uint128 proceeds, bool complete) = _fill(quote, units, digest);
        if (proceeds == 0) revert FinancingDesk_ZeroProceeds(quote.receivableId);
        if (quote.recourse) _addRecourse(quote, units);

        emit QuoteFilled(quote.receivableId, actor, quote.bank, quote.nonce, digest, units, proceeds, quote.recourse, complete);

        Currency currency = ledger.move(quote.receivableId, actor, quote.bank, units, actor);
        currencies.tokenOf(currency).safeTransferFrom(quote.bank, actor, proceeds);
    }

    /// @inheritdoc IFinancingDesk
    function cancel(uint256 nonce) external {
        address actor = _actor();

        mapping(uint256 word => uint256) storage words = _nonces[actor];
        uint256 word = words[nonce >> 7];
        _requireNotEnded(word, actor, nonce);
        words[nonce >> 7] = _with(word, nonce, NonceState.Cancelled);

        emit QuoteCancelled(nonce, actor);
    }

    /// @inheritdoc IFinancingDesk
    function putBack(uint256 nonce) external {
        address bank = _actor();
        Recourse storage recourse = _recourses[bank][nonce];
        if (recourse.state != RecourseState.Held) revert FinancingDesk_WrongRecourseState(bank, nonce, recourse.state);
        address seller = recourse.seller;
        uint256 id = recourse.receivableId;
        uint256 held = ledger.balanceOf(bank, id);
        uint128 units = held < recourse.amount ? uint128(held) : recourse.amount;

        // Before the ledger is asked, so that nothing comes back here in between; it answers what is owed.
        recourse.state = RecourseState.Owed;
        (Currency currency, uint128 owed) = ledger.giveBack(id, bank, seller, units, bank);
        if (owed == 0) revert FinancingDesk_NothingOwed(bank, nonce);
        recourse.currency = currency;
        recourse.amount = owed;

        emit UnitsPutBack(id, bank, seller, nonce, units, owed);
    }

    /// @inheritdoc IFinancingDesk
    function repay(address bank, uint256 nonce, uint128 amount) external {
        address actor = _actor();
        Recourse storage recourse = _recourses[bank][nonce];
        if (recourse.state != RecourseState.Owed) revert FinancingDesk_WrongRecourseState(bank, nonce, recourse.state);
        address seller = recourse.seller;
        if (actor != seller && actor != members.receiverOf(seller)) revert FinancingDesk_WrongSeller(seller, actor);
        if (amount == 0) revert FinancingDesk_ZeroAmount(bank, nonce);
        uint128 repaid = recourse.repaid;
        uint128 outstanding = recourse.amount - repaid;
        if (amount > outstanding) revert FinancingDesk_Overpaid(bank, nonce, outstanding, amount);

        repaid += amount;
        recourse.repaid = repaid;
        if (amount == outstanding) recourse.state = RecourseState.Repaid;

        emit RecourseRepaid(recourse.receivableId, actor, bank, nonce, amount, repaid);

        currencies.tokenOf(recourse.currency).safeTransferFrom(actor, bank, amount);
    }

    /// @inheritdoc IFinancingDesk
    function nonceState(address bank, uint256 nonce) external view returns (NonceState) {
        return _stateIn(_nonces[bank][nonce >> 7], nonce);
    }

    /// @inheritdoc IFinancingDesk
    function filledOf(bytes32 digest) external view returns (uint128) {
        return _filled[digest];
    }

    /// @inheritdoc IFinancingDesk
    function recourseOf(address bank, uint256 nonce) external view returns (Recourse memory) {
        return _recourses[bank][nonce];
    }

    /// @inheritdoc IFinancingDesk
    function digestOf(Quote calldata quote) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(QUOTE_TYPEHASH, quote)));
    }

    function _requireFillable(
        Quote calldata quote,
        address actor,
        uint128 units,
        bytes calldata signature
    ) private view returns (bytes32 digest) {
        address bank = quote.bank;
        if (actor != quote.seller) revert FinancingDesk_WrongSeller(quote.seller, actor);
        if (actor == bank) revert FinancingDesk_OwnQuote(bank);
        if (block.timestamp > quote.validUntil) revert FinancingDesk_Expired(quote.validUntil, uint64(block.timestamp));
        if (units == 0) revert FinancingDesk_ZeroUnits(quote.receivableId);
        _requireFinancier(bank);
        digest = digestOf(quote);
        if (!SignatureChecker.isValidSignatureNowCalldata(bank, digest, signature)) revert FinancingDesk_WrongSigner(bank, digest);
    }

    function _requireFinancier(address bank) private view {
        (bool isMember, ) = IAccessManager(authority()).hasRole(FINANCIER_ROLE, bank);
        if (!isMember) revert FinancingDesk_NotAFinancier(bank);
    }

    /// @dev Counts a fill of the quote; what it pays, and whether nothing is left of the quote.
    function _fill(Quote calldata quote, uint128 units, bytes32 digest) private returns (uint128 proceeds, bool complete) {
        address bank = quote.bank;
        uint256 nonce = quote.nonce;
        uint128 offered = quote.units;
        mapping(uint256 word => uint256) storage words = _nonces[bank];
        uint256 word = words[nonce >> 7];
        bool inParts = _requireNotEnded(word, bank, nonce) == NonceState.InParts;
        uint128 before = inParts ? _filled[digest] : 0;
        if (inParts && before == 0) revert FinancingDesk_NonceOfAnotherQuote(bank, nonce);
        if (units > offered - before) revert FinancingDesk_Overfilled(bank, nonce, offered - before, units);
        complete = units == offered - before;
        if (!complete && !quote.divisible) revert FinancingDesk_Indivisible(offered, units);

        if (complete && !inParts) {
            words[nonce >> 7] = _with(word, nonce, NonceState.Used);
            return (quote.proceeds, true);
        }
        // Two uint128 multiply within 256 bits, and what was filled is at most what was offered, so the quotients are at most `proceeds`.
        uint256 total = (uint256(quote.proceeds) * (before + units)) / offered;
        proceeds = uint128(total - (uint256(quote.proceeds) * before) / offered);
        if (complete) words[nonce >> 7] = _with(word, nonce, NonceState.Used);
        else if (!inParts) words[nonce >> 7] = _with(word, nonce, NonceState.InParts);
        _filled[digest] = before + units;
    }

    /// @dev All parts of a nonce are of one quote, so of one seller and receivable.
    function _addRecourse(Quote calldata quote, uint128 units) private {
        Recourse storage recourse = _recourses[quote.bank][quote.nonce];
        if (recourse.state == RecourseState.None) {
            recourse.seller = quote.seller;
            recourse.state = RecourseState.Held;
            recourse.receivableId = quote.receivableId;
        }
        recourse.amount += units;
    }

    /// @dev Reverts when the nonce has come to its end, and says how.
    function _requireNotEnded(uint256 word, address bank, uint256 nonce) private pure returns (NonceState state) {
        state = _stateIn(word, nonce);
        if (state == NonceState.Used) revert FinancingDesk_NonceUsed(bank, nonce);
        if (state == NonceState.Cancelled) revert FinancingDesk_NonceCancelled(bank, nonce);
    }

    function _with(uint256 word, uint256 nonce, NonceState state) private pure returns (uint256) {
        uint256 shift = (nonce & 127) * 2;
        return (word & ~(uint256(3) << shift)) | (uint256(state) << shift);
    }

    function _stateIn(uint256 word, uint256 nonce) private pure returns (NonceState) {
        return NonceState((word >> ((nonce & 127) * 2)) & 3);
    }
}
