"""Dead letters: what arrived and could not be understood, with its reason and its bytes, to be tried again."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from catchall.core.limits import (
    BULK_ISSUES_MAX,
    DEAD_LETTER_ROWS_PER_PAGE,
    PAGE_DEAD_LETTER_BYTES_MAX,
    PAGE_DEAD_LETTER_HEX_BYTES_MAX,
)
from catchall.store.base import DeadLetter
from catchall.web.drawing.formatting import plural
from catchall.web.drawing.rendering import draw
from catchall.web.pages.ledger import CATEGORIES
from catchall.web.pages.lookup import find_project, projects_by_id
from catchall.web.pages.reasons import explain
from catchall.web.permissions import Action, check, needs
from catchall.web.services import current

STATES = ("waiting", "replaying", "replayed", "discarded")
HEX_ROW = 16
PRINTABLE = range(0x20, 0x7F)
LAYOUT = "\n\r\t"


@dataclass(frozen=True, slots=True)
class Shown:
    """Bytes as a page may show them. `text` only where they are text."""

    text: str
    hexadecimal: str
    total: int
    shown: int


@needs(Action.OPERATE)
@require_GET
def list_letters(request: HttpRequest) -> HttpResponse:
    """Those that wait (or went), newest first."""
    project = find_project(request, request.GET["project"]) if request.GET.get("project") else None
    state = request.GET.get("state", "")
    state = state if state in STATES else "waiting"
    found = current().hot.dead_letters(
        project_id=project.project_id if project else None,
        state=state,
        limit=DEAD_LETTER_ROWS_PER_PAGE,
        before=_number(request.GET.get("before", "")),
    )
    context = {
        "letters": [(letter, explain(letter.reason)) for letter in found],
        "projects": projects_by_id(),
        "project": project,
        "state": state,
        "states": STATES,
        "categories": CATEGORIES,
        "following": found[-1].dead_letter_id if len(found) == DEAD_LETTER_ROWS_PER_PAGE else 0,
        "messages": list(messages.get_messages(request)),
    }
    return draw(request, "dead_letters/list.html", context)


@needs(Action.OPERATE)
@require_GET
def show(request: HttpRequest, dead_letter_id: int) -> HttpResponse:
    """One of them, with its bytes."""
    letter = find_letter(request, dead_letter_id)
    context = {
        "letter": letter,
        "meaning": explain(letter.reason),
        "project": projects_by_id().get(letter.project_id),
        "category": CATEGORIES.get(letter.category, letter.category),
        "data": show_bytes(letter.data),
        "messages": list(messages.get_messages(request)),
    }
    return draw(request, "dead_letters/one.html", context)


@needs(Action.OPERATE)
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Replay or discard the letters that a form names."""
    ids = [_number(text) for text in request.POST.getlist("letter")[:BULK_ISSUES_MAX]]
    hot = current().hot
    replays = request.POST.get("action") == "replay"
    act_on = hot.request_replay if replays else hot.discard_dead_letter
    done = 0
    for dead_letter_id in ids:
        find_letter(request, dead_letter_id)
        done += act_on(dead_letter_id)
    refused = len(ids) - done
    if done:
        verb = "will be tried again within seconds" if replays else "discarded"
        messages.success(request, f"{plural(done, 'dead letter')} {verb}.")
    if refused:
        messages.error(
            request, f"{plural(refused, 'dead letter')} left as before: no longer waiting, or no record to replay."
        )
    if len(ids) == 1:
        return HttpResponseRedirect(reverse("dead-letter", args=ids))
    return HttpResponseRedirect(reverse("dead-letters"))


def find_letter(request: HttpRequest, dead_letter_id: int) -> DeadLetter:
    """The dead letter of this number. Raises Http404 or PermissionDenied."""
    letter = current().hot.dead_letter(dead_letter_id)
    if letter is None:
        raise Http404("there is no such dead letter; it may have been removed by retention")
    check(request, letter.project_id)
    return letter


def show_bytes(data: bytes) -> Shown:
    """Bytes of unknown origin, drawn safely: as text where they are text, and as a hex dump always."""
    head = data[:PAGE_DEAD_LETTER_BYTES_MAX]
    return Shown(
        text=_as_text(head),
        hexadecimal=_as_hex(data[:PAGE_DEAD_LETTER_HEX_BYTES_MAX]),
        total=len(data),
        shown=len(head),
    )


def _as_text(data: bytes) -> str:
    """The text, with control characters made visible (a terminal's escapes, right-to-left marks); empty for binary."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if error.start < len(data) - 3:  # not merely a character cut at the end
            return ""
        text = data[: error.start].decode()
    if sum(not letter.isprintable() and letter not in LAYOUT for letter in text) > len(text) // 10:
        return ""
    return "".join(letter if letter.isprintable() or letter in LAYOUT else f"\\u{ord(letter):04x}" for letter in text)


def _as_hex(data: bytes) -> str:
    lines = []
    for start in range(0, len(data), HEX_ROW):
        row = data[start : start + HEX_ROW]
        letters = "".join(chr(byte) if byte in PRINTABLE else "." for byte in row)
        lines.append(f"{start:06x}  {row.hex(' '):<{HEX_ROW * 3}} {letters}")
    return "\n".join(lines)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
