// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";

import {IMembers} from "./interfaces/IMembers.sol";
import {CreditCode} from "./types/CreditCode.sol";

/// @title Implementation of {IMembers}, where errors, events and rules are described
contract Members is IMembers, AccessManaged {
    /// @notice The kind number of residents; the charter numbers organisations from 1 below it.
    uint8 public constant RESIDENT = type(uint8).max;
    uint256 public constant MAX_ROLES_PER_KIND = 16;

    mapping(address account => Party) private _parties;
    mapping(CreditCode => address) private _holders;
    mapping(uint8 kind => uint64[]) private _roles;
    mapping(address account => address) private _receivers;

    constructor(address authority_) AccessManaged(authority_) {}

    // --- kinds

    /// @inheritdoc IMembers
    function defineKind(uint8 kind, string calldata label, uint64[] calldata roles) external restricted {
        address actor = _officer();
        if (kind == 0 || kind == RESIDENT) revert Members_KindReserved(kind);
        if (_roles[kind].length != 0) revert Members_KindAlreadyDefined(kind);
        if (roles.length == 0 || roles.length > MAX_ROLES_PER_KIND)
            revert Members_TooManyRoles(roles.length, MAX_ROLES_PER_KIND);

        _roles[kind] = roles;

        emit KindDefined(kind, actor, label, roles);
    }

    // --- members

    /// @inheritdoc IMembers
    function admit(address account, uint8 kind, CreditCode creditCode, bytes32 profile) external restricted {
        address actor = _officer();
        _requireNew(account, profile);
        uint64[] memory roles = _roles[kind];
        if (roles.length == 0) revert Members_UnknownKind(kind);
        if (!creditCode.isValid()) revert Members_InvalidCreditCode(creditCode);
        address holder = _holders[creditCode];
        if (holder != address(0)) revert Members_CreditCodeTaken(creditCode, holder);

        _parties[account] = Party(creditCode, kind, Status.Active, 0, profile);
        _holders[creditCode] = account;

        emit MemberAdmitted(account, actor, kind, creditCode, profile);

        for (uint256 i; i < roles.length; ++i) {
            IAccessManager(authority()).grantRole(roles[i], account, 0);
        }
    }

    /// @inheritdoc IMembers
    function changeProfile(bytes32 profile) external {
        address actor = _actor();
        _requireMember(actor);
        _requireStatus(actor, Status.Active);
        if (profile == 0) revert Members_EmptyCommitment();

        _parties[actor].commitment = profile;

        emit ProfileChanged(actor, actor, profile);
    }

    /// @inheritdoc IMembers
    function suspend(address account, bytes32 basis) external restricted {
        address actor = _officer();
        _requireStatus(account, Status.Active);

        _parties[account].status = Status.Suspended;

        emit PartySuspended(account, actor, basis);
    }

    /// @inheritdoc IMembers
    function reinstate(address account, bytes32 basis) external restricted {
        address actor = _officer();
        _requireStatus(account, Status.Suspended);

        _parties[account].status = Status.Active;
        delete _receivers[account];

        emit PartyReinstated(account, actor, basis);
    }

    /// @inheritdoc IMembers
    function retire(address account, bytes32 basis) external restricted {
        address actor = _officer();
        Party storage found = _parties[account];
        if (found.status == Status.None) revert Members_NotEnrolled(account);
        if (found.status == Status.Retired) revert Members_Retired(account);

        found.status = Status.Retired;

        emit PartyRetired(account, actor, basis);

        uint64[] memory roles = _roles[found.kind];
        for (uint256 i; i < roles.length; ++i) {
            IAccessManager(authority()).revokeRole(roles[i], account);
        }
    }

    /// @inheritdoc IMembers
    function appointReceiver(address account, address receiver, bytes32 basis) external restricted {
        address actor = _officer();
        _requireMember(account);
        _requireStatus(account, Status.Suspended);
        if (!isActive(receiver) || _parties[receiver].kind == RESIDENT) revert Members_ReceiverNotActive(receiver);

        _receivers[account] = receiver;

        emit ReceiverAppointed(account, actor, receiver, basis);
    }

    // --- residents

    /// @inheritdoc IMembers
    function enrol(address account, bytes32 identity, uint64 validUntil) external restricted {
        address actor = _officer();
        _requireNew(account, identity);
        _requireFuture(validUntil);

        _parties[account] = Party(CreditCode.wrap(0), RESIDENT, Status.Active, validUntil, identity);

        emit ResidentEnrolled(account, actor, identity, validUntil);
    }

    /// @inheritdoc IMembers
    function renew(address account, uint64 validUntil) external restricted {
        address actor = _officer();
        if (_parties[account].kind != RESIDENT) revert Members_NotAResident(account);
        _requireStatus(account, Status.Active);
        _requireFuture(validUntil);

        _parties[account].validUntil = validUntil;

        emit ResidentRenewed(account, actor, validUntil);
    }

    // --- views

    /// @inheritdoc IMembers
    function party(address account) external view returns (Party memory) {
        return _parties[account];
    }

    /// @inheritdoc IMembers
    function isActive(address account) public view returns (bool) {
        Party storage found = _parties[account];
        return found.status == Status.Active && !_isExpired(found.validUntil);
    }

    /// @inheritdoc IMembers
    function requireActive(address account) public view {
        Party storage found = _parties[account];
        Status status = found.status;
        if (status == Status.None) revert Members_NotEnrolled(account);
        _requireNotBarred(account, status, found.validUntil);
    }

    /// @inheritdoc IMembers
    function requireNotBarred(address account) public view {
        Party storage found = _parties[account];
        _requireNotBarred(account, found.status, found.validUntil);
    }

    /// @inheritdoc IMembers
    function requireBothActive(address first, address second) external view {
        requireActive(first);
        requireActive(second);
    }

    /// @inheritdoc IMembers
    function mayHold(address account) external view returns (bool) {
        Status status = _parties[account].status;
        return status == Status.Active || status == Status.Suspended;
    }

    /// @inheritdoc IMembers
    function holderOf(CreditCode creditCode) external view returns (address) {
        return _holders[creditCode];
    }

    /// @inheritdoc IMembers
    function receiverOf(address account) external view returns (address) {
        return _receivers[account];
    }

    /// @inheritdoc IMembers
    function rolesOf(uint8 kind) external view returns (uint64[] memory) {
        return _roles[kind];
    }

    // --- checks

    function _actor() private view returns (address actor) {
        actor = _msgSender();
        if (actor == authority()) revert Members_ManagerCannotAct(actor);
    }

    /// @dev Who uses a role: its holder keeps it while suspended, so that nothing else breaks, but may not reinstate itself with it.
    function _officer() private view returns (address actor) {
        actor = _actor();
        requireNotBarred(actor);
    }

    function _requireNotBarred(address account, Status status, uint64 validUntil) private view {
        if (status == Status.Suspended) revert Members_Suspended(account);
        if (status == Status.Retired) revert Members_Retired(account);
        if (_isExpired(validUntil)) revert Members_Expired(account, validUntil);
    }

    function _isExpired(uint64 validUntil) private view returns (bool) {
        return validUntil != 0 && validUntil < block.timestamp;
    }

    function _requireNew(address account, bytes32 commitment) private view {
        if (account == address(0)) revert Members_ZeroAccount();
        Status status = _parties[account].status;
        if (status != Status.None) revert Members_AlreadyEnrolled(account, status);
        if (commitment == 0) revert Members_EmptyCommitment();
    }

    function _requireMember(address account) private view {
        Party storage found = _parties[account];
        if (found.status == Status.None || found.kind == RESIDENT) revert Members_NotAMember(account);
    }

    function _requireStatus(address account, Status required) private view {
        Status status = _parties[account].status;
        if (status != required) revert Members_WrongStatus(account, status, required);
    }

    function _requireFuture(uint64 validUntil) private view {
        if (validUntil <= block.timestamp) revert Members_ValidityInPast(validUntil, uint64(block.timestamp));
    }
}
