"""All addresses of the pages. None of them begins as an intake path does (/api/<number>/)."""

from django.urls import path, re_path, register_converter
from django.urls.converters import IntConverter

from catchall.web.api.application import make_api
from catchall.web.pages import (
    account,
    components,
    dead_letters,
    errors,
    events,
    issue,
    issues,
    ledger,
    login,
    probes,
    project_settings,
    projects,
    triage,
)


class NumberConverter(IntConverter):
    """A number that every database can hold."""

    regex = "[0-9]{1,15}"


register_converter(NumberConverter, "number")

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error

ISSUE = r"^issues/(?P<issue_id>[0-9a-f]{16})/"
EVENT = ISSUE + r"events/(?P<event_id>[0-9a-f]{32})/"

urlpatterns = [
    path("", probes.home, name="home"),
    path("-/health", probes.alive, name="alive"),
    path("readyz", probes.ready, name="ready"),
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
    path("issues/<slug:slug>-<number:number>/", issue.by_number, name="issue-number"),
    path("projects/", projects.list_projects, name="projects"),
    path("projects/new/", projects.create, name="project-new"),
    path("projects/<slug:slug>/setup/", projects.setup, name="project-setup"),
    path("projects/<slug:slug>/setup/waiting/", projects.waiting, name="project-waiting"),
    path("projects/<slug:slug>/settings/", project_settings.show, name="project-settings"),
    path("projects/<slug:slug>/settings/change/", project_settings.change, name="project-change"),
    path("projects/<slug:slug>/keys/", project_settings.create_key, name="key-new"),
    path("projects/<slug:slug>/keys/<number:key_id>/", project_settings.change_key, name="key-change"),
    path("projects/<slug:slug>/keys/<number:key_id>/rotate/", project_settings.rotate_key, name="key-rotate"),
    path("ledger/", ledger.show, name="ledger"),
    path("dead-letters/", dead_letters.list_letters, name="dead-letters"),
    path("dead-letters/act/", dead_letters.act, name="dead-letters-act"),
    path("dead-letters/<number:dead_letter_id>/", dead_letters.show, name="dead-letter"),
    path("account/", account.show, name="account"),
    path("account/password/", account.change_password, name="account-password"),
    path("account/tokens/", account.create_token, name="token-new"),
    path("account/tokens/<number:token_id>/remove/", account.remove_token, name="token-remove"),
    path("api/v1/", make_api().urls),
    path("-/components", components.show, name="components"),
]
