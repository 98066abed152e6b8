// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CreditCode} from "../types/CreditCode.sol";

/// @title Who takes part: organisations (members) and enrolled residents
/// @notice Statuses: `None` (never seen), `Active`, `Suspended` (no new business, obligations go on), `Retired` (cold: nothing leads out).
/// An active resident whose `validUntil` has passed is *expired*; time alone makes it so, nothing is written.
interface IMembers {
    enum Status {
        None,
        Active,
        Suspended,
        Retired
    }

    /// @param creditCode unified social credit code (GB 32100-2015); zero for residents
    /// @param kind       kind of member as the charter numbers them; `RESIDENT` for residents
    /// @param status     see above
    /// @param validUntil Unix seconds; zero means without end (members)
    /// @param commitment members: salted hash of the profile; residents: salted identity commitment. Never personal data, never a bare hash
    struct Party {
        CreditCode creditCode;
        uint8 kind;
        Status status;
        uint64 validUntil;
        bytes32 commitment;
    }

    event KindDefined(uint8 indexed kind, address indexed actor, string label, uint64[] roles);
    event MemberAdmitted(
        address indexed account,
        address indexed actor,
        uint8 kind,
        CreditCode creditCode,
        bytes32 profile
    );
    event ProfileChanged(address indexed account, address indexed actor, bytes32 profile);
    event PartySuspended(address indexed account, address indexed actor, bytes32 basis);
    event PartyReinstated(address indexed account, address indexed actor, bytes32 basis);
    event PartyRetired(address indexed account, address indexed actor, bytes32 basis);
    event ReceiverAppointed(address indexed account, address indexed actor, address receiver, bytes32 basis);
    event ResidentEnrolled(address indexed account, address indexed actor, bytes32 identity, uint64 validUntil);
    event ResidentRenewed(address indexed account, address indexed actor, uint64 validUntil);

    error Members_ZeroAccount();
    error Members_UnknownKind(uint8 kind);
    error Members_KindReserved(uint8 kind);
    error Members_KindAlreadyDefined(uint8 kind);
    error Members_TooManyRoles(uint256 roles, uint256 limit);
    error Members_AlreadyEnrolled(address account, Status status);
    error Members_InvalidCreditCode(CreditCode creditCode);
    error Members_CreditCodeTaken(CreditCode creditCode, address holder);
    error Members_EmptyCommitment();
    error Members_NotAMember(address account);
    error Members_NotAResident(address account);
    error Members_NotEnrolled(address account);
    error Members_Suspended(address account);
    error Members_Retired(address account);
    error Members_Expired(address account, uint64 validUntil);
    error Members_WrongStatus(address account, Status status, Status required);
    error Members_ValidityInPast(uint64 validUntil, uint64 chainTime);
    error Members_ReceiverNotActive(address receiver);
    /// @notice `AccessManager.execute` would make the manager the recorded actor.
    error Members_ManagerCannotAct(address manager);

    /// @notice Define a kind of member and the authority roles that its members hold. Once only; the charter is its source.
    /// @dev Emits {KindDefined}. At most `MAX_ROLES_PER_KIND` roles.
    function defineKind(uint8 kind, string calldata label, uint64[] calldata roles) external;

    /// @notice Admit an organisation; it receives the roles of its kind.
    /// @dev Emits {MemberAdmitted}. Requirements: the code's check digit is right and nobody holds the code; `profile` is a salted commitment.
    function admit(address account, uint8 kind, CreditCode creditCode, bytes32 profile) external;

    /// @notice Replace the commitment to one's own profile. Called by the member.
    function changeProfile(bytes32 profile) external;

    /// @notice Bar a party from new business. Roles stay, but what they are for is new business too; obligations
    /// (release, repay, refund, deliver) go on.
    /// @param basis commitment to the decision it rests on
    function suspend(address account, bytes32 basis) external;

    /// @notice End a suspension.
    function reinstate(address account, bytes32 basis) external;

    /// @notice End a membership or enrolment for good; a member loses the roles of its kind. The credit code stays taken.
    function retire(address account, bytes32 basis) external;

    /// @notice Name who carries out a suspended member's obligations (接管人). The receiver must be an active member.
    function appointReceiver(address account, address receiver, bytes32 basis) external;

    /// @notice Enrol a resident by a salted identity commitment.
    /// @param validUntil Unix seconds, later than now
    function enrol(address account, bytes32 identity, uint64 validUntil) external;

    /// @notice Set a new end of a resident's enrolment, also of one that has expired.
    function renew(address account, uint64 validUntil) external;

    /// @notice Everything known of an account; zeros when never enrolled.
    function party(address account) external view returns (Party memory);

    /// @notice Whether the account may do new business now.
    function isActive(address account) external view returns (bool);

    /// @notice Reverts unless the account may do new business now, with the error of the reason.
    function requireActive(address account) external view;

    /// @notice Reverts when the account is suspended, retired or expired. One that was never enrolled passes: a holder of roles need not be
    /// a member (the founding office, a timelock).
    function requireNotBarred(address account) external view;

    /// @notice Two {requireActive} in one call, for the caller and the counterparty of new business.
    function requireBothActive(address first, address second) external view;

    /// @notice Whether the account may hold settlement tokens: enrolled and not retired. Suspension and expiry do not take money away.
    function mayHold(address account) external view returns (bool);

    /// @notice The account that holds a credit code, zero when nobody does.
    function holderOf(CreditCode creditCode) external view returns (address);

    /// @notice Who acts for a suspended member; zero when nobody was appointed.
    function receiverOf(address account) external view returns (address);

    /// @notice The authority roles that a kind confers.
    function rolesOf(uint8 kind) external view returns (uint64[] memory);
}
