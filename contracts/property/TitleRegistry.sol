// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Application} from "../core/Application.sol";
import {Currency} from "../core/interfaces/ICurrencies.sol";
import {Core} from "../core/types/Core.sol";
import {IERC5192} from "./interfaces/IERC5192.sol";
import {ITitleRegistry} from "./interfaces/ITitleRegistry.sol";
import {UnitNumber} from "./types/UnitNumber.sol";

/// @title Implementation of {ITitleRegistry}, where errors, events and rules are described
contract TitleRegistry is ITitleRegistry, IERC721, IERC5192, IERC721Errors, Application {
    /// @notice Active liens per title.
    uint8 public constant MAX_LIENS = 8;

    /// @dev Two slots. The first holds all that a move is checked against, so that a move reads and writes one slot.
    struct Record {
        address owner; // slot 0: 20 bytes
        uint40 registeredAt; //   5, good until the year 36812
        uint16 version; //        2
        Status status; //         1
        uint8 liens; //           1  active
        uint8 forbidding; //      1  active and forbidding transfer
        uint16 lastLien; //       2  numbers given so far
        bytes32 certificateRoot; // slot 1
    }

    mapping(UnitNumber => Record) private _titles;
    mapping(UnitNumber => mapping(uint16 number => Lien)) private _liens;
    mapping(address owner => uint256) private _balances;

    constructor(Core memory core) Application(core) {}

    // --- titles

    /// @inheritdoc ITitleRegistry
    function registerTitle(UnitNumber unit, address owner, bytes32 certificateRoot) external restricted {
        address actor = _actor();
        if (!unit.isWellFormed()) revert TitleRegistry_MalformedUnitNumber(unit);
        if (certificateRoot == 0) revert TitleRegistry_EmptyCertificateRoot(unit);
        Record storage title = _titles[unit];
        if (title.status != Status.None) revert TitleRegistry_AlreadyRegistered(unit, title.status);
        members.requireBothActive(actor, owner);

        _titles[unit] = Record(owner, uint40(block.timestamp), 1, Status.Active, 0, 0, 0, certificateRoot);
        ++_balances[owner];

        uint256 tokenId = unit.toTokenId();
        emit TitleRegistered(unit, actor, owner, certificateRoot);
        emit Transfer(address(0), owner, tokenId);
        emit Locked(tokenId);
    }

    /// @inheritdoc ITitleRegistry
    function transferTitle(
        UnitNumber unit,
        address from,
        address to,
        bytes32 certificateRoot,
        address actor
    ) external restricted {
        Record storage title = _active(unit);
        if (title.owner != from) revert TitleRegistry_NotTheOwner(unit, title.owner, from);
        if (to == from) revert TitleRegistry_SameOwner(unit, to);
        if (title.forbidding != 0) revert TitleRegistry_TransferForbiddenByLien(unit, title.forbidding);
        members.requireActive(to);

        uint16 version = _supersedeCertificate(unit, title, certificateRoot);
        title.owner = to;
        --_balances[from];
        ++_balances[to];

        emit TitleTransferred(unit, actor, to, from, version, certificateRoot);
        emit Transfer(from, to, unit.toTokenId());
    }

    /// @inheritdoc ITitleRegistry
    function reissue(UnitNumber unit, bytes32 certificateRoot, bytes32 basis) external restricted {
        address actor = _activeActor();
        Record storage title = _active(unit);

        uint16 version = _supersedeCertificate(unit, title, certificateRoot);

        emit TitleReissued(unit, actor, version, certificateRoot, basis);
    }

    /// @inheritdoc ITitleRegistry
    function cancel(UnitNumber unit, bytes32 basis) external restricted {
        address actor = _activeActor();
        Record storage title = _active(unit);
        if (title.liens != 0) revert TitleRegistry_Encumbered(unit, title.liens);

        address owner = title.owner;
        title.status = Status.Cancelled;
        title.owner = address(0);
        --_balances[owner];

        emit TitleCancelled(unit, actor, basis);
        emit Transfer(owner, address(0), unit.toTokenId());
    }

    // --- liens

    /// @inheritdoc ITitleRegistry
    function placeLien(
        UnitNumber unit,
        address owner,
        address holder,
        uint128 amount,
        Currency currency,
        bool forbidsTransfer,
        address actor
    ) external restricted returns (uint16 number) {
        Record storage title = _active(unit);
        if (title.owner != owner) revert TitleRegistry_NotTheOwner(unit, title.owner, owner);
        if (title.liens == MAX_LIENS) revert TitleRegistry_TooManyLiens(unit, MAX_LIENS);
        if (amount == 0) revert TitleRegistry_ZeroAmount(unit);

        number = title.lastLien + 1;
        title.lastLien = number;
        ++title.liens;
        if (forbidsTransfer) ++title.forbidding;
        _liens[unit][number] = Lien(holder, LienStatus.Active, forbidsTransfer, currency, amount);

        emit LienPlaced(unit, actor, holder, number, amount, currency, forbidsTransfer);
    }

    /// @inheritdoc ITitleRegistry
    function releaseLien(UnitNumber unit, uint16 number, address actor) external restricted {
        Lien storage lien = _liens[unit][number];
        if (lien.status != LienStatus.Active) revert TitleRegistry_LienNotActive(unit, number, lien.status);

        Record storage title = _titles[unit];
        --title.liens;
        if (lien.forbidsTransfer) --title.forbidding;
        lien.status = LienStatus.Released;

        emit LienReleased(unit, actor, number);
    }

    // --- views

    /// @inheritdoc ITitleRegistry
    function titleOf(UnitNumber unit) external view returns (Title memory) {
        Record storage title = _titles[unit];
        return
            Title(title.owner, title.registeredAt, title.version, title.status, title.liens, title.certificateRoot);
    }

    /// @inheritdoc ITitleRegistry
    function lienOf(UnitNumber unit, uint16 number) external view returns (Lien memory) {
        return _liens[unit][number];
    }

    /// @inheritdoc IERC721
    function ownerOf(uint256 tokenId) external view returns (address owner) {
        owner = _recordOf(tokenId).owner;
        if (owner == address(0)) revert ERC721NonexistentToken(tokenId);
    }

    /// @inheritdoc IERC721
    function balanceOf(address owner) external view returns (uint256) {
        if (owner == address(0)) revert ERC721InvalidOwner(owner);
        return _balances[owner];
    }

    /// @inheritdoc IERC5192
    function locked(uint256 tokenId) external view returns (bool) {
        if (_recordOf(tokenId).owner == address(0)) revert ERC721NonexistentToken(tokenId);
        return true;
    }

    /// @notice ERC-721 metadata.
    function name() external pure returns (string memory) {
        return "Property titles";
    }

    /// @notice ERC-721 metadata.
    function symbol() external pure returns (string memory) {
        return "TITLE";
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return
            interfaceId == type(IERC721).interfaceId ||
            interfaceId == type(IERC5192).interfaceId ||
            interfaceId == type(IERC165).interfaceId;
    }

    // --- ERC-721 moves and approvals, all refused

    /// @inheritdoc IERC721
    function transferFrom(address, address, uint256 tokenId) external pure {
        revert TitleRegistry_Locked(tokenId);
    }

    /// @inheritdoc IERC721
    function safeTransferFrom(address, address, uint256 tokenId) external pure {
        revert TitleRegistry_Locked(tokenId);
    }

    /// @inheritdoc IERC721
    function safeTransferFrom(address, address, uint256 tokenId, bytes calldata) external pure {
        revert TitleRegistry_Locked(tokenId);
    }

    /// @inheritdoc IERC721
    function approve(address, uint256 tokenId) external pure {
        revert TitleRegistry_Locked(tokenId);
    }

    /// @inheritdoc IERC721
    function setApprovalForAll(address, bool) external pure {
        revert TitleRegistry_Locked(0);
    }

    /// @inheritdoc IERC721
    function getApproved(uint256 tokenId) external view returns (address) {
        if (_recordOf(tokenId).owner == address(0)) revert ERC721NonexistentToken(tokenId);
        return address(0);
    }

    /// @inheritdoc IERC721
    function isApprovedForAll(address, address) external pure returns (bool) {
        return false;
    }

    // --- internals

    /// @dev A token id with bits above the 28 bytes is no unit; truncating it would alias another's title.
    function _recordOf(uint256 tokenId) private view returns (Record storage) {
        if (tokenId >> 224 != 0) revert ERC721NonexistentToken(tokenId);
        return _titles[UnitNumber.wrap(bytes28(uint224(tokenId)))];
    }

    function _active(UnitNumber unit) private view returns (Record storage title) {
        title = _titles[unit];
        if (title.status != Status.Active) revert TitleRegistry_NotActive(unit, title.status);
    }

    function _supersedeCertificate(
        UnitNumber unit,
        Record storage title,
        bytes32 certificateRoot
    ) private returns (uint16 version) {
        if (certificateRoot == 0) revert TitleRegistry_EmptyCertificateRoot(unit);
        if (certificateRoot == title.certificateRoot)
            revert TitleRegistry_SameCertificateRoot(unit, certificateRoot);
        version = title.version + 1;
        title.version = version;
        title.certificateRoot = certificateRoot;
    }
}
