"""The pages a person looks at: one per ticket, and an index. Every value is escaped."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from flask import Blueprint, Response

from local.jira_stand_in.call import state
from local.jira_stand_in.model import Issue
from local.jira_stand_in.wiki import link, render
from local.jira_stand_in.wire import present

routes = Blueprint("pages", __name__)

_STYLE = """
body{font:15px/1.55 system-ui,sans-serif;color:#172b4d;background:#f4f5f7;margin:0}
header{background:#0747a6;color:#fff;padding:.7rem 1.5rem} header a{color:#fff;text-decoration:none}
main{max-width:62rem;margin:1.5rem auto;padding:1.5rem 2rem;background:#fff;border-radius:8px;
box-shadow:0 1px 3px #091e4240}
h1{font-size:1.5rem;margin:.2rem 0 1rem} h2{font-size:1.1rem;margin:1.6rem 0 .5rem} a{color:#0052cc}
table{border-collapse:collapse;margin:.5rem 0} th,td{border:1px solid #dfe1e6;padding:.3rem .6rem;
text-align:left;vertical-align:top;overflow-wrap:anywhere} th{background:#f4f5f7;font-weight:600}
pre,code{font-family:ui-monospace,monospace;font-size:.87em;background:#f4f5f7;border-radius:4px}
pre{padding:.7rem;overflow:auto} code{padding:.1rem .25rem}
.badge{display:inline-block;padding:.05rem .5rem;border-radius:4px;font-weight:600;font-size:.8rem;
background:#dfe1e6} .indeterminate{background:#deebff;color:#0747a6} .done{background:#e3fcef;color:#006644}
.label{background:#eae6ff;margin-right:.3rem} .muted{color:#6b778c}
.level2{margin-left:1.5rem} .level3{margin-left:3rem} .level4{margin-left:4.5rem}
"""
# Shown elsewhere on the page, or of no interest to a reader.
_APART = {"summary", "description", "labels", "status", "project", "comment"}


@routes.get("/")
def index() -> Response:
    """List the tickets, newest first."""
    rows = "".join(_index_row(issue) for issue in reversed(state().live_issues()))
    head = "<tr><th>Key</th><th>Type</th><th>Summary</th><th>Status</th><th>Labels</th></tr>"
    empty = '<p class="muted">No tickets yet.</p>'
    return _page("Tickets", f"<h1>Tickets</h1>{f'<table>{head}{rows}</table>' if rows else empty}")


def _index_row(issue: Issue) -> str:
    address = f'<a href="{escape(state().site_url)}/browse/{escape(issue.key)}">{escape(issue.key)}</a>'
    cells = (address, escape(issue.type.name), _text(issue.fields["summary"]), _badge(issue), _labels(issue))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


@routes.get("/browse/<key>")
def browse(key: str) -> Response:
    """Show a ticket as a person would see it; a stand-in asks nobody to log in for that."""
    issue = state().issue(key)
    if issue is None:
        return _page("Not found", "<h1>Issue not found</h1>", 404)
    parts = [
        f'<p class="muted">{_text(issue.project.name)} / {_text(issue.key)} / {_text(issue.type.name)}</p>',
        f"<h1>{_text(issue.fields['summary'])}</h1>",
        f"<p>{_badge(issue)} {_labels(issue)}</p>",
        _section("Details", _rows(_details(issue))),
        _section("Description", render(str(issue.fields.get("description") or ""))),
        _section("Links", "".join(f"<p>{_remote(item)}</p>" for item in issue.remote_links)),
        _section("Properties", _rows({k: _code(v) for k, v in issue.properties.items()})),
        _section("Comments", "".join(_comment(item) for item in issue.comments)),
    ]
    return _page(f"{issue.key} {issue.fields['summary']}", "".join(parts))


def _page(title: str, content: str, status: int = 200) -> Response:
    html = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>"
        f'<header><a href="{escape(state().site_url)}/">Jira stand-in</a></header>'
        f"<main>{content}</main></body></html>"
    )
    # A second wall: even an escaping mistake could run no script.
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(html, status, headers, content_type="text/html;charset=UTF-8")


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _rows(cells: dict[str, str]) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{cell}</td></tr>" for name, cell in cells.items())
    return f"<table>{rows}</table>" if rows else ""


def _details(issue: Issue) -> dict[str, str]:
    names = state().all_fields()
    found = {}
    for field_id, value in issue.fields.items():
        shown = present(state(), issue.project, value)
        if field_id not in _APART and shown not in (None, "", []):
            name = names[field_id].name if field_id in names else field_id
            found[name] = _wiki_or_text(issue, field_id, shown)
    return found


def _wiki_or_text(issue: Issue, field_id: str, value: Any) -> str:
    """Render text areas as wiki text, like Jira; everything else as plain text."""
    field = issue.type.screen.get(field_id)
    custom = str(field.schema.get("custom", "")) if field else ""
    if isinstance(value, str) and (custom.endswith(":textarea") or field_id == "environment"):
        return render(value)
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        child = f" / {_text(value['child'])}" if "child" in value else ""
        named = (value[key] for key in ("displayName", "name", "value", "key") if key in value)
        return escape(str(next(named, ""))) + child
    return escape(str(value))


def _code(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"


def _badge(issue: Issue) -> str:
    return f'<span class="badge {issue.status.category}">{_text(issue.status.name)}</span>'


def _labels(issue: Issue) -> str:
    labels = issue.fields.get("labels") or []
    return "".join(f'<span class="badge label">{escape(label)}</span>' for label in labels)


def _remote(item: dict[str, Any]) -> str:
    target = item["object"]
    relationship = f'<span class="muted">{_text(item.get("relationship", "links to"))}</span> '
    summary = f" - {_text(target['summary'])}" if target.get("summary") else ""
    return relationship + link(str(target["url"]), _text(target["title"])) + summary


def _comment(item: dict[str, Any]) -> str:
    author = _text(item["author"] or {"name": "anonymous"})
    return f'<p class="muted">{author}, {_text(item["created"])}</p>{render(item["body"])}'
