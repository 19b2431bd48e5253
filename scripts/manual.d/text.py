"""Plain text to the manual's language, man(7).

    # HEADING           a section
    term :: text        an entry of a list
        four spaces     an example, as it stands
    `code` and _name_   bold and italic
"""
import os
import re
import textwrap
from dataclasses import dataclass


@dataclass
class Heading:
    version: str
    date: str


def read_directory(path):
    """What is written by hand: {"clawjail-run.1": {"EXAMPLES": text, …}}."""
    result = {}
    for name in sorted(os.listdir(path)):
        if not name.endswith(".txt"):
            raise SystemExit(f"manual: {path}/{name}: it must be PAGE.SECTION.txt")
        with open(os.path.join(path, name), encoding="utf-8") as file:
            parts = re.split(r"^# (.+)\n", file.read(), flags=re.MULTILINE)
        if parts[0].strip():
            raise SystemExit(f"manual: {path}/{name}: it must begin with a heading")
        result[name.removesuffix(".txt")] = dict(zip(parts[1::2], parts[2::2]))
    return result


CHARACTERS = {
    "\\": r"\e", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", "–": r"\(en", "…": "...", "→": r"\(->",
    "≥": r"\(>=", "×": r"\(mu",
}


def escape(words, hyphens=False):
    """The characters themselves. `hyphens`: as typed on a keyboard, for what can be typed."""
    result = []
    for character in words:
        if character == "-" and hyphens:
            result.append(r"\-")
        elif character in CHARACTERS:
            result.append(CHARACTERS[character])
        elif ord(character) > 126:
            result.append(f"\\[u{ord(character):04X}]")
        else:
            result.append(character)
    return "".join(result)


def guarded(line):
    """At the start of a line these two would make it a request."""
    return r"\&" + line if line.startswith((".", "'")) else line


def bold(words):
    return rf"\fB{escape(words, hyphens=True)}\fR"


def italic(words):
    return rf"\fI{escape(words, hyphens=True)}\fR"


def inline(words):
    """`code`, _name_, --options and pages such as clawjail-run(1) in running text, as lines of a readable length."""
    return "\n".join(wrapped(marked(words)))


def wrapped(words):
    """Lines of words that are in the manual's language already."""
    lines = textwrap.wrap(words, 79, break_long_words=False, break_on_hyphens=False)
    return [guarded(line) for line in lines]


def marked(words):
    pattern = r"(?P<code>`[^`]+`)|(?P<name>\b_[^_]+_\b)|(?P<page>[a-z][a-z.-]*\([1-8]\))|(?P<option>(?<![\w-])--?[a-z][a-z-]*)"
    result, end = [], 0
    for found in re.finditer(pattern, words):
        result.append(escape(words[end:found.start()]))
        end = found.end()
        if found["code"]:
            result.append(bold(found[0][1:-1]))
        elif found["name"]:
            result.append(italic(found[0][1:-1]))
        elif found["page"]:
            name, section = found[0][:-1].split("(")
            result.append(f"{bold(name)}({section})")
        else:
            result.append(bold(found[0]))
    result.append(escape(words[end:]))
    return "".join(result)


def entry(term, words):
    """`term` is in the manual's language already."""
    return [".TP", term, inline(words)]


def body(words):
    """The lines of a section."""
    result, first = [], True
    for block in re.split(r"\n\s*\n", words.strip("\n")):
        lines = block.split("\n")
        if all(line.startswith("    ") for line in lines):
            result += [".PP", ".RS 4", ".nf"] + [guarded(escape(line[4:], hyphens=True)) for line in lines] + [".fi", ".RE"]
        elif " :: " in lines[0]:
            for item in re.split(r"\n(?=\S.* :: )", block):
                term, _, meaning = item.partition(" :: ")
                result += entry(marked(term), " ".join(meaning.split()))
        else:
            # A section's first paragraph stands there by itself.
            result += ([] if first else [".PP"]) + [inline(" ".join(block.split()))]
        first = False
    return result[1:] if result and result[0] == ".PP" else result


def page(name, summary, sections, heading):
    """A whole page. `sections`: texts, or lists of lines in the manual's language."""
    title, _, number = name.rpartition(".")
    lines = [
        f'.TH "{escape(title.upper(), hyphens=True)}" "{number}" "{heading.date}" "clawjail {heading.version}" "clawjail"',
        # Words are not divided and lines not stretched: commands and options stay as they are typed.
        ".nh", ".ad l", ".SH NAME", rf"{escape(title, hyphens=True)} \- {marked(' '.join(summary.split()))}",
    ]
    for title, content in sections.items():
        lines.append(f".SH {escape(title)}" if " " not in title else f'.SH "{escape(title)}"')
        lines += body(content) if isinstance(content, str) else content
    return "\n".join(lines) + "\n"
