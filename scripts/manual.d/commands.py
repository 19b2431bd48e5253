"""The pages of commands, from what `clawjail --experimental-dump-help` prints (ToolInfo of swift-argument-parser)."""
from text import body, bold, entry, italic, page, wrapped


def pages(tree, added, heading):
    """(file name, page) of a command and all below it."""
    yield from walk(tree, [], added, heading)


def walk(command, above, added, heading):
    if not command.get("shouldDisplay", True):
        return
    words = above + [command["commandName"]]
    children = [child for child in command.get("subcommands", []) if child["commandName"] != "help"]
    name = "-".join(words) + ".1"
    sections = {"SYNOPSIS": synopsis(words, command, children), "DESCRIPTION": description(command, added.get(name, {}))}
    if children:
        sections["COMMANDS"] = [line for child in children for line in listed(child, words)]
    sections |= options(command)
    also = {}
    for title, content in added.get(name, {}).items():
        if title == "SEE ALSO":
            also = dict.fromkeys(word.strip() for word in content.split(","))
        elif title != "DESCRIPTION":
            sections[title] = content
    # What every command has in common, once.
    if above and "EXIT STATUS" not in sections:
        sections["EXIT STATUS"] = "0 if it worked. What else there is, clawjail(1) lists."
    sections["SEE ALSO"] = ", ".join(related(words, children) | also)
    yield name, page(name, command["abstract"].rstrip("."), sections, heading)
    for child in children:
        yield from walk(child, words, added, heading)


def related(words, children):
    names = ["-".join(words[:-1])] if len(words) > 1 else []
    names += ["-".join(words + [child["commandName"]]) for child in children if child.get("shouldDisplay", True)]
    return dict.fromkeys([f"{name}(1)" for name in names] + ["clawjail-profile(5)"])


def listed(child, words):
    if not child.get("shouldDisplay", True):
        return []
    name = "-".join(words + [child["commandName"]])
    return entry(f"{bold(name)}(1)", child["abstract"])


def synopsis(words, command, children):
    parts = [bold(" ".join(words))]
    if children:
        parts.append(r"\fIcommand\fR ...")
    else:
        arguments = [argument for argument in shown(command) if not is_common(argument)]
        # What follows "--" comes last, whatever the order of the definitions.
        arguments.sort(key=lambda argument: argument["parsingStrategy"] == "postTerminator")
        parts += [used(argument) for argument in arguments]
    return wrapped(" ".join(parts))


def description(command, added):
    text = command.get("discussion", "").strip() or command["abstract"]
    return body(text) + ([".PP"] + body(added["DESCRIPTION"]) if "DESCRIPTION" in added else [])


def shown(command):
    return [argument for argument in command.get("arguments", []) if argument.get("shouldDisplay", True)]


def is_common(argument):
    return [name["name"] for name in argument.get("names", [])][-1:] in (["version"], ["help"])


def spelled(name):
    return ("-" if name["kind"] in ("short", "longWithSingleDash") else "--") + name["name"]


def used(argument):
    """As it stands in the synopsis."""
    value = italic(argument["valueName"])
    if argument["kind"] == "positional":
        text = rf"{bold('--')} {value}" if argument["parsingStrategy"] == "postTerminator" else value
    else:
        text = bold(spelled(argument["preferredName"])) + ("" if argument["kind"] == "flag" else " " + value)
    if argument["kind"] == "positional" and argument["isRepeating"]:
        text += " ..."
    text = f"[{text}]" if argument["isOptional"] else text
    return text + (" ..." if argument["isRepeating"] and argument["kind"] != "positional" else "")


def options(command):
    """ARGUMENTS and OPTIONS, as far as there are any."""
    result = {"ARGUMENTS": [], "OPTIONS": []}
    for argument in shown(command):
        text = " ".join(filter(None, [argument.get("abstract", ""), argument.get("discussion", "")]))
        if argument.get("isRepeating") and argument["kind"] != "positional":
            text += " It may be given several times."
        if argument.get("allValues"):
            text += " One of: " + ", ".join(argument["allValues"]) + "."
        if argument.get("defaultValue") is not None and argument["kind"] != "flag":
            text += f" Default: `{argument['defaultValue']}`."
        if argument["kind"] == "positional":
            result["ARGUMENTS"] += entry(italic(argument["valueName"]), text)
        else:
            names = sorted(argument["names"], key=lambda name: name["kind"] != "short")
            term = ", ".join(bold(spelled(name)) for name in names)
            result["OPTIONS"] += entry(
                term + ("" if argument["kind"] == "flag" else " " + italic(argument["valueName"])), text)
    return {title: lines for title, lines in result.items() if lines}
