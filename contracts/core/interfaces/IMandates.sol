// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Who may act for whom: powers of attorney and guardianships
/// @notice A mandate is scoped and expires. A principal gives and withdraws a power of attorney itself; a guardianship is appointed and ended
/// by an office on a legal basis, and the ward cannot withdraw it while it is in force.
interface IMandates {
    enum Kind {
        None,
        PowerOfAttorney,
        Guardianship
    }

    /// @param kind       what it rests on
    /// @param validUntil Unix seconds; the mandate is good up to and including this second
    struct Mandate {
        Kind kind;
        uint64 validUntil;
    }

    event MandateGranted(
        address indexed principal,
        address indexed actor,
        address indexed agent,
        bytes32 scope,
        Kind kind,
        uint64 validUntil,
        bytes32 basis
    );
    event MandateEnded(
        address indexed principal,
        address indexed actor,
        address indexed agent,
        bytes32 scope,
        bytes32 basis
    );

    error Mandates_SelfMandate(address account);
    error Mandates_EmptyScope();
    error Mandates_ValidityInPast(uint64 validUntil, uint64 chainTime);
    error Mandates_ValidityTooLong(uint64 validUntil, uint64 latest);
    error Mandates_GuardianshipInForce(address principal, address agent, bytes32 scope);
    error Mandates_NoMandate(address principal, address agent, bytes32 scope);

    /// @notice Give a power of attorney. Called by the principal, directly or through the forwarder.
    /// @param scope what for, an ASCII label such as "PROPERTY" padded with zeros
    function grant(address agent, bytes32 scope, uint64 validUntil) external;

    /// @notice Withdraw one's own power of attorney at once.
    function withdraw(address agent, bytes32 scope) external;

    /// @notice Appoint a guardian on a legal basis.
    function appointGuardian(address ward, address guardian, bytes32 scope, uint64 validUntil, bytes32 basis) external;

    /// @notice End a guardianship, or a power of attorney whose principal can no longer withdraw it.
    function end(address principal, address agent, bytes32 scope, bytes32 basis) external;

    /// @notice Whether `actor` may act for `principal` in `scope` now: as itself, or under a mandate that has not expired,
    /// while it is active. Whether the principal is active is for the caller to check: a mandate gives no more than the principal has.
    function mayAct(address actor, address principal, bytes32 scope) external view returns (bool);

    /// @notice The mandate as recorded, also when it has expired.
    function mandate(address principal, address agent, bytes32 scope) external view returns (Mandate memory);
}
