"""Write the references from what they describe: `make docs`.

It writes three documents of the source tree that this file is in. docs/settings.md and docs/settings.schema.json come
from the settings models; which function reads which parameter is taken from the permissions in template.yaml.
docs/commands.md comes from the help texts and options of the operator's command.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.app import app
from backtrace_jira_cli.configure.settings_file import SettingsFile
from backtrace_jira_cli.configure.yaml_reader import read_yaml
from backtrace_jira_cli.faults import models_in
from backtrace_jira_cli.link_document import KEYS

ROOT = Path(__file__).parents[1]
_AS_IT_IS = "\b"
"""Begins a paragraph of a help text whose lines are kept, as click has it."""
_HANDLER = re.compile(r"^(\w+)\.handler\.")


def documents(root: Path = ROOT) -> dict[str, str]:
    """Return the generated documents by their path in the source tree."""
    return {
        "docs/settings.md": _reference(root),
        "docs/settings.schema.json": _schema(),
        "docs/commands.md": _commands(typer.main.get_command(app)),
    }


def _schema() -> str:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **SettingsFile.model_json_schema(),
        "title": "backtrace-jira settings",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _reference(root: Path) -> str:
    example = (root / "docs/settings.example.yaml").read_text(encoding="utf-8")
    examples = read_yaml(example.encode()).data
    parts = {
        "example": f"```yaml\n{example}```",
        "models": "\n\n".join(_tables(SettingsFile, "Top level", examples)),
        "parameters": _parameters(readers(root / "template.yaml")),
    }
    template = Path(__file__).with_name("settings.md.template").read_text(encoding="utf-8")
    return re.sub(r"@@(\w+)@@", lambda match: parts[match[1]], template)


def _tables(model: type[BaseModel], title: str, examples: object) -> Iterator[str]:
    """Yield a table for the model, and for each model within it."""
    rows = [_row(key, field, examples) for key, field in model.model_fields.items()]
    head = "| key | required | default | meaning | example |\n|---|---|---|---|---|\n"
    yield f"## {title}\n\n{_first_paragraph(model)}\n\n{head}" + "\n".join(rows)
    for key, field in model.model_fields.items():
        for inner in models_in(field.annotation):
            items = [item for one in _as_list(examples) for item in _as_list(_of(one, key))]
            yield from _tables(inner, f"`{key}`", items)


def _row(key: str, field: FieldInfo, examples: object) -> str:
    holds_models = any(models_in(field.annotation))
    cells = (
        f"`{key}`",
        "yes" if field.is_required() else "no",
        "" if field.is_required() else _default(field),
        field.description or "",
        "see below" if holds_models else _example(key, field, examples),
    )
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, BaseModel):
        return "its own"
    if isinstance(default, tuple) and default:
        return f"`{', '.join(map(str, default))}`"
    return f"`{default}`" if default not in (None, (), {}, []) else "none"


def _example(key: str, field: FieldInfo, examples: object) -> str:
    """Return the field's own example, or the first one of the example file."""
    found = field.examples or [one[key] for one in _as_list(examples) if isinstance(one, dict) and key in one]
    if not found:
        return ""
    return f"`{found[0] if isinstance(found[0], str) else json.dumps(found[0], ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _first_paragraph(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").split("\n\n", maxsplit=1)[0].strip()


def _as_list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _of(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _parameters(who: Mapping[str, Iterable[str]]) -> str:
    """Return the table of parameters, with the functions that may read each."""
    names = ParameterNames("")
    rows = (
        (f"{names.integrations('<universe>', '<project>')}/<name>", "String", "an integration as JSON"),
        (names.connection("<name>"), "String", "a connection as JSON"),
        (names.universe("<universe>"), "String", "a universe as JSON"),
        (names.jira_secret("<connection>"), "SecureString", "API token, personal access token or password"),
        (names.backtrace_secret("<universe>"), "SecureString", "Backtrace token"),
        (names.webhook_secret("<connection>"), "SecureString", "what Jira signs its webhooks with"),
    )
    lines = ["| parameter | type | holds | read by |", "|---|---|---|---|"]
    for name, kind, holds in rows:
        root = name[1 : name.index("<")]
        reading = sorted(f"`{function}`" for function, paths in who.items() if root in paths)
        lines.append(f"| `{name[1:]}` | {kind} | {holds} | {', '.join(reading)} |")
    return "\n".join(lines)


class _Template(yaml.SafeLoader):
    """Reads a template with CloudFormation's short functions as what they stand for: {"Sub": ...}."""


def _short_function(_: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: node.value}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: [item.value for item in node.value]}
    return {suffix: None}


_Template.add_multi_constructor("!", _short_function)


def readers(template: Path) -> dict[str, set[str]]:
    """Return, for each function, the paths below a stage that its role may read: {"create_ticket": {...}}."""
    # _Template is a SafeLoader.
    resources = yaml.load(template.read_text(encoding="utf-8"), Loader=_Template)["Resources"]  # noqa: S506
    found = {}
    for resource in resources.values():
        handler = _HANDLER.match(str(resource.get("Properties", {}).get("Handler", "")))
        role = resource.get("Properties", {}).get("Role")
        if handler and isinstance(role, dict):
            logical_id = str(role["GetAtt"]).removesuffix(".Arn")
            found[handler[1]] = set(_readable(resources[logical_id]["Properties"]))
    return found


def _readable(role: Mapping[str, Any]) -> Iterator[str]:
    for policy in role.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            if any(action.startswith("ssm:Get") for action in _as_list(actions)):
                for resource in _as_list(statement["Resource"]):
                    arn = str(_of(resource, "Sub"))
                    yield arn.partition("/backtrace-jira/${Stage}/")[2].removesuffix("*")


# Commands

_HEAD = """<!-- Written by `make docs` from the command's own help texts. Edit those. -->

# Commands

`backtrace-jira` is the operator's command; after `make setup` it is `.venv/bin/backtrace-jira`. It uses your own AWS
rights, and no command sends a refused credential twice."""


_JSON = """## JSON documents

With `--json`, every command prints one object with `ok`, `exit_code`, `error` (null, or the sentence) and `faults`.
Times are unix seconds, and null for none: the keys `at`, `until` and all that end in `_until`. What became of one item
of many is its `outcome`: of a group in `links add` and `links remove`, of a connection in the webhook commands.

`explain` (in `decisions`), `links list` and `links show` (in `links`) print the same document for a link.
`explain` adds `headline`, `advice` and `parked_until`."""


def _commands(group: object) -> str:
    leaves = dict(_leaves(group, "backtrace-jira"))
    shared = _shared(leaves.values())
    parts = [_HEAD, _prose(_help(group)), "## Options of every command", _options(shared.values())]
    for name, leaf in leaves.items():
        parts += [f"## `{name}`", f"```\n{_usage(name, leaf)}\n```", _prose(_help(leaf)), _arguments(leaf)]
        parts.append(_options(option for key, option in _options_of(leaf).items() if key not in shared))
    parts += [_JSON, _table("key", ((f"`{key}`", text) for key, text in KEYS.items()))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _leaves(command: object, name: str) -> Iterator[tuple[str, TyperCommand]]:
    """Yield the commands that do something, with their full names."""
    if isinstance(command, TyperCommand):
        yield name, command
    elif isinstance(command, TyperGroup):
        for child in command.commands.values():
            yield from _leaves(child, f"{name} {child.name}")


def _help(command: object) -> str:
    return str(getattr(command, "help", "") or "")


def _options_of(leaf: TyperCommand) -> dict[str, TyperOption]:
    return {_option_name(each): each for each in leaf.params if isinstance(each, TyperOption)}


def _shared(leaves: Iterable[TyperCommand]) -> dict[str, TyperOption]:
    """Return the options that every command has, by their names; of several explanations, the shortest."""
    by_leaf = [_options_of(leaf) for leaf in leaves]
    names = [name for name in by_leaf[0] if all(name in each for each in by_leaf)]
    return {
        name: min((each[name] for each in by_leaf), key=lambda one: len(one.help or "")) for name in names
    }


def _usage(name: str, leaf: TyperCommand) -> str:
    return " ".join([name, *(argument for argument, _ in _arguments_of(leaf)), "[OPTIONS]"])


def _arguments_of(leaf: TyperCommand) -> Iterator[tuple[str, str]]:
    for each in leaf.params:
        if isinstance(each, TyperArgument):
            name = each.metavar or str(each.name).upper()
            yield name if each.required or name.startswith("[") else f"[{name}]", each.help or ""


def _prose(text: str) -> str:
    """Return a help text as Markdown: what is laid out by hand there (behind a \\b) is a code block here."""
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(
        f"```\n{each.removeprefix(_AS_IT_IS).strip(chr(10))}\n```" if each.startswith(_AS_IT_IS) else each
        for each in paragraphs
    )


def _arguments(leaf: TyperCommand) -> str:
    return _table("argument", ((f"`{name}`", text) for name, text in _arguments_of(leaf)))


def _options(options: Iterable[TyperOption]) -> str:
    return _table("option", ((_option_name(each), each.help or "") for each in options))


def _table(what: str, pairs: Iterable[tuple[str, str]]) -> str:
    rows = [f"| {_cell(name)} | {_cell(text)} |" for name, text in pairs]
    return "\n".join([f"| {what} | meaning |", "|---|---|", *rows]) if rows else ""


def _option_name(option: TyperOption) -> str:
    return ", ".join(f"`{name}`" for name in sorted(option.opts, key=len, reverse=True))


def main(root: Path = ROOT) -> None:
    """Write the documents."""
    for path, text in documents(root).items():
        (root / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
