"""Why a TOML file cannot be edited: what is said to newcomers about files that are no TOML, or not quite."""

from __future__ import annotations

import tomllib

from wizard.formats.splice import CannotEdit, line_of
from wizard.formats.toml_scan import Lost, Names, Scan
from wizard.inert import inert

LARGEST = 1_000_000
BY_HAND = "Make the change by hand."
_TEMPLATE = "Give the file that is made from the template, or put the value in its place."
KINDS = {
    "placeholder": ("This line holds a placeholder ({{ }}, ${ } or < >) in place of a value.", _TEMPLATE),
    "quotes": (
        "This text over several lines ends in a quote of its own: the node does not load the file.",
        "Write it in one line, in single or double quotes.",
    ),
    "deep": ("Names or brackets stand too deep within each other here.", BY_HAND),
}
_CONTROL = ("There is a control character here.", "Remove it; `cat -A` shows where it is.")
_OPEN_QUOTE = ("The quote that begins here has no end.", "Put a quote behind the text.")
_OPEN_BRACKET = ("A bracket is opened here and not closed.", "Put the closing one behind.")
_NO_PAIR = (
    "This line is neither `key = value`, nor a [table], nor a # comment.",
    "Correct it, or put # in front.",
)
_INVALID = {
    # By how the sentence of tomllib begins.
    "Invalid value": (
        "The value here is neither true, false, a number, nor text in quotes.",
        "Write true and false in small letters, and put quotes around text and paths.",
    ),
    "Unescaped '\\'": (
        "A backslash in double quotes begins an escape that TOML does not know.",
        "Write each backslash twice, or put single quotes around the text.",
    ),
    "Cannot overwrite": ("A key is set a second time here.", "Keep one of the two lines."),
    "Cannot declare": ("A table begins a second time here.", "Put all its keys under one header."),
    "Expected newline": (
        "There is more in this line than one key with its value.",
        "Put it on a line of its own.",
    ),
    "Expected ']": _OPEN_BRACKET,
    "Unclosed": _OPEN_BRACKET,
    "Expected '='": _NO_PAIR,
    "Invalid initial character": _NO_PAIR,
    "Invalid statement": _NO_PAIR,
    "Unterminated string": _OPEN_QUOTE,
    "Expected \"'": _OPEN_QUOTE,
    r"Illegal character '\n'": _OPEN_QUOTE,
    "Illegal character": _CONTROL,
    "Found invalid character": _CONTROL,
}
_CUT_OFF = ("The file ends in the middle of a value.", "Complete it: lists end with ], texts with a quote.")


def shown(path: Names) -> str:
    """A key as a person reads it."""
    return inert(".".join(path))


def text_of(data: bytes) -> str:
    """The file as text. Raises CannotEdit when it cannot be one, or is something else than TOML."""
    if len(data) > LARGEST:
        size = f"{len(data) / 1e6:.1f} MB"
        raise CannotEdit(f"The file has {size}; a configuration is smaller than 1 MB.", "Give another file.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CannotEdit(
            "This text is UTF-16, as some Windows editors write; the node reads UTF-8.",
            "Convert it with: iconv -f UTF-16 -t UTF-8 FILE > NEW",
            1,
        )
    if data.startswith(b"\xef\xbb\xbf"):
        raise CannotEdit(
            "The file begins with a byte order mark, which no editor shows. Because of it the node "
            "loses the setting in the first line, or refuses the file.",
            r"Remove it with: sed -i '1s/^\xEF\xBB\xBF//' FILE",
            1,
        )
    returns = data.find(b"\r")
    while data[returns : returns + 2] == b"\r\n":
        returns = data.find(b"\r", returns + 1)
    if returns >= 0:
        raise CannotEdit(
            "There is a carriage return without a line feed here, as in files of old Macs.",
            "Convert it with: tr '\\r' '\\n' <FILE >NEW",
            line_of(data, returns),
        )
    if b"\0" in data:
        line = line_of(data, data.index(b"\0"))
        raise CannotEdit("There are NUL bytes here: this is not a text file.", "Give another file.", line)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = line_of(data, error.start)
        reason = f"The byte 0x{data[error.start]:02x} here is not UTF-8, which TOML requires."
        raise CannotEdit(reason, "Convert it with: iconv -f LATIN1 -t UTF-8 FILE > NEW", line) from None
    begin = text.lstrip()[:2]
    if begin.startswith("{") and begin not in ("{{", "{%"):
        raise CannotEdit(
            "This is JSON, as the node had until V19 (config.json); its files are TOML since V20.",
            "Give config-rpc.toml or config-tls.toml.",
            1,
        )
    return text


def not_followed(text: str, data: bytes, lost: Lost) -> CannotEdit:
    """What to say where the scanner was lost: its own reason, or that of tomllib."""
    line = line_of(data, lost.at)
    if lost.kind:
        return CannotEdit(*KINDS[lost.kind], line)
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return not_toml(error, data, line=line)
    return CannotEdit("This line is written in a way that the wizard does not follow.", BY_HAND, line)


def not_toml(error: Exception, data: bytes, line: int | None = None, found: Scan | None = None) -> CannotEdit:
    """What to say where tomllib refuses; `line` is the scanner's, for where tomllib only knows the end."""
    message, _, place = str(error).rpartition(" (at ")
    number = place.removeprefix("line ").partition(",")[0]
    last = line_of(data, len(data.rstrip()))
    line = int(number) if number.isdecimal() else min(line or last, last)
    if message == "Invalid value" and not number.isdecimal():
        return CannotEdit(*_CUT_OFF, line)
    spots = [*found.headers, *found.entries] if found and message.startswith("Cannot ") else []
    again = {spot.path for spot in spots if spot.line == line}
    for spot in spots:
        if spot.path in again and spot.line < line:
            reason = f"{shown(spot.path)} stands in line {spot.line} already."
            return CannotEdit(reason, "Keep one of the two.", line)
    for begin, reason_and_remedy in _INVALID.items():
        if message.startswith(begin):
            return CannotEdit(*reason_and_remedy, line)
    said = f": {inert(message)}" if isinstance(error, tomllib.TOMLDecodeError) else ""
    return CannotEdit(f"This is not valid TOML{said}.", "Correct this line.", line)
