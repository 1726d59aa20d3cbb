"""All addresses of the pages. None of them begins as an intake path does (/api/<number>/)."""

from django.urls import path, re_path

from catchall.web.pages import errors, events, issue, issues, login, probes, triage

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error

ISSUE = r"^issues/(?P<issue_id>[0-9a-f]{16})/"
EVENT = ISSUE + r"events/(?P<event_id>[0-9a-f]{32})/"

urlpatterns = [
    path("", probes.home, name="home"),
    path("-/health", probes.alive, name="alive"),
    path("login/", login.log_in, name="login"),
    path("login/link/<str:token>/", login.use_link, name="login-link"),
    path("logout/", login.log_out, name="logout"),
    path("issues/", issues.list_issues, name="issues"),
    path("issues/live/", issues.live, name="issues-live"),
    path("issues/state/", triage.change, name="issues-state"),
    path("issues/undo/", triage.undo, name="issues-undo"),
    re_path(ISSUE + r"$", issue.show, name="issue"),
    re_path(ISSUE + r"events/$", events.list_events, name="issue-events"),
    re_path(ISSUE + r"facets/$", events.facets, name="issue-facets"),
    re_path(EVENT + r"json/$", events.show_json, name="event-json"),
    re_path(EVENT + r"$", issue.show, name="event"),
]
