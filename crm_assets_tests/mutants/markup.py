"""Markup: the parts' XML changed, well formed or not, and packed again with right checksums."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from crm_assets_tests.sheets import BOOK, LINKS, SHEET, STRINGS, STYLES

type Parts = dict[str, str]
type Change = Callable[[str, Random], str]

ROW = re.compile(r"<row\b[^>]*?(?:/>|>.*?</row>)", re.DOTALL)
CELL = re.compile(r"<c\b[^>]*?(?:/>|>.*?</c>)", re.DOTALL)
VALUE = re.compile(r"<v\b[^>]*?(?:/>|>.*?</v>)", re.DOTALL)
VALUE_TEXT = re.compile(r"(?<=<v>)[^<]+(?=</v>)")
PLACE = re.compile(r' r="[A-Z]+\d+"')
NUMBERS = re.compile(r'(?<=<row r=")\d+(?=")')
KIND = re.compile(r' t="\w+"')
START = re.compile(r"<c\b")
SIGNS = "<>/=\"'&;:!?# \n0123456789abcrstvxABCRSTVX-._\u00e9\u20b9"


def parts_of(file: Path) -> Parts:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def packed(parts: Parts, file: Path) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), text.encode(errors="surrogatepass"))
    return file


def one(pattern: re.Pattern[str], *changes: Change) -> Change:
    """One of the places that match, changed in one of these ways."""

    def change(text: str, random: Random) -> str:
        found = list(pattern.finditer(text))
        if not found:
            return text
        place = random.choice(found)
        return text[: place.start()] + random.choice(changes)(place[0], random) + text[place.end() :]

    return change


def swapped(pattern: re.Pattern[str]) -> Change:
    def change(text: str, random: Random) -> str:
        found = list(pattern.finditer(text))
        first, second = sorted(random.sample(range(len(found)), 2)) if len(found) > 1 else (0, 0)
        if first == second:
            return text
        a, b = found[first], found[second]
        return text[: a.start()] + b[0] + text[a.end() : b.start()] + a[0] + text[b.end() :]

    return change


def into(*options: str) -> Change:
    return lambda _, random: random.choice(options)


def around(before: str, after: str = "") -> Change:
    return lambda text, _: f"{before}{text}{after}"


def everywhere(old: str, new: str) -> Change:
    return lambda text, _: text.replace(old, new)


def once(old: str, *new: str) -> Change:
    return lambda text, random: text.replace(old, random.choice(new), 1)


def number_of(text: str, random: Random) -> str:
    return str(max(0, int(text) + random.choice([-2, -1, 1, 2, 100, 60_000, 2_000_000])))


def split_at_random(text: str, between: str, random: Random) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + between + text[at:]


def a_sign_as_entity(text: str, random: Random) -> str:
    at = random.randrange(len(text))
    return f"{text[:at]}&#{random.choice(['', 'x0'])[:0]}{ord(text[at])};{text[at + 1 :]}"


def a_digit(text: str, random: Random) -> str:
    found = [place.start() for place in re.finditer(r"\d", text)]
    if not found:
        return text + str(random.randrange(10))
    at = random.choice(found)
    return text[:at] + str(random.randrange(10)) + text[at + 1 :]


def signs(text: str, random: Random) -> str:
    """A few signs deleted, written or replaced anywhere."""
    for _ in range(random.choice([1, 1, 2, 5])):
        at, size = random.randrange(len(text)), random.choice([0, 1, 1, 3])
        text = text[:at] + "".join(random.choices(SIGNS, k=random.choice([0, 1, 1, 2]))) + text[at + size :]
    return text


def a_merge(text: str, random: Random) -> str:
    left, top = random.randrange(1, 15), random.randrange(1, 12)
    right, bottom = left + random.randrange(-1, 3), top + random.randrange(-1, 3)
    area = f"{chr(64 + left)}{top}:{chr(64 + max(1, right))}{max(1, bottom)}"
    return text.replace("</sheetData>", f'</sheetData><mergeCells><mergeCell ref="{area}"/></mergeCells>', 1)


def all_prefixed(text: str, _: Random) -> str:
    """Every element of the sheet under a prefix, as some writers do."""
    head, root, rest = text.partition("<worksheet ")
    return head + (root + rest).replace("xmlns=", "xmlns:x=").replace("</", "</x:").replace("<", "<x:").replace(
        "<x:/x:", "</x:"
    )


IN_SHEET: list[Change] = [
    one(ROW, into(""), lambda text, _: text + text),
    swapped(ROW),
    one(NUMBERS, number_of, into("", "x", "1", "2", "3", "007", "1048576", "99999999999")),
    one(re.compile(r' r="\d+"(?=[^>]*><c)'), into("", ' r=""', ' R="2"')),
    one(ROW, around("<x:y xmlns:x='urn:y'>", "</x:y>"), around("<extLst>", "</extLst>"), around("<!--", "-->")),
    one(ROW, lambda text, _: text.replace("<row", "<x:row xmlns:x='urn:y'").replace("</row>", "</x:row>")),
    lambda text, random: _row_elsewhere(text, random),
    one(CELL, into("", "<c/>", "text"), lambda text, _: text + text),
    swapped(CELL),
    swapped(VALUE),
    swapped(re.compile(r"(?<=>)[^<>]+(?=<)")),
    one(PLACE, into("", ' r="XFD1048576"', ' r="A1"', ' r="B2"', ' r="KN3"', ' r="b2"', ' r=""', ' r="2B"')),
    one(PLACE, lambda text, _: re.sub(r"[A-Z](?=\d)", lambda letter: f"&#{ord(letter[0])};", text)),
    one(PLACE, lambda text, _: text + text),
    one(KIND, into("", *(f' t="{kind}"' for kind in ("n", "s", "str", "inlineStr", "b", "e", "d", "x", "", "&#110;")))),
    one(START, *(around("", f' t="{kind}"') for kind in ("s", "str", "inlineStr", "b", "e", "d"))),
    one(START, *(around("", f' s="{style}"') for style in (0, 1, 2, 3, 14, 22, 99, -1))),
    one(VALUE, into("", "<v/>", "<v></v>"), lambda text, _: text + text),
    one(
        VALUE,
        around("<f>1+1</f>"),
        around("<f/>"),
        around('<f t="array" ref="J2:J4">1</f>'),
        around("<f>1</f>", "<x/>"),
    ),
    one(VALUE, around("<x>", "</x>"), around("<is><t>", "</t></is>"), lambda text, _: text.replace("v>", "w>")),
    one(VALUE, lambda text, _: text.replace("<v>", "<is><t>").replace("</v>", "</t></is>")),
    one(
        VALUE_TEXT,
        into("", " ", "NaN", "inf", "1e5", "1E-7", "abc", "1,000", "₹1,200", "1_0", "-", "#N/A", "TRUE", "0x1"),
    ),
    one(VALUE_TEXT, a_digit),
    one(VALUE_TEXT, around("<![CDATA[", "]]>"), around(" ", "\n"), around("<b>", "</b>"), around("0"), around("", "0")),
    one(VALUE_TEXT, a_sign_as_entity),
    one(VALUE_TEXT, lambda text, random: split_at_random(text, "<!-- -->", random)),
    one(VALUE_TEXT, lambda text, random: split_at_random(text, "<?pi?>", random)),
    one(VALUE_TEXT, lambda text, random: split_at_random(text, "&amp;", random)),
    one(VALUE_TEXT, lambda text, random: split_at_random(text, "&nbsp;", random)),
    one(VALUE_TEXT, lambda text, random: split_at_random(text, "</v><v>", random)),
    once("<sheetData>", "<sheetData/><sheetData>", "<x><sheetData>", "", "<sheetData><sheetData>", "<sheetdata>"),
    once(
        "</sheetData>",
        "</sheetData><sheetData/>",
        "",
        "</sheetData></sheetData>",
        "</sheetData><sheetData><row/></sheetData>",
    ),
    one(
        re.compile("</row><row"), around("</row></sheetData><sheetData><row"), into("</row>text<row", "</row>\n\n<row")
    ),
    a_merge,
    all_prefixed,
    everywhere("http://schemas.openxmlformats.org/spreadsheetml/2006/main", "urn:other"),
    once(
        "<worksheet",
        "<!DOCTYPE a [<!ENTITY e 'x'>]><worksheet",
        "<chartsheet",
        "<worksheet dimension='A1'",
        "\ufeff<worksheet",
    ),
    once("UTF-8", "UTF-16", "ISO-8859-1", "ascii", "none"),
    one(
        re.compile(r"<dimension[^>]*>"),
        into('<dimension ref="A1:XFD1048576"/>', '<dimension ref="A1"/>', '<dimension ref=""/>', ""),
    ),
    lambda text, random: text[: random.randrange(len(text))],
    signs,
    signs,
    signs,
]


def _row_elsewhere(text: str, random: Random) -> str:
    """A row taken out of the cells and put behind them."""
    found = list(ROW.finditer(text))
    if not found:
        return text
    row = random.choice(found)
    return (text[: row.start()] + text[row.end() :]).replace("</sheetData>", f"</sheetData>{row[0]}", 1)


ELSEWHERE: dict[str, list[Change]] = {
    BOOK: [
        signs,
        one(re.compile(r"<sheet [^>]*/>"), into(""), lambda text, _: text + text),
        once("<sheets>", "<x>", "<sheets/><sheets>"),
    ],
    LINKS: [
        signs,
        swapped(re.compile(r'Target="[^"]*"')),
        swapped(re.compile(r'Id="[^"]*"')),
        once("worksheets/", "", "../", "./", "/xl/"),
    ],
    STYLES: [
        signs,
        one(
            re.compile(r'numFmtId="\d+"'),
            *(into(f'numFmtId="{number}"') for number in (0, 1, 2, 4, 14, 22, 49, 164)),
        ),
        one(re.compile(r"<xf [^>]*>"), into(""), lambda text, _: text + text),
    ],
    STRINGS: [
        signs,
        swapped(re.compile(r"<si>.*?</si>", re.DOTALL)),
        one(re.compile(r"<si>.*?</si>", re.DOTALL), into("", "<si/>", "<si><t/></si>"), lambda text, _: text + text),
        one(re.compile(r"(?<=<t>)[^<]+"), a_digit, a_sign_as_entity, around("<![CDATA[", "]]>")),
    ],
}


def mutate(parts: Parts, number: int, random: Random) -> None:
    """Every third mutant is of a part beside the sheet; of the others, each change has its turn."""
    beside = [name for name in ELSEWHERE if name in parts]
    if number % 4 == 3:
        name = random.choice(beside)
        parts[name] = random.choice(ELSEWHERE[name])(parts[name], random)
    else:
        parts[SHEET] = IN_SHEET[number % len(IN_SHEET)](parts[SHEET], random)
