"""Review: a plan as people and programs read it, with nothing secret in it."""

from __future__ import annotations

import grp
import pwd
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import join

from wizard.differences import LineMatcher
from wizard.inert import inert, inert_bytes
from wizard.plan import Advice, Change, Directory, File, Link, Owner, Plan

HIDDEN = "[hidden]"
TAB = "→   "
CONTEXT_LINES = 3


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a unified diff."""

    mark: str
    """"+", "-", " " or "@" for a gap."""
    number: int | None
    """Line number after the change ("+", " ") or before it ("-")."""
    text: str
    """The line, inert and without secrets."""

    def __str__(self) -> str:
        return self.text if self.mark == "@" else f"{self.mark}{self.text}"


def sign(change: Change) -> str:
    """One character: + made, ~ edited, - removed."""
    if isinstance(change, Directory):
        return "+" if change.present else "-"
    if change.before is None:
        return "+"
    return "-" if change.after is None else "~"


def verb(change: Change) -> str:
    """What happens, in a word."""
    made = "link" if isinstance(change, Link) else "create"
    return {"+": made, "~": "edit", "-": "remove"}[sign(change)]


def mode_text(change: Change) -> str:
    """Permission bits as four octal digits; empty when they stay as they are."""
    mode = None if isinstance(change, Link) else change.mode
    return "" if mode is None or sign(change) == "-" else f"{mode:04o}"


def owner_text(owner: Owner | None) -> str:
    """`user` or `user:group` where the group has another name."""
    if owner is None:
        return ""
    user, group = _name_of_user(owner.uid), _name_of_group(owner.gid)
    return user if user == group else f"{user}:{group}"


def summary(change: Change) -> str:
    """One line: sign, path, what happens, mode, owner."""
    owner = "" if isinstance(change, Link) else owner_text(change.owner)
    details = [verb(change), mode_text(change), owner, change.about]
    if isinstance(change, File) and hides_all(change):
        details.append("secret, never shown")
    return inert(f"{sign(change)} {change.path}  ({', '.join(part for part in details if part)})")


def diff(change: Change) -> tuple[DiffLine, ...]:
    """The change as the lines of a unified diff; a secret file is one line saying so."""
    if isinstance(change, Directory):
        return (DiffLine("+" if change.present else "-", None, inert(f"folder {change.path}")),)
    if isinstance(change, Link):
        pairs = (("-", change.before), ("+", change.after))
        return tuple(DiffLine(mark, None, inert(f"link to {to}")) for mark, to in pairs if to is not None)
    if hides_all(change):
        return tuple(_secret_lines(change))
    return tuple(_file_diff(change))


def hides_all(change: File) -> bool:
    """Whether nothing of the content is shown: it is secret, or a private key is in it, now or before."""
    return change.secret or any(
        b"PRIVATE KEY-----" in content for content in (change.before, change.after) if content
    )


def _secret_lines(change: File) -> Iterator[DiffLine]:
    for mark, content in (("-", change.before), ("+", change.after)):
        if content is not None:
            yield DiffLine(mark, None, f"{HIDDEN}: {len(content)} bytes, never shown")


def _file_diff(change: File) -> Iterator[DiffLine]:
    before, after = _lines(change.before, change.hidden), _lines(change.after, change.hidden)
    # Compared by the real bytes: two lines that differ only in a hidden value are still a change.
    matcher = LineMatcher([raw for raw, _ in before], [raw for raw, _ in after])
    for group in matcher.get_grouped_opcodes(CONTEXT_LINES):
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        yield DiffLine("@", None, f"@@ -{_range(i1, i2)} +{_range(j1, j2)} @@")
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                for offset, (_, shown) in enumerate(after[new_start:new_end]):
                    yield DiffLine(" ", new_start + offset + 1, shown)
                continue
            for offset, (_, shown) in enumerate(before[start:end]):
                yield DiffLine("-", start + offset + 1, shown)
            for offset, (_, shown) in enumerate(after[new_start:new_end]):
                yield DiffLine("+", new_start + offset + 1, shown)


def _range(start: int, end: int) -> str:
    return f"{start + 1 if end > start else start},{end - start}"


def _lines(content: bytes | None, hidden: tuple[bytes, ...]) -> list[tuple[bytes, str]]:
    """Each line as its bytes and as it is shown; a last line without its line feed says so."""
    if not content:
        return []
    lines = content.split(b"\n")
    ended = lines[-1] == b""
    if ended:
        lines.pop()
    shown = [(line, inert_bytes(_tabs_seen(_masked(line, hidden)))) for line in lines]
    if not ended:
        raw, text = shown[-1]
        shown[-1] = (raw + b"\0", text + "  (no line feed at the end of the file)")
    return shown


def _tabs_seen(line: bytes) -> bytes:
    """The line with its tabs marked, four columns each as ever; those that only indent it stay blank."""
    text = line.lstrip(b" \t")
    return line[: len(line) - len(text)] + text.replace(b"\t", TAB.encode())


def _masked(line: bytes, hidden: tuple[bytes, ...]) -> bytes:
    """The line with each hidden value replaced; a very short one only where it stands as a word."""
    # A value of several lines is hidden in each of them.
    values = {part for value in hidden for part in value.split(b"\n") if part.strip()}
    for value in sorted(values, key=len, reverse=True):
        pattern = re.escape(value) if len(value) > 3 else rb"(?<!\w)" + re.escape(value) + rb"(?!\w)"
        line = re.sub(pattern, HIDDEN.encode(), line)
    return line


def described(change: Change) -> tuple[str, ...]:
    """What a file says in plain words, where that tells a person more than its bytes."""
    return tuple(map(inert, change.described)) if isinstance(change, File) else ()


def counts(change: Change) -> tuple[int, int]:
    """Lines added and lines removed."""
    marks = [line.mark for line in diff(change)]
    return marks.count("+"), marks.count("-")


def how_many(plan: Plan) -> str:
    """How many changes, in words."""
    return "1 change" if len(plan.changes) == 1 else f"{len(plan.changes)} changes"


def why_nothing(plan: Plan) -> str:
    """Why a plan changes nothing, in words."""
    if plan.awaits:
        return "it waits for its certificate"
    return "everything is as it should be" if plan.kept else "there is nothing to write"


def text(plan: Plan) -> str:
    """The whole preview as text: changes with diffs, checks, warnings and advice."""
    return "\n".join(inert(line) for part in _text_parts(plan) for line in part.split("\n"))


def _text_parts(plan: Plan) -> Iterator[str]:
    yield plan.title
    nothing = f"Nothing to change: {why_nothing(plan)}."
    yield f"{how_many(plan)}, nothing written yet" if plan.changed else nothing
    yield from (f"= {inert(str(path))}  (fits, stays as it is)" for path in plan.kept)
    yield from (summary(change) for change in plan.changes)
    for change in plan.changes:
        path = inert(str(change.path))
        yield from ("", f"--- {path}", f"+++ {path}")
        said = described(change)
        yield from (f"  {line}" for line in said) if said else map(str, diff(change))
    for warning in plan.warnings:
        yield f"\n! {place(warning.path, warning.line)}{warning.text}"
    if plan.validations and plan.changed:
        yield "\nChecks after writing (a failure restores everything):"
        yield from ("  " + join(command.arguments) for command in plan.validations)
    if plan.advice:
        yield "\nYou do afterwards:"
        for advice in plan.advice:
            yield from advice_lines(advice)


def advice_lines(advice: Advice) -> Iterator[str]:
    """What to do, and the command under it; a text of several lines stands at the edge, to be copied."""
    yield f"  {advice.text}"
    lines = advice.command.splitlines()
    yield from lines if len(lines) > 1 else (f"    {line}" for line in lines)


def place(path: Path | None, line: int | None) -> str:
    """`start.sh, line 5: ` or nothing."""
    if path is None:
        return ""
    return inert(f"{path.name}, line {line}: " if line else f"{path.name}: ")


def as_json(plan: Plan) -> dict[str, object]:
    """The preview as plain data; diffs in the shape that Ansible prints, without secrets."""
    return {
        "target": plan.target,
        "title": plan.title,
        "changed": plan.changed,
        "changes": [_change_json(change) for change in plan.changes],
        "kept": [str(path) for path in plan.kept],
        "validations": [list(command.arguments) for command in plan.validations],
        "warnings": [
            {"text": w.text, "path": str(w.path) if w.path else None, "line": w.line} for w in plan.warnings
        ],
        "advice": [{"text": a.text, "command": a.command} for a in plan.advice],
        "restart": list(plan.restart.arguments) if plan.restart else None,
    }


def _change_json(change: Change) -> dict[str, object]:
    owner = None if isinstance(change, Link) else owner_text(change.owner) or None
    return {
        "path": str(change.path),
        "kind": type(change).__name__.lower(),
        "action": verb(change),
        "mode": mode_text(change) or None,
        "owner": owner,
        "secret": isinstance(change, File) and hides_all(change),
        "about": change.about,
        "described": list(described(change)),
        "diff": [str(line) for line in diff(change)],
    }


def _name_of_user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _name_of_group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
