-- The hot tables as they began. docs/reference/tables.md says what each is for and who writes it.
-- Times are microseconds since the epoch, in UTC. A quarter is a quarter of an hour counted from the epoch; a block is
-- 16 quarters (4 hours), a slot is the quarter within it.

CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO counter (name, value) VALUES
    ('keys_version', 1),
    ('requests_committed', 0),
    ('dead_letters_waiting', 0),
    ('dead_letters_bytes', 0),
    ('dead_letters_settled', 0);

-- Progress: which logs there are, how far each partition is committed, who may commit.

CREATE TABLE log (
    log INTEGER PRIMARY KEY,
    uuid BLOB NOT NULL UNIQUE,
    lane INTEGER NOT NULL
) STRICT;

CREATE TABLE position (
    log INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (log, partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
    partition INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    worker TEXT NOT NULL
) STRICT;

-- Projects and their keys.

CREATE TABLE project (
    project_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    platform TEXT NOT NULL DEFAULT '',
    retention_days INTEGER NOT NULL DEFAULT 0,
    rate_limit_per_minute INTEGER NOT NULL DEFAULT 0,
    keep_user_ids INTEGER NOT NULL DEFAULT 0,
    keep_addresses INTEGER NOT NULL DEFAULT 0,
    first_event_at INTEGER,
    issues INTEGER NOT NULL DEFAULT 0 -- the number of the newest issue
) STRICT;

CREATE TABLE project_key (
    key_id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project (project_id),
    key TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    origins TEXT NOT NULL DEFAULT '[]', -- JSON list
    rate_limit_per_minute INTEGER NOT NULL DEFAULT 0,
    urgent INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX project_key_of_project ON project_key (project_id);

-- Names that clients give again and again, as small numbers. They are never removed: every process remembers them.

CREATE TABLE environment (
    environment_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE release (
    release_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE project_environment (
    project_id INTEGER NOT NULL,
    environment_id INTEGER NOT NULL,
    last_day INTEGER NOT NULL, -- days since the epoch, of the commit
    PRIMARY KEY (project_id, environment_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE project_release (
    project_id INTEGER NOT NULL,
    release_id INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    PRIMARY KEY (project_id, release_id)
) STRICT, WITHOUT ROWID;

-- Issues: what changes with each event lies in narrow rows, so that a commit touches few pages and a list is a short
-- scan; what people read lies beside them and is written when it differs.

CREATE TABLE issue (
    issue_key INTEGER PRIMARY KEY,
    issue_id INTEGER NOT NULL UNIQUE,
    project_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    state INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    priority_rule INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    handled INTEGER,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    events INTEGER NOT NULL,
    users INTEGER NOT NULL,
    recent_quarter INTEGER NOT NULL, -- the newest quarter with events, the events in it, those in the one before
    recent_events INTEGER NOT NULL,
    before_events INTEGER NOT NULL,
    environments INTEGER NOT NULL, -- bit n: environment n + 1 was seen; those past the 62nd are in issue_environment
    last_environment INTEGER NOT NULL,
    first_release INTEGER NOT NULL,
    last_release INTEGER NOT NULL,
    text_digest INTEGER NOT NULL, -- of the row in issue_text
    state_changed_at INTEGER,
    last_event_id BLOB NOT NULL,
    UNIQUE (project_id, number)
) STRICT;

CREATE TABLE issue_text (
    issue_key INTEGER PRIMARY KEY,
    search TEXT NOT NULL, -- title and culprit in lower case
    title TEXT NOT NULL,
    culprit TEXT NOT NULL,
    error_type TEXT NOT NULL,
    message TEXT NOT NULL,
    service_name TEXT NOT NULL,
    platform TEXT NOT NULL,
    category TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    fingerprint_reason TEXT NOT NULL,
    first_event_id BLOB NOT NULL
) STRICT;

CREATE TABLE transition (
    transition_id INTEGER PRIMARY KEY,
    issue_key INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    event_id TEXT NOT NULL
) STRICT;
CREATE INDEX transition_of_issue ON transition (issue_key, transition_id);

-- Counts. Rows of one time lie together: a commit touches the pages of now, not one page for each issue.

CREATE TABLE issue_quarter (
    block INTEGER NOT NULL,
    issue_key INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    environment_id INTEGER NOT NULL,
    release_id INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (block, issue_key, slot, environment_id, release_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE project_quarter ( -- project 0: all projects together
    block INTEGER NOT NULL,
    project_id INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    environment_id INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (block, project_id, slot, environment_id, severity)
) STRICT, WITHOUT ROWID;

CREATE TABLE issue_user (
    issue_key INTEGER NOT NULL,
    user INTEGER NOT NULL, -- 32 bits of the user's hash
    PRIMARY KEY (issue_key, user)
) STRICT, WITHOUT ROWID;

-- Where an issue was seen, for lists that ask for it; how often, issue_quarter says. The names come first: new rows are
-- mostly those of the newest release. The first 62 environments are bits in the issue's own row.

CREATE TABLE issue_environment (
    environment_id INTEGER NOT NULL,
    issue_key INTEGER NOT NULL,
    PRIMARY KEY (environment_id, issue_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE issue_release (
    release_id INTEGER NOT NULL,
    issue_key INTEGER NOT NULL,
    PRIMARY KEY (release_id, issue_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup (
    project_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    quarter INTEGER NOT NULL,
    key TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (project_id, kind, quarter, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    project_id INTEGER NOT NULL,
    category TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (project_id, category, outcome, reason)
) STRICT, WITHOUT ROWID;

-- Dead letters: what a list shows, and apart from it the bytes, which go when the letter is settled.

CREATE TABLE dead_letter (
    dead_letter_id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    category TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    log INTEGER NOT NULL,
    log_offset INTEGER NOT NULL,
    log_index INTEGER NOT NULL,
    protocol TEXT NOT NULL,
    bytes INTEGER NOT NULL -- kept in dead_letter_data
) STRICT;
CREATE INDEX dead_letter_by_state ON dead_letter (state, dead_letter_id);
CREATE INDEX dead_letter_settled ON dead_letter (dead_letter_id) WHERE state IN ('replayed', 'discarded');
CREATE INDEX dead_letter_of_project ON dead_letter (project_id, state, dead_letter_id);

CREATE TABLE dead_letter_data (
    dead_letter_id INTEGER PRIMARY KEY,
    data BLOB NOT NULL,
    record BLOB NOT NULL
) STRICT;
