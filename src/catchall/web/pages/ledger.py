"""The ledger: where everything went that arrived, by project and kind, with the reason of each loss."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from catchall.core.ledger import ITEM_OUTCOMES, DataCategory, Outcome
from catchall.web.drawing.rendering import draw
from catchall.web.pages.lookup import find_project, projects_by_id
from catchall.web.pages.reasons import OUTCOMES, explain
from catchall.web.permissions import Action, needs
from catchall.web.services import current

INSTALLATION = 0
CATEGORIES: Mapping[str, str] = {
    DataCategory.ERROR: "Errors",
    DataCategory.ATTACHMENT: "Attachments",
    DataCategory.SESSION: "Sessions",
    DataCategory.CHECK_IN: "Check-ins",
    DataCategory.LOG: "Logs",
    DataCategory.CLIENT_REPORT: "Client reports",
    DataCategory.TRANSACTION: "Transactions",
    DataCategory.SPAN: "Spans",
    DataCategory.METRIC: "Metrics",
    DataCategory.FEEDBACK: "Feedback",
    DataCategory.PROFILE: "Profiles",
    DataCategory.REPLAY: "Replays",
    DataCategory.REQUEST: "Requests",
    DataCategory.UNKNOWN: "Unknown",
}
PLAIN = (Outcome.STORED, Outcome.AGGREGATED)  # what needs no reason


@dataclass(slots=True)
class Line:
    """One kind of item in a project: how many were seen and where they ended."""

    name: str
    seen: int = 0
    ended: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def difference(self) -> int:
        """Seen minus ended: 0 in a balanced ledger."""
        return self.seen - sum(self.ended.values())


@dataclass(slots=True)
class Loss:
    """A reason for which items (or requests) were not kept."""

    what: str
    outcome: str
    reason: str
    meaning: str
    count: int


@dataclass(slots=True)
class Account:
    """The ledger of one project, or of the installation."""

    name: str
    slug: str
    lines: dict[str, Line] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)


@needs(Action.READ)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The page."""
    chosen = find_project(request, request.GET["project"]) if request.GET.get("project") else None
    ledger = current().status()["ledger"]
    accounts = accounts_of(ledger["rows"])
    projects = projects_by_id()
    context = {
        "accounts": [
            account for number, account in sorted(accounts.items()) if chosen is None or number == chosen.project_id
        ],
        "projects": sorted(projects.values(), key=lambda project: project.name.lower()),
        "chosen": chosen,
        "balanced": ledger["balanced"],
        "requests": ledger["requests"],
        "outcomes": ITEM_OUTCOMES,
        "meanings": OUTCOMES,
    }
    return draw(request, "ledger.html", context)


def accounts_of(rows: list[dict[str, Any]]) -> dict[int, Account]:
    """Sort the ledger's rows into one account for each project."""
    projects = projects_by_id()
    accounts: dict[int, Account] = {}
    for row in rows:
        number = row["project_id"]
        if number not in accounts:
            project = projects.get(number)
            name = "Installation" if number == INSTALLATION else f"Deleted project {number}"
            accounts[number] = Account(project.name if project else name, project.slug if project else "")
        _add(accounts[number], row["category"], row["outcome"], row["reason"], row["count"])
    for account in accounts.values():
        account.losses.sort(key=lambda loss: -loss.count)
    return accounts


def _add(account: Account, category: str, outcome: str, reason: str, count: int) -> None:
    name = CATEGORIES.get(category, category)
    if outcome in ITEM_OUTCOMES or outcome == Outcome.SEEN:
        line = account.lines.setdefault(category, Line(name))
        if outcome == Outcome.SEEN:
            line.seen += count
        else:
            line.ended[outcome] += count
    if outcome not in (*PLAIN, Outcome.SEEN) and count:
        account.losses.append(Loss(name, outcome, reason, explain(reason) or OUTCOMES.get(outcome, ""), count))
