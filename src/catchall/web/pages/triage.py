"""Resolve, ignore, reopen: one issue or many, each undoable for ten seconds."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from catchall.core.identity import issue_id_parse, issue_id_text
from catchall.core.issue import Issue, IssueState
from catchall.core.limits import BULK_ISSUES_MAX
from catchall.web.drawing.formatting import plural
from catchall.web.drawing.rendering import draw
from catchall.web.pages.filters import STATES, read_view
from catchall.web.pages.issue import group_context
from catchall.web.pages.issues import list_context
from catchall.web.pages.lookup import find_issue, who
from catchall.web.permissions import Action, check, needs
from catchall.web.services import current

DONE: Mapping[IssueState, str] = {"resolved": "resolved", "ignored": "ignored", "unresolved": "reopened"}
UNDO_REASON = "undone"


@needs(Action.TRIAGE)
@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Give the named issues a state. What they were before goes into the toast, so that one click brings it back."""
    state = request.POST.get("state", "")
    if state not in STATES:
        raise Http404(f"there is no state {state!r}")
    before = _named(request, request.POST.getlist("issue"))
    changing = [issue_id for issue_id, issue in before.items() if issue.state != state]
    if changing:
        current().hot.change_state(changing, state, by=who(request), now=current().clock())
    toast = {
        "words": f"{_what(before, changing)} {DONE[state]}" if changing else f"Already {DONE[state]}",
        "restore": [f"{issue_id_text(issue_id)}:{before[issue_id].state}" for issue_id in changing],
    }
    return _answer(request, list(before), toast)


@needs(Action.TRIAGE)
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Give issues back the states that they had."""
    wanted: dict[str, IssueState] = {}
    for pair in request.POST.getlist("restore")[:BULK_ISSUES_MAX]:
        text, _, state = pair.partition(":")
        if state in STATES:
            wanted[text] = state
    found = _named(request, list(wanted))
    groups: defaultdict[IssueState, list[int]] = defaultdict(list)
    for issue_id in found:
        groups[wanted[issue_id_text(issue_id)]].append(issue_id)
    for state, ids in groups.items():
        current().hot.change_state(ids, state, by=who(request), now=current().clock(), reason=UNDO_REASON)
    return _answer(request, list(found), {"words": f"{_what(found, list(found))} put back", "restore": []})


def _named(request: HttpRequest, texts: list[str]) -> dict[int, Issue]:
    """The issues that a form names; unknown ones are left out (retention may have been faster)."""
    found: dict[int, Issue] = {}
    for text in texts[:BULK_ISSUES_MAX]:
        try:
            issue = current().hot.issue(issue_id_parse(text))
        except ValueError:
            continue
        if issue is not None:
            check(request, issue.project_id)
            found[issue_id_parse(text)] = issue
    return found


def _what(issues: Mapping[int, Issue], chosen: list[int]) -> str:
    if len(chosen) == 1:
        title = issues[chosen[0]].title
        return f"“{title[:60]}{'…' if len(title) > 60 else ''}”"
    return plural(len(chosen), "issue")


def _answer(request: HttpRequest, ids: list[int], toast: dict[str, Any]) -> HttpResponse:
    """For a script: the changed part of its page and the toast. For a bare form: back to the page."""
    target = request.headers.get("HX-Target", "")
    if target == "issue-head" and ids:
        named = find_issue(request, issue_id_text(ids[0]))
        answer = draw(request, "issue/changed.html", group_context(named, read_view(_page_query(request))))
    elif target == "issues":
        answer = draw(request, "issues/list.html", list_context(request, read_view(_page_query(request))))
    else:
        back = request.POST.get("back", "")
        safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
        return HttpResponseRedirect(back if safe else reverse("issues"))
    answer.write(render_to_string("parts/toast.html", {**toast, "target": target}))
    return answer


def _page_query(request: HttpRequest) -> QueryDict:
    """The query of the page that asked, so that its part is drawn again with the same filters."""
    return QueryDict(urlsplit(request.headers.get("HX-Current-URL", "")).query)
