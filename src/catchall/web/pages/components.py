"""The living style page: every component in every state, for those who change the pages and for the browser tests."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from catchall.core.event import SEVERITIES
from catchall.store.base import SeriesPoint
from catchall.web.drawing.rendering import draw
from catchall.web.pages.filters import STATES
from catchall.web.pages.values import Value
from catchall.web.permissions import Action, needs
from catchall.web.services import current

HOUR = 3600
COUNTS = (3, 0, 1, 8, 5, 2, 0, 0, 12, 40, 31, 9, 4, 6, 2, 1, 0, 3, 5, 7, 2, 1, 0, 1)


@needs(Action.READ)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The page; only where the installation says that it is being developed."""
    if not current().development:
        raise Http404
    context = {
        "severities": SEVERITIES,
        "states": STATES,
        "priorities": ("low", "medium", "high"),
        "points": [SeriesPoint(index * HOUR, count) for index, count in enumerate(COUNTS)],
        "nothing": [SeriesPoint(index * HOUR, 0) for index in range(len(COUNTS))],
        "values": [
            Value("text", "a plain text", "text"),
            Value("number", "3.14", "number"),
            Value("word", "true", "word"),
            Value("tree", '{\n  "id": 1,\n  "name": "first"\n}', "tree"),
            Value("long", "a long text that is folded at first, " * 40, "text"),
        ],
    }
    return draw(request, "components.html", context)
