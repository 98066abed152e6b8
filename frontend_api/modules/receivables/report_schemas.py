"""Bodies and CSV columns of the reports."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from ...kit.schemas import AmountText, Resource
from .reports import PARTS, Line, Report, concentration


class AgeingAmounts(Resource):
    currency: str
    receivables: int = Field(description="how many of which something is outstanding")
    outstanding: AmountText = Field(description="minor units; the sum of the six that follow")
    not_due: AmountText
    days_1_to_30: AmountText = Field(description="day 1 begins with the due date's end")
    days_31_to_60: AmountText
    days_61_to_90: AmountText
    over_90_days: AmountText
    written_off: AmountText = Field(description="by who holds it; the debtor owes it all the same")
    defaulted: AmountText = Field(
        description="of the ages: what is late by the ledger's grace period or more and not written off"
    )


class AgeingLine(AgeingAmounts):
    account: str = Field(description="the debtor; in a debtor's report, the supplier")
    name: str | None
    credit_code: str | None


class AgeingReport(Resource):
    side: str = Field(alias="as")
    party: str
    at: int = Field(description="chain time, Unix seconds")
    block: int
    grace_period: int = Field(description="seconds from the due date to the default")
    lines: list[AgeingLine] = Field(description="by currency, in each the largest first")
    totals: list[AgeingAmounts]


class ExposureAmounts(Resource):
    currency: str
    receivables: int = Field(description="how many of which something is outstanding")
    outstanding: AmountText = Field(description="minor units; not due, overdue and written off")
    overdue: AmountText
    defaulted: AmountText = Field(description="of what is overdue: by the ledger's grace period or more")
    written_off: AmountText = Field(description="of what is outstanding")
    recovered: AmountText = Field(description="claimed of payments made after the write-off")


class ExposureLine(ExposureAmounts):
    account: str | None = Field(description="the debtor or bank; null for groups")
    group: str | None = Field(description="null for debtors in no group")
    name: str | None
    credit_code: str | None
    concentration: str | None = Field(description="per cent of all that is outstanding in the currency, two decimals")


class ExposureReport(Resource):
    by: str
    bank: str | None = Field(description="only what this bank holds")
    at: int = Field(description="chain time, Unix seconds")
    block: int
    grace_period: int
    lines: list[ExposureLine] = Field(description="by currency, in each the largest first")
    totals: list[ExposureAmounts]


def ageing_report(report: Report, side: str, party: str) -> AgeingReport:
    lines = [
        AgeingLine(account=key or "", **_named(report, key), **_ageing(currency, line))
        for currency, key, line in report.sorted_lines()
    ]
    totals = [AgeingAmounts(**_ageing(currency, line)) for currency, line in report.totals().items()]
    moment = {"at": report.at.time, "block": report.at.block, "grace_period": report.grace}
    return AgeingReport(side=side, party=party, lines=lines, totals=totals, **moment)


def exposure_report(report: Report, by: str, bank: str | None) -> ExposureReport:
    totals = report.totals()
    lines = [
        ExposureLine(
            account=None if by == "group" else key,
            group=key if by == "group" else None,
            concentration=concentration(line.outstanding, totals[currency].outstanding),
            **_named(report, key),
            **_exposure(currency, line),
        )
        for currency, key, line in report.sorted_lines()
    ]
    moment = {"at": report.at.time, "block": report.at.block, "grace_period": report.grace}
    sums = [ExposureAmounts(**_exposure(currency, line)) for currency, line in totals.items()]
    return ExposureReport(by=by, bank=bank, lines=lines, totals=sums, **moment)


def _named(report: Report, key: str | None) -> dict[str, Any]:
    return {"name": report.names.get(key or ""), "credit_code": report.codes.get(key or "")}


def _ageing(currency: str, line: Line) -> dict[str, Any]:
    return {
        "currency": currency,
        "receivables": line.receivables,
        "outstanding": str(line.outstanding),
        **{name: str(line.parts[name]) for name in PARTS},
        "defaulted": str(line.defaulted),
    }


def _exposure(currency: str, line: Line) -> dict[str, Any]:
    return {
        "currency": currency,
        "receivables": line.receivables,
        "outstanding": str(line.outstanding),
        "overdue": str(line.overdue),
        "defaulted": str(line.defaulted),
        "written_off": str(line.parts["written_off"]),
        "recovered": str(line.recovered),
    }


def as_csv(report: AgeingReport | ExposureReport, decimals: Mapping[str, int]) -> str:
    """RFC 4180 with a heading. Amounts in minor units; `outstandingMajor` repeats one in major units (1234.50)."""
    entries = report.model_dump(by_alias=True)
    columns = [f.alias or n for n, f in (AgeingLine if "as" in entries else ExposureLine).model_fields.items()]
    named = [c for c in ("account", "group", "name", "creditCode") if c in columns]
    columns = named + [c for c in columns if c not in named]
    columns.insert(columns.index("outstanding") + 1, "outstandingMajor")
    head = [*(n for n in ("as", "party", "by", "bank") if n in entries), "at", "block"]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*head, *columns])
    for line in entries["lines"]:
        line["outstandingMajor"] = major(int(line["outstanding"]), decimals[line["currency"]])
        writer.writerow([*(entries[name] for name in head), *(line[name] for name in columns)])
    return text.getvalue()


def major(amount: int, decimals: int) -> str:
    """Minor units as major units, exactly: 1234.50."""
    if not decimals:
        return str(amount)
    return f"{amount // 10**decimals}.{amount % 10**decimals:0{decimals}d}"
