"""The man pages: right, whole, and the same each time."""
import filecmp
import glob
import gzip
import json
import os
import re
import tempfile

from support import PROGRAM, commands, made, run


def pages():
    return sorted(glob.glob(f"{made()}/man/man*/*.gz"))


def shown(path):
    """As a reader sees it, on one line: what was broken over two lines is found all the same."""
    with tempfile.NamedTemporaryFile() as page:
        with gzip.open(path) as file:
            page.write(file.read())
        page.flush()
        text = run("mandoc", "-T", "utf8", "-O", "width=200", page.name)
    return " ".join(re.sub(".\b", "", text).replace("‐", "-").split())


def test_nothing_in_them_is_wrong():
    for path in pages():
        with tempfile.TemporaryDirectory() as place:
            page = os.path.join(place, os.path.basename(path).removesuffix(".gz"))
            with gzip.open(path) as file, open(page, "wb") as plain:
                plain.write(file.read())
            for tool in (("mandoc", "-T", "lint", "-W", "warning"), ("groff", "-ww", "-man", "-z", "-K", "ascii")):
                said = run(*tool, page)
                assert said == "", said
            said = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page, check=True)
            # The word itself may stand in a page.
            assert ": warning" not in said and "warning:" not in said, said


def test_each_command_and_option_of_its_help_is_in_its_page():
    count = 0
    for words, _ in commands():
        text = shown(f"{made()}/man/man1/{'-'.join(words)}.1.gz")
        said = run(PROGRAM, *words[1:], "--help")
        names = re.findall(r"^  (?:(-\w), )?(--[a-z-]+)", said, flags=re.MULTILINE)
        assert names, words
        for short, long in names:
            assert re.search(rf"{short + ', ' if short else ''}{long}\b", text), (words, short, long)
            count += 1
        if "SUBCOMMANDS:" in said:
            for name in re.findall(r"^  ([a-z]+) ", said.partition("SUBCOMMANDS:")[2], flags=re.MULTILINE):
                assert f"{'-'.join(words)}-{name}(1)" in text, (words, name)
                count += 1
    assert count > 100, count


def test_each_key_of_a_profile_is_in_the_page_of_profiles():
    with open("profiles/schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    text = shown(f"{made()}/man/man5/clawjail-profile.5.gz")
    keys = set()

    def walk(value):
        for key, inner in value.items():
            if key == "properties":
                keys.update(inner)
            for part in inner if isinstance(inner, list) else [inner]:
                if isinstance(part, dict):
                    walk(part)

    walk(schema)
    assert len(keys) > 60, keys
    # Those of the top that hold others have a section of their own.
    missing = [key for key in keys if not re.search(rf"\b{key} \(|^.* {key.upper()} [A-Z]", text)]
    assert not missing, missing


def test_each_has_its_sections_and_leads_to_pages_that_are_there():
    there = {os.path.basename(path).removesuffix(".gz") for path in pages()}
    for path in pages():
        text = shown(path)
        for section in ("NAME", "DESCRIPTION", "SEE ALSO"):
            assert f" {section} " in text, (path, section)
        for name, number in re.findall(r"\b(clawjail[a-z-]*)\((\d)\)", text):
            assert f"{name}.{number}" in there, (path, name, number)


def test_made_again_they_are_the_same():
    with tempfile.TemporaryDirectory() as place:
        for name in ("a", "b"):
            run("scripts/manual", PROGRAM, f"{place}/{name}", env={"SOURCE_DATE_EPOCH": "1700000000", "TZ": "Asia/" + ("Tokyo" if name == "a" else "Tehran")})
        for section in ("man1", "man5"):
            names = os.listdir(f"{place}/a/{section}")
            same, other, wrong = filecmp.cmpfiles(f"{place}/a/{section}", f"{place}/b/{section}", names, shallow=False)
            assert sorted(same) == sorted(names) and not other and not wrong, (other, wrong)
            with open(f"{place}/a/{section}/{names[0]}") as page:
                assert "2023-11-14" in page.read()
