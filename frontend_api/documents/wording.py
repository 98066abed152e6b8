"""What the check says, in English and Chinese: one table for the verdicts, one for the findings.

A sentence speaks of its finding's values by name; `say` writes times, reasons and kinds of members in the reader's
language.
"""

from __future__ import annotations

import re
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
        "en": "The certificate is genuine and was issued by an office entitled to do so.",
        "zh": "证书真实，由有权机构签发。",
    },
}

QUESTIONS: dict[Question, dict[Language, str]] = {
    Question.INTACT: {"en": "Is the file intact?", "zh": "文件是否完整？"},
    Question.ISSUER: {"en": "Who issued it?", "zh": "由谁签发？"},
    Question.STATUS: {"en": "What is its status now?", "zh": "目前状态如何？"},
}

SENTENCES: dict[Code, dict[Language, str]] = {
    Code.FIELDS_CHANGED: {
        "en": "Something in the file was changed: its contents do not lead to the document root it carries.",
        "zh": "文件内容被改动过：按其内容计算的结果与文件所载的文档根不一致。",
    },
    Code.PROOF_BROKEN: {
        "en": "The proof in the file does not lead to the batch it names.",
        "zh": "文件中的证明与其所称的批次不一致。",
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
        "en": "Frozen by a court or authority. Freezes in effect: {count}.",
        "zh": "已被法院或有权机关查封，生效查封 {count} 项。",
    },
    Code.PLEDGED: {
        "en": "Pledged. Mortgages registered on it: {count}.",
        "zh": "已设立抵押，在册抵押权 {count} 项。",
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
        "en": "Yes. Contents and seal fit together: nothing was changed since the file was made.",
        "zh": "是。内容与校验值一致，文件生成后未被改动。",
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


def say_rule(rule: str, language: Language) -> str:
    """The rule of a CertificateError; they are written in English, and `RULES` knows them in Chinese."""
    if language == "en":
        return rule
    for pattern, chinese in RULES:
        found = re.fullmatch(pattern, rule, re.DOTALL)
        if found:
            return chinese.format(*found.groups())
    return rule


RULES: tuple[tuple[str, str], ...] = (
    (r"a certificate has at most (\d+) KiB", "证书文件不超过 {} KiB"),
    (r"the file is empty", "文件为空"),
    (r"must be UTF-8 text \(byte (\d+) is not\)", "必须是 UTF-8 文本（第 {} 字节不符）"),
    (r"must not be nested deeper than (\d+) levels", "嵌套不得超过 {} 层"),
    (r"must be JSON \(line (\d+), column (\d+): .*\)", "必须是 JSON 文件（第 {} 行第 {} 列有误）"),
    (r"must not hold numbers of thousands of digits", "不得包含数千位的数字"),
    (r"must not hold fractions or exponents \((.*)\)", "不得包含小数或指数（{}）"),
    (r"must not hold the control character (U\+[0-9A-F]+)", "不得包含控制字符 {}"),
    (r"must not hold (-?\w+)", "不得包含 {}"),
    (r"must be given once", "只能出现一次"),
    (r"must be an object", "必须是对象"),
    (r"must be a list", "必须是列表"),
    (r"must be text", "必须是文本"),
    (r"must be an integer", "必须是整数"),
    (r"is missing", "缺少此项"),
    (r"is not part of the format", "格式中没有此项"),
    (r"must have (\d+) to (\d+) entries, has (\d+)", "应有 {} 至 {} 项，实有 {} 项"),
    (r"must have (\d+) to (\d+) characters, has (\d+)", "应为 {} 至 {} 个字符，实为 {} 个"),
    (r"must be between (\d+) and (\d+)", "必须在 {} 至 {} 之间"),
    (r'must be "0x" and 64 hexadecimal digits in lower case', "必须是“0x”加 64 位小写十六进制数字"),
    (r'must be an address: "0x" and 40 hexadecimal digits', "必须是地址：“0x”加 40 位十六进制数字"),
    (r"must be an address whose EIP-55 check digits are right", "地址的 EIP-55 校验有误"),
    (r"must be a property unit number: .*", "必须是不动产单元号：GB/T 37346 规定的 28 位字符"),
    (r"must be one line that does not start with @ or end in blanks", "必须为单行，不以 @ 开头，首尾无空格"),
    (r"must be unique, (.*) is there twice", "名称不得重复：{} 出现两次"),
    (r"must be random, not zero", "必须是随机值，不得为零"),
    (r"must not repeat another field", "不得与其他字段重复"),
    (r'must be "(.*)"', "必须为“{}”"),
    (r"must be one of: (.*)", "必须是下列之一：{}"),
)
