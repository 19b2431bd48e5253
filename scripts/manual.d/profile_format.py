"""clawjail-profile(5), from profiles/schema.json: every key, with what it takes."""
import text
from text import body, bold, entry

WORDS = {
    "profileName": "a profile's name", "size": "a size", "money": "an amount", "port": "a port",
    "publishedPort": "a port to publish",
    "count": "a number", "time": "a duration",
    "span": "a duration", "flag": "a flag", "words": "a list of words",
    "target": "a path", "hosts": "a list of hosts", "ports": "a list of ports",
    "methods": "a list of methods", "paths": "a list of paths", "string": "a text", "boolean": "true or false",
    "integer": "a number", "number": "a number", "object": "an object", "array": "a list",
}


def page_sections(schema):
    sections = {"KEYS": []}
    for key, value in schema["properties"].items():
        section = next((part for part in [value] + value.get("anyOf", []) if part.get("type") == "object"), None)
        if section:
            sections[key.upper()] = lines(schema, section | {"description": value["description"]}, key)
        else:
            sections["KEYS"] += described(schema, key, value) + below(schema, value, key)
    return sections


def lines(schema, value, path):
    result = body(value["description"])
    for key, inner in keys(schema, value):
        result += described(schema, f"{path}.{key}", inner)
        result += below(schema, inner, f"{path}.{key}")
    return result


def below(schema, value, path):
    """The keys of an object within, of the objects of a list, and of an object that stands for a simpler value."""
    value = resolved(schema, value)
    if value.get("type") == "array":
        return below(schema, value["items"], path + "[]")
    result = []
    for part in value.get("anyOf", []):
        result += below(schema, part, path)
    for key, inner in keys(schema, value):
        result += described(schema, f"{path}.{key}", inner) + below(schema, inner, f"{path}.{key}")
    return result


def keys(schema, value):
    return resolved(schema, value).get("properties", {}).items()


def resolved(schema, value):
    return schema["$defs"][value["$ref"].rpartition("/")[2]] if "$ref" in value else value


def kind(schema, value):
    """What it takes, in words."""
    if "$ref" in value:
        return WORDS[value["$ref"].rpartition("/")[2]]
    if "enum" in value:
        return "one of " + ", ".join(f'"{choice}"' for choice in value["enum"])
    if "anyOf" in value and "type" not in value:
        return " or ".join(dict.fromkeys(kind(schema, choice) for choice in value["anyOf"]))
    if value["type"] == "array":
        return "a list of " + plural(schema, value["items"])
    return WORDS[value["type"]]


def plural(schema, value):
    if "$ref" in value:
        return {"port": "ports", "bind": "paths, or objects", "publishedPort": "ports to publish", "flag": "flags",
                "words": "lists of words"}[value["$ref"].rpartition("/")[2]]
    if "enum" in value:
        return ", ".join(f'"{choice}"' for choice in value["enum"])
    if "anyOf" in value and "type" not in value:
        return " or ".join(plural(schema, choice) for choice in value["anyOf"])
    return {"string": "texts", "object": "objects", "array": "lists"}[value["type"]]


def described(schema, path, value):
    facts = [kind(schema, value)]
    target = resolved(schema, value)
    if "minimum" in target and "maximum" in target and "$ref" not in value:
        facts.append(f"{target['minimum']} to {target['maximum']}")
    words = value["description"]
    if "default" in value:
        default = value["default"]
        shown = {True: "true", False: "false"}.get(default, default) if isinstance(default, bool) else default
        if isinstance(default, list):
            shown = "[" + ", ".join(f'"{choice}"' for choice in default) + "]"
        words += f" Default: {shown}."
    return entry(f"{bold(path)}", f"({', '.join(facts)}) {words}")


def check(schema):
    """A word for everything that the schema names."""
    missing = set(schema["$defs"]) - set(WORDS) - {"bind"}
    if missing:
        raise SystemExit(f"manual: profile_format.py has no words for {', '.join(sorted(missing))}")


def page(schema, added, heading):
    check(schema)
    mine = dict(added.get("clawjail-profile.5", {}))
    sections = {}
    for title in ("SYNOPSIS", "DESCRIPTION"):
        if title in mine:
            sections[title] = mine.pop(title)
    sections |= page_sections(schema)
    sections |= mine
    return text.page("clawjail-profile.5", "what a jail may do, in a file", sections, heading)
