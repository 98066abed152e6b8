"""Claims lose nothing and create nothing, however units are split, payments are cut and claims are ordered."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.city import CNY
from tests.evm import reverts

HOLDERS = ("supplier", "bank", "bank2", "hospital", "institute")
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.floats(0, 1)),
        st.tuples(st.just("claim"), st.sampled_from(HOLDERS)),
    ),
    max_size=12,
)
FACES = st.one_of(st.integers(1, 40), st.integers(1, 10**13))


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(face=FACES, cuts=st.lists(st.integers(0, 10**13), min_size=4, max_size=4), actions=ACTIONS)
def test_claim__any_split_any_payments_any_order__exact(founded_city, face, cuts, actions):
    city = founded_city
    with city.chain.isolated():
        ledger, escrow, token = city.contract("ReceivableLedger"), city.contract("Escrow"), city.token
        due = city.chain.time + 86400
        id_ = ledger.draft(city.debtor, CNY, face, due, b"\1" * 32, b"\2" * 32, sender=city.supplier).value
        ledger.confirm(id_, sender=city.debtor)
        units = dict.fromkeys(HOLDERS, 0) | {"supplier": face}
        for holder, cut in zip(HOLDERS[1:], cuts, strict=True):
            part = cut % (units["supplier"] + 1)
            if part:
                args = (city.supplier, getattr(city, holder), id_, part, b"")
                ledger.safeTransferFrom(*args, sender=city.supplier)
                units["supplier"], units[holder] = units["supplier"] - part, units[holder] + part
        assert sum(units.values()) == face
        city.fund(city.debtor, face)
        city.approve_escrow(city.debtor, face)
        paid, claimed = 0, dict.fromkeys(HOLDERS, 0)

        def claim(holder):
            expected = units[holder] * paid // face - claimed[holder]
            account = getattr(city, holder)
            assert ledger.claimable(id_, account) == expected
            if expected == 0:
                with reverts("ReceivableLedger_NothingToClaim", id=id_, holder=account):
                    ledger.claim(id_, sender=account)
            else:
                assert ledger.claim(id_, sender=account).value == expected
                claimed[holder] += expected

        def check():
            assert token.balanceOf(city.debtor) == face - paid
            assert escrow.held(ledger, id_, token) == token.balanceOf(escrow) == paid - sum(claimed.values())
            assert all(token.balanceOf(getattr(city, h)) == claimed[h] for h in HOLDERS)
            # What rounding keeps back once everybody claimed is less than one unit a holder.
            entitled = sum(units[h] * paid // face for h in HOLDERS)
            assert 0 <= paid - entitled < sum(1 for h in HOLDERS if units[h])

        for action, value in actions:
            if action == "pay":
                amount = min(face - paid, int(value * (face - paid)) + 1)
                if amount:
                    ledger.pay(id_, amount, sender=city.debtor)
                    paid += amount
            else:
                claim(value)
            check()
        if paid < face:
            ledger.pay(id_, face - paid, sender=city.debtor)
            paid = face
        for holder in HOLDERS:
            claim(holder)
        check()
        assert claimed == units
