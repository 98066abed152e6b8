"""Makes titles-1000.csv: 1,000 made-up titles of Loudi's districts and six broken rows. The same seed gives the same file.

python -m scripts.demonstration.make_titles
"""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

from eth_account import Account
from eth_utils import keccak, to_checksum_address

from .processes import MNEMONIC

FILE = Path(__file__).with_name("titles-1000.csv")
SEED = 20260921
TITLES = 1000
RESIDENTS = 320
#: The development mnemonic's accounts that act in the demonstration: the first owners of the file.
ACTING_RESIDENTS = (10, 11, 12, 13, 14)
HEADING = ["unit", "owner", "ownerName", "location", "use", "areaM2", "rightType", "landTermUntil", "floor"]

_COUNTIES = {"431302": "娄底市娄星区", "431381": "冷水江市", "431382": "涟源市", "431321": "双峰县", "431322": "新化县"}
_STREETS = {
    "431302": ["湘中大道", "春园路", "吉星路", "氐星路", "月塘街", "新星南路", "贤童街"],
    "431381": ["金竹路", "锑都中路", "冷江东路", "轮窑路"],
    "431382": ["人民路", "交通路", "蓝田中路", "光文路"],
    "431321": ["复兴路", "书院路", "国藩路"],
    "431322": ["天华路", "上梅东路", "梅苑南路"],
}
_ESTATES = ["湘中花园", "涟水名城", "孙水河畔", "金海湾", "仙女寨小区", "万豪城", "恒大华府", "月湖公馆", "书香苑"]
_SURNAMES = "李王刘陈曾肖谢彭周谭刘罗颜邹康吴袁段贺欧阳".replace("欧阳", "易")
_GIVEN = [
    "建国",
    "志强",
    "秀英",
    "丽华",
    "海波",
    "晓红",
    "国平",
    "桂兰",
    "文杰",
    "雅琴",
    "子涵",
    "梓轩",
    "春梅",
    "立新",
    "永康",
]
_USES = [("住宅", 0.86), ("商业", 0.08), ("办公", 0.04), ("工业", 0.02)]


def make() -> str:
    """The file's content."""
    dice = random.Random(SEED)  # noqa: S311 - made-up data, not secrets
    residents = [(_resident_address(i), dice.choice(_SURNAMES) + dice.choice(_GIVEN)) for i in range(RESIDENTS)]
    rows = [_title(dice, number, residents) for number in range(TITLES)]
    for position, broken in zip((97, 211, 388, 512, 733, 901), _broken(rows), strict=True):
        rows.insert(position, broken)
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(HEADING)
    writer.writerows(rows)
    return output.getvalue()


def _resident_address(index: int) -> str:
    Account.enable_unaudited_hdwallet_features()
    if index < len(ACTING_RESIDENTS):
        path = f"m/44'/60'/0'/0/{ACTING_RESIDENTS[index]}"
        return str(Account.from_mnemonic(MNEMONIC, account_path=path).address)
    return str(to_checksum_address(keccak(text=f"chaincity made-up resident {index}")[12:]))


def _title(dice: random.Random, number: int, residents: list[tuple[str, str]]) -> list[str]:
    county = dice.choices(list(_COUNTIES), weights=[5, 2, 2, 2, 3])[0]
    zone, subzone = dice.randint(1, 24), dice.randint(1, 40)
    parcel, building, room = dice.randint(1, 900), dice.randint(1, 30), number + 1
    feature = dice.choices(["GB", "JC"], weights=[9, 1])[0]
    unit = f"{county}{zone:03d}{subzone:03d}{feature}{parcel:05d}F{building:04d}{room:04d}"
    address, name = residents[number if number < len(residents) else dice.randrange(len(residents))]
    use = dice.choices([u for u, _ in _USES], weights=[w for _, w in _USES])[0]
    floor = dice.randint(1, 33 if feature == "GB" else 3)
    street = dice.choice(_STREETS[county])
    where = f"{_COUNTIES[county]}{street}{dice.randint(1, 988)}号{dice.choice(_ESTATES)}{building}栋{floor:02d}{dice.randint(1, 4):02d}"
    area = max(38.0, dice.gauss(112, 28)) if use == "住宅" else max(15.0, dice.gauss(160, 90))
    right = "国有建设用地使用权/房屋所有权" if feature == "GB" else "宅基地使用权/房屋所有权"
    until = f"20{dice.randint(58, 94)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}" if feature == "GB" else ""
    return [unit, address, name, where, use, f"{area:.2f}", right, until, str(floor)]


def _broken(rows: list[list[str]]) -> list[list[str]]:
    """One row for each thing that goes wrong in real files."""
    lower_case = [rows[3][0].lower(), *rows[3][1:]]
    short_unit = [rows[40][0][:-1], *rows[40][1:]]
    repeated = list(rows[7])
    wrong_checksum = [rows[60][0][:-4] + "9901", _swap_case(rows[60][1]), *rows[60][2:]]
    no_area = [rows[80][0][:-4] + "9902", *rows[80][1:5], "", *rows[80][6:]]
    too_few_columns = [rows[90][0][:-4] + "9903", *rows[90][1:6]]
    # The repeated unit must come after its first appearance, and so must all the others: they are inserted in this order.
    return [lower_case, repeated, wrong_checksum, short_unit, no_area, too_few_columns]


def _swap_case(address: str) -> str:
    """The same address with the case of one letter changed: a wrong checksum."""
    position = next(i for i, c in enumerate(address) if i > 1 and c.isalpha())
    return address[:position] + address[position].swapcase() + address[position + 1 :]


if __name__ == "__main__":
    FILE.write_text(make(), encoding="utf-8")
    print(f"{FILE.name}: {TITLES} titles and 6 broken rows, seed {SEED}")
