"""What the check says, in English and Chinese: one table for the verdicts, one for the findings.

A sentence speaks of its finding's values by name; `say` writes times, reasons and kinds of members in the reader's
language.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

from .verification import Code, Finding, Question, Verdict

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

#: The city's clock: China has one time zone and no summer time.
CITY_TIME = timezone(timedelta(hours=8))

VERDICTS: dict[Verdict, dict[Language, str]] = {
    Verdict.ALTERED: {"en": "Altered", "zh": "已被改动"},
    Verdict.UNKNOWN: {"en": "Unknown", "zh": "无法核验"},
    Verdict.NOT_ISSUED: {"en": "Not issued", "zh": "未经签发"},
    Verdict.REVOKED: {"en": "Revoked", "zh": "已撤销"},
    Verdict.SUPERSEDED: {"en": "Superseded", "zh": "已被取代"},
    Verdict.EXPIRED: {"en": "Expired", "zh": "已过期"},
    Verdict.FROZEN: {"en": "Frozen", "zh": "已查封"},
    Verdict.PLEDGED: {"en": "Pledged", "zh": "已抵押"},
    Verdict.VALID: {"en": "Valid", "zh": "有效"},
}

#: What the verdict means for whoever holds the certificate in their hands.
ADVICE: dict[Verdict, dict[Language, str]] = {
    Verdict.ALTERED: {
        "en": "Do not rely on it. Ask the holder for the original file.",
        "zh": "请勿采信，并向持有人索取原始文件。",
    },
    Verdict.UNKNOWN: {
        "en": "This is no answer, neither good nor bad. Try again in a few minutes.",
        "zh": "目前没有核验结论，既不代表有效，也不代表无效。请几分钟后重试。",
    },
    Verdict.NOT_ISSUED: {
        "en": "Do not rely on it. No office of this city stands behind it.",
        "zh": "请勿采信。本市没有任何机构为其背书。",
    },
    Verdict.REVOKED: {"en": "It no longer proves anything.", "zh": "该证书不再具有证明效力。"},
    Verdict.SUPERSEDED: {
        "en": "It was genuine once. Ask for the newer certificate.",
        "zh": "该证书曾经有效，请索取新的证书。",
    },
    Verdict.EXPIRED: {"en": "Ask the issuer to renew it.", "zh": "请向签发机构申请换发。"},
    Verdict.FROZEN: {
        "en": "The certificate is genuine, but the property cannot be disposed of while it is frozen.",
        "zh": "证书真实，但查封期间不得处分该不动产。",
    },
    Verdict.PLEDGED: {
        "en": "The certificate is genuine, but the property secures a debt.",
        "zh": "证书真实，但该不动产上设有抵押权。",
    },
    Verdict.VALID: {
        "en": "The certificate is genuine and in force.",
        "zh": "证书真实，现行有效。",
    },
}

QUESTIONS: dict[Question, dict[Language, str]] = {
    Question.INTACT: {"en": "Is the file intact?", "zh": "文件是否完整？"},
    Question.ISSUER: {"en": "Who issued it?", "zh": "由谁签发？"},
    Question.STATUS: {"en": "What is its status now?", "zh": "目前状态如何？"},
}

SENTENCES: dict[Code, dict[Language, str]] = {
    Code.FIELDS_CHANGED: {
        "en": "No. Something in the file was changed: its contents do not lead to the document root it carries.",
        "zh": "否。文件内容被改动过：按其内容计算的结果与文件所载的文档根不一致。",
    },
    Code.PROOF_BROKEN: {
        "en": "No. The proof in the file does not lead to the batch it names.",
        "zh": "否。文件中的证明与其所称的批次不一致。",
    },
    Code.ISSUER_NOT_ASKED: {"en": "The chain could not be asked.", "zh": "暂时无法查询区块链。"},
    Code.STATUS_NOT_ASKED: {"en": "The chain could not be asked.", "zh": "暂时无法查询区块链。"},
    Code.OTHER_CHAIN: {
        "en": "It was made for another chain (number {fileChainId}); this city's chain has number {chainId}.",
        "zh": "该文件属于另一条链（链编号 {fileChainId}），本市的链编号为 {chainId}。",
    },
    Code.OTHER_REGISTRY: {
        "en": "It names a document register that is not this city's: {address}.",
        "zh": "文件所载的文档登记簿不属于本市：{address}。",
    },
    Code.OTHER_TITLE_REGISTRY: {
        "en": "It names a title register that is not this city's: {address}.",
        "zh": "文件所载的不动产登记簿不属于本市：{address}。",
    },
    Code.ISSUER_UNKNOWN: {
        "en": "The issuer it names is not a member of this city's network: {address}.",
        "zh": "文件所载的签发机构不是本市网络的成员：{address}。",
    },
    Code.ISSUER_NOT_ENTITLED: {
        "en": "{name} is named as issuer, but a member of its kind ({kind}) may not issue certificates of this type.",
        "zh": "文件所载签发机构为{name}，但此类成员（{kind}）无权签发该类证书。",
    },
    Code.NOT_ANCHORED: {
        "en": "{name} is named as issuer, but never issued this document.",
        "zh": "文件所载签发机构为{name}，但该机构从未签发过此文件。",
    },
    Code.NO_TITLE: {
        "en": "The title register holds no title for unit {unit}.",
        "zh": "不动产登记簿中没有单元号 {unit} 的登记。",
    },
    Code.REVOKED: {
        "en": "Revoked on {revokedAt}. Reason: {reason}.",
        "zh": "已于{revokedAt}撤销。原因：{reason}。",
    },
    Code.TITLE_CANCELLED: {
        "en": "The title of unit {unit} was cancelled in the register.",
        "zh": "单元号 {unit} 的不动产登记已注销。",
    },
    Code.REPLACED: {
        "en": "Superseded on {replacedAt} by document {root}.",
        "zh": "已于{replacedAt}被新文件取代：{root}。",
    },
    Code.TITLE_SUPERSEDED: {
        "en": "The title of unit {unit} was superseded by version {version}: split, merged or registered anew.",
        "zh": "单元号 {unit} 的登记已被第 {version} 版取代（分割、合并或重新登记）。",
    },
    Code.TITLE_CHANGED: {
        "en": "Superseded by version {version} of the title, which carries another certificate.",
        "zh": "已被该不动产登记的第 {version} 版取代，新版对应另一份证书。",
    },
    Code.EXPIRED: {"en": "It was valid until {expiredAt}.", "zh": "有效期至{expiredAt}，现已过期。"},
    Code.FROZEN: {
        "en": "In force, but frozen by a court or authority (freezes in effect: {count}).",
        "zh": "登记有效，但已被法院或有权机关查封（生效查封 {count} 项）。",
    },
    Code.PLEDGED: {
        "en": "In force, and pledged (mortgages registered on it: {count}).",
        "zh": "登记有效，已设立抵押（在册抵押权 {count} 项）。",
    },
    Code.ISSUER_SUSPENDED: {
        "en": "{name}, on {anchoredAt}. The issuer is suspended today; what it issued before stays issued.",
        "zh": "{name}，签发于{anchoredAt}。该机构目前被暂停资格；此前签发的文件不受影响。",
    },
    Code.ISSUER_RETIRED: {
        "en": "{name}, on {anchoredAt}. The issuer is no longer a member; what it issued before stays issued.",
        "zh": "{name}，签发于{anchoredAt}。该机构已退出网络；此前签发的文件不受影响。",
    },
    Code.ISSUED: {"en": "{name}, on {anchoredAt}.", "zh": "{name}，签发于{anchoredAt}。"},
    Code.IN_FORCE: {
        "en": "In force. No mortgage or freeze is registered on it.",
        "zh": "现行有效，未登记抵押或查封。",
    },
    Code.INTACT: {
        "en": "Yes. Nothing in the file was changed since it was issued.",
        "zh": "是。文件自签发以来未被改动。",
    },
    Code.ISSUER_MOOT: {
        "en": "Not asked: an altered file cannot name its issuer.",
        "zh": "未查询：被改动的文件无法说明签发机构。",
    },
    Code.STATUS_MOOT: {
        "en": "Not asked: there is no issued document to ask about.",
        "zh": "未查询：不存在可供查询的已签发文件。",
    },
}

REASONS: dict[str, dict[Language, str]] = {
    "none": {"en": "none given", "zh": "未说明"},
    "unspecified": {"en": "not specified", "zh": "未注明"},
    "issued_in_error": {"en": "issued in error", "zh": "签发有误"},
    "fraud": {"en": "fraud", "zh": "欺诈"},
    "court_order": {"en": "court order", "zh": "法院裁定"},
    "surrendered": {"en": "surrendered by the holder", "zh": "持有人交回"},
    "facts_changed": {"en": "the facts have changed", "zh": "登记事实已变更"},
}

KINDS: dict[str, dict[Language, str]] = {
    "government": {"en": "government office", "zh": "政府部门"},
    "registry": {"en": "real estate registry", "zh": "不动产登记机构"},
    "bank": {"en": "bank", "zh": "银行"},
    "court": {"en": "court", "zh": "法院"},
    "company": {"en": "company", "zh": "企业"},
    "hospital": {"en": "hospital", "zh": "医院"},
    "institute": {"en": "research institute", "zh": "研究机构"},
}


def say(finding: Finding, language: Language) -> str:
    """The finding's sentence."""
    values = {name: _write(name, value, language) for name, value in finding.values.items()}
    return SENTENCES[finding.code][language].format_map(values)


def say_time(seconds: int, language: Language) -> str:
    """Unix seconds as date and time in the city."""
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(CITY_TIME)
    if language == "zh":
        return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}（北京时间）"
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M} (UTC+8)"


def _write(name: str, value: str | int, language: Language) -> str:
    if name.endswith("At") and isinstance(value, int):
        return say_time(value, language)
    words = {"reason": REASONS, "kind": KINDS}.get(name, {}).get(str(value))
    return words[language] if words else str(value)


# Not strftime: its month names follow the machine's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
