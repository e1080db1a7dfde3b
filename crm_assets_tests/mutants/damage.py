"""Damage: bytes of the file changed without regard to what they are, and fields of the zip set to odd values."""

import re
import struct
from collections.abc import Callable
from random import Random

type Damage = Callable[[bytearray, Random], None]

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
FIELDS = {  # offset and format of each field behind the magic
    LOCAL: [
        (4, "<H"),
        (6, "<H"),
        (8, "<H"),
        (10, "<H"),
        (12, "<H"),
        (14, "<I"),
        (18, "<I"),
        (22, "<I"),
        (26, "<H"),
        (28, "<H"),
    ],
    CENTRAL: [
        *[
            (4, "<H"),
            (6, "<H"),
            (8, "<H"),
            (10, "<H"),
            (12, "<H"),
            (14, "<H"),
            (16, "<I"),
            (20, "<I"),
            (24, "<I"),
            (28, "<H"),
        ],
        *[(30, "<H"), (32, "<H"), (34, "<H"), (36, "<H"), (38, "<I"), (42, "<I")],
    ],
    END: [(4, "<H"), (6, "<H"), (8, "<H"), (10, "<H"), (12, "<I"), (16, "<I"), (20, "<H")],
}
ODD = [0, 1, 2, 7, 8, 9, 12, 20, 0x41, 0x800, 0x801, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF]


def flip_a_bit(content: bytearray, random: Random) -> None:
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)


def write_bytes(content: bytearray, random: Random) -> None:
    at, size = random.randrange(len(content)), random.choice([1, 2, 4, 16, 64])
    content[at : at + size] = random.randbytes(size)


def insert_bytes(content: bytearray, random: Random) -> None:
    at = random.randrange(len(content) + 1)
    content[at:at] = random.randbytes(random.choice([1, 2, 7, 100]))


def delete_bytes(content: bytearray, random: Random) -> None:
    at = random.randrange(len(content))
    del content[at : at + random.choice([1, 2, 7, 100])]


def truncate(content: bytearray, random: Random) -> None:
    del content[random.randrange(len(content)) :]


def append_bytes(content: bytearray, random: Random) -> None:
    content += random.choice([b"\0", b"PK\x05\x06", random.randbytes(30), bytes(content[-22:]), bytes(content)])


def move_a_block(content: bytearray, random: Random) -> None:
    at, size, to = random.randrange(len(content)), random.randrange(1, 200), random.randrange(len(content))
    block = content[at : at + size]
    del content[at : at + size]
    content[to:to] = block


def change_a_digit(content: bytearray, random: Random) -> None:
    """Where parts are stored and not packed, this is a digit of a value."""
    at = random.choice([found.start() for found in re.finditer(rb"\d", content)])
    content[at] = ord(random.choice("0123456789"))


def change_a_field(content: bytearray, random: Random) -> None:
    magic = random.choice([LOCAL, CENTRAL, CENTRAL, END])
    start = random.choice([found.start() for found in re.finditer(re.escape(magic), content)])
    offset, size = random.choice(FIELDS[magic])
    (now,) = struct.unpack_from(size, content, start + offset)
    most = 2 ** (8 * struct.calcsize(size)) - 1
    value = random.choice([*ODD, most, now + 1, now - 1, now * 2, random.randrange(most)])
    struct.pack_into(size, content, start + offset, value & most)


def swap_two_entries(content: bytearray, random: Random) -> None:
    """Two names of equal length, as in a package whose parts were exchanged, in one of their two places only."""
    names = [found.start() for found in re.finditer(rb"xl/|docProps/|_rels/", content)]
    one, other = random.choice(names), random.choice(names)
    content[one : one + 6], content[other : other + 6] = content[other : other + 6], content[one : one + 6]


DAMAGES: list[Damage] = [
    flip_a_bit,
    write_bytes,
    insert_bytes,
    delete_bytes,
    truncate,
    append_bytes,
    move_a_block,
    change_a_digit,
    change_a_field,
    change_a_field,
    swap_two_entries,
]
