"""The pages' own words, and the choice of language."""

from __future__ import annotations

from frontend_api.documents.wording import LANGUAGES, Language

TEXTS: dict[str, dict[Language, str]] = {
    "service": {"en": "Certificate check", "zh": "证书核验"},
    "city": {"en": "Loudi city chain", "zh": "娄底城市链"},
    "title": {"en": "Check a certificate", "zh": "核验证书"},
    "lead": {
        "en": "Find out whether a certificate is genuine and in force. No login, no fee; the file is not kept.",
        "zh": "核验证书是否真实、是否现行有效。无需登录，不收费用，不保存文件。",
    },
    "choose": {"en": "Choose the certificate file", "zh": "选择证书文件"},
    "choose_hint": {
        "en": "A .json file of at most {kib} KiB, as the holder received it.",
        "zh": "持有人收到的 .json 文件，不超过 {kib} KiB。",
    },
    "paste": {"en": "Or paste its text", "zh": "或粘贴证书内容"},
    "check": {"en": "Check", "zh": "开始核验"},
    "steps": {"en": "What is checked", "zh": "核验内容"},
    "step_intact": {
        "en": "That nothing in the file was changed.",
        "zh": "文件未被改动。",
    },
    "step_issuer": {
        "en": "That an office entitled to do so issued it.",
        "zh": "由有权机构签发。",
    },
    "step_status": {
        "en": "Whether it was revoked or replaced, or the property is pledged or frozen now.",
        "zh": "是否已撤销或被取代，不动产目前是否抵押或查封。",
    },
    "answers": {"en": "The three answers", "zh": "三项核验结果"},
    "also": {"en": "Also known", "zh": "其他情况"},
    "content": {"en": "What the certificate says", "zh": "证书内容"},
    "content_altered": {
        "en": "What the altered file says (do not rely on it)",
        "zh": "被改动文件所载内容（请勿采信）",
    },
    "content_unproved": {
        "en": "What the file says (nobody stands behind it)",
        "zh": "文件所载内容（无机构背书）",
    },
    "hidden_by_holder": {"en": "Hidden by the holder", "zh": "持有人未出示"},
    "hidden_count": {"en": "{count} more", "zh": "另有 {count} 项"},
    "hidden_public": {
        "en": "Not shown here. Whoever holds the file can show it.",
        "zh": "此处不显示，可由证书持有人出示。",
    },
    "type_property-title": {"en": "Real estate title certificate", "zh": "不动产权证书"},
    "unit": {"en": "Property unit number", "zh": "不动产单元号"},
    "issuer": {"en": "Issuer's account", "zh": "签发机构账户"},
    "valid_until": {"en": "Valid until", "zh": "有效期至"},
    "document_root": {"en": "Document root", "zh": "文档根"},
    "checked": {
        "en": "Checked {time} by the chain's clock, block {block}.",
        "zh": "核验时间：{time}，以链上时间为准，区块 {block}。",
    },
    "not_checked": {"en": "The chain was not asked.", "zh": "未查询区块链。"},
    "again": {"en": "Check another certificate", "zh": "核验其他证书"},
    "print": {"en": "Open for printing", "zh": "打开打印版"},
    "technical": {"en": "For technicians", "zh": "技术信息"},
    "chain": {"en": "Chain number", "zh": "链编号"},
    "batch_root": {"en": "Batch root", "zh": "批次根"},
    "registry": {"en": "Document register", "zh": "文档登记簿"},
    "title_registry": {"en": "Title register", "zh": "不动产登记簿"},
    "scan": {"en": "Scan to check the status now", "zh": "扫码核验当前状态"},
    "qr_alt": {"en": "QR code that leads to the check of this certificate", "zh": "本证书核验页的二维码"},
    "paper": {
        "en": "Paper proves nothing by itself. Scan the code, compare the document root, and read the status there.",
        "zh": "纸质件本身不具证明效力。请扫码，核对文档根，并以扫码结果为准。",
    },
    "paper_fields": {
        "en": "To have the contents checked as well, ask the holder for the file.",
        "zh": "如需核验证书内容，请向持有人索取证书文件。",
    },
    "link_scope": {
        "en": "You came by a link, which shows the document's status. To check its contents, use the holder's file.",
        "zh": "您通过链接访问：此处仅显示该文件的状态。如需核验证书内容，请使用持有人的文件。",
    },
    "error": {"en": "This cannot be checked", "zh": "无法核验该内容"},
    "error_file": {
        "en": "This is not a certificate file that can be read.",
        "zh": "无法读取：这不是有效的证书文件。",
    },
    "error_place": {"en": "Place in the file", "zh": "文件位置"},
    "error_rule": {"en": "What is wrong", "zh": "问题"},
    "error_whole": {"en": "the whole file", "zh": "整个文件"},
    "error_too_large": {
        "en": "The file is too large: a certificate has at most {kib} KiB.",
        "zh": "文件过大：证书文件不超过 {kib} KiB。",
    },
    "error_nothing": {
        "en": "Nothing was sent. Choose a file or paste its text.",
        "zh": "未收到内容。请选择文件或粘贴证书内容。",
    },
    "error_form": {
        "en": "The form could not be read. Please send it again.",
        "zh": "无法读取提交的表单，请重新提交。",
    },
    "error_not_here": {
        "en": "No certificate with this document root is published here. Ask the holder for the file and check that.",
        "zh": "此处没有公布该文档根对应的证书。请向持有人索取证书文件后核验。",
    },
    "error_root": {
        "en": 'This link is incomplete: a document root is "0x" and 64 hexadecimal digits.',
        "zh": "链接不完整：文档根应为“0x”加 64 位十六进制数字。",
    },
    "error_busy": {
        "en": "The certificate could not be looked up just now. Try again in a few minutes.",
        "zh": "暂时无法查询该证书，请几分钟后重试。",
    },
}


def choose_language(asked: str | None, accept_language: str | None) -> Language:
    """`?lang=` if it names a language of ours, else the best of Accept-Language (RFC 9110, 12.5.4), else English."""
    for language in LANGUAGES:
        if asked == language:
            return language
    best: tuple[float, Language] = (0.0, "en")
    for part in (accept_language or "")[:1000].split(","):
        tag, _, parameters = part.strip().partition(";")
        for language in LANGUAGES:
            weight = _weight(parameters)
            if tag.lower().split("-")[0] == language and weight > best[0]:
                best = (weight, language)
    return best[1]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
