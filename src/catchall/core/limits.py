"""Every bound in catchall, in one place.

A number here is a promise: what is beyond it is refused by name, cut and marked as cut, or waits. Sizes are bytes,
lengths are characters and times are seconds unless the name says otherwise.
"""

from typing import Final

# --- intake: what one request may be ------------------------------------------------------------------------------
REQUEST_WIRE_BYTES_MAX: Final = 20 * 1024 * 1024  # as sent, compressed or not; beyond it 413
REQUEST_INFLATED_BYTES_MAX: Final = 100 * 1024 * 1024  # after inflating, in the worker; beyond it a dead letter
REQUEST_INLINE_BYTES_MAX: Final = 1024 * 1024  # larger bodies go to a synced spool file, so that they stop nobody
REQUEST_HEAD_INFLATED_BYTES: Final = 8 * 1024  # what intake inflates to find the event id and the DSN
REQUEST_BODY_SECONDS_MAX: Final = 30.0  # a body that trickles longer is given up with 408
CONTENT_ENCODINGS_MAX: Final = 2  # "gzip, br" is odd but legal; a longer chain is hostile

# --- the front: connections, keys, lanes, the way to the pages -----------------------------------------------------
CONNECTIONS_MAX: Final = 4000  # open at once; the next one is told 503 and closed
REQUEST_HEAD_BYTES_MAX: Final = 64 * 1024  # request line and headers; beyond it 431
REQUEST_HEAD_SECONDS_MAX: Final = 10.0  # a head that trickles longer is given up
KEEP_ALIVE_SECONDS: Final = 75  # an idle connection; longer than the 60 s of usual load balancers
REFUSED_BODY_SECONDS_MAX: Final = 2.0  # the rest of an answered request's body is thrown away so long, then closed
CLOSE_SECONDS_MAX: Final = 30.0  # a closed connection whose client does not read the last answer is cut off
BODIES_BUFFERED_BYTES_MAX: Final = 64 * 1024 * 1024  # bodies half received, of all connections; past it 503
SPOOL_WAIT_SECONDS_MAX: Final = 10.0  # for the disk to take a large body; then 503
ACK_SECONDS_MAX: Final = 30.0  # a disk that takes longer to sync: 503, and the client sends again
ACK_GATHER_SECONDS: Final = 0.002  # a busy front gathers records so long for one group commit: 8-14 % less CPU an ack
USER_AGENT_CHARS_MAX: Final = 256  # kept in the record
CONTENT_TYPE_CHARS_MAX: Final = 128
CREDENTIALS_BYTES_MAX: Final = 2048  # of an auth header or a query string that may hold a key
CREDENTIALS_CACHED_MAX: Final = 4096  # auth headers read before, so that each client's is taken apart once
FORWARDED_HOPS_MAX: Final = 16  # entries of X-Forwarded-For that are looked at
ADDRESSES_CACHED_MAX: Final = 4096
KEYS_POLL_SECONDS: Final = 1.0  # how old the known keys may be
KEYS_RECHECK_SECONDS: Final = 0.2  # unknown keys make the store be asked at most this often
KEYS_RECHECK_WAITERS_MAX: Final = 1000  # requests that wait for that look; the next ones are refused at once
KEYS_RECHECK_SECONDS_MAX: Final = 3.0
RATE_WINDOWS_MAX: Final = 20_000  # keys and projects with a limit that are counted at once; idle ones make room
REFUSAL_CELLS_MAX: Final = 10_000  # (project, reason) pairs counted between two records; more count for no project
REFUSALS_FLUSH_SECONDS: Final = 1.0
LANE_NORMAL_PER_SECOND: Final = 2000  # requests that workers surely keep up with; past it the greedy go to spill
LANE_WINDOW_SECONDS: Final = 10
PROXY_CONNECTIONS_MAX: Final = 100  # to the web process at once; the next requests wait, then 503
PROXY_WAIT_SECONDS_MAX: Final = 10.0
PROXY_CONNECT_SECONDS_MAX: Final = 5.0
PROXY_HEAD_SECONDS_MAX: Final = 120.0  # until the web process begins to answer
PROXY_IDLE_SECONDS_MAX: Final = 120.0  # between two parts of a body, either way
PROXY_IDLE_CONNECTIONS_MAX: Final = 16  # kept open for the next request
PROXY_KEEP_SECONDS: Final = 30.0  # shorter than the web process keeps them
PROXY_HEAD_BYTES_MAX: Final = 64 * 1024  # of an answer's head
PROXY_BODY_BYTES_MAX: Final = 200 * 1024 * 1024  # of an upload; the web process has its own, smaller bounds
PROXY_CHUNK_BYTES: Final = 64 * 1024
FRONT_DRAIN_SECONDS_MAX: Final = 20.0  # after SIGTERM: requests under way are finished, the rest is cut off
LOG_CLOSE_SECONDS_MAX: Final = 10.0  # for the last group commit of the log
TLS_POLL_SECONDS: Final = 5.0  # how often the certificate files are looked at

# --- envelopes ----------------------------------------------------------------------------------------------------
ENVELOPE_ITEMS_MAX: Final = 1000
ENVELOPE_HEADER_BYTES_MAX: Final = 64 * 1024
ITEM_BYTES_MAX: Final = 50 * 1024 * 1024
EVENT_JSON_BYTES_MAX: Final = 8 * 1024 * 1024
JSON_DEPTH_MAX: Final = 256  # of what we walk ourselves; the decoder has its own recursion guard
LOG_ITEMS_PER_ITEM_MAX: Final = 10_000

# --- bodies and JSON (wire) ---------------------------------------------------------------------------------------
INFLATE_EAGER_BYTES_MAX: Final = 4 * 1024 * 1024  # what inflates to more is counted first, then inflated again
GZIP_MEMBERS_MAX: Final = 16  # a stream of many empty members costs time for nothing
ZSTD_FRAMES_MAX: Final = 64  # the same
ZSTD_WINDOW_BYTES_MAX: Final = 8 * 1024 * 1024  # memory that a frame may ask for; RFC 8878 section 3.1.1.1.2
CUT_MARKS_MAX: Final = 200  # of one event: what was shortened
SHRINK_DEPTH_MAX: Final = 32  # levels down to which a too large JSON value is thinned out; deeper parts go whole
LINE_NUMBER_MAX: Final = 2**31 - 1
COUNT_MAX: Final = 1_000_000_000  # what one client may claim for one counter in one item
CLIENT_REPORT_ENTRIES_MAX: Final = 100  # discarded_events of one client report
ITEM_TYPE_CHARS_MAX: Final = 64  # of an item type that we do not know, as shown in the ledger's detail

# --- the event ----------------------------------------------------------------------------------------------------
EXCEPTIONS_MAX: Final = 50  # kept: the first ones and the primary one
FRAMES_MAX: Final = 250  # kept: the outermost and innermost halves
CONTEXT_LINES_MAX: Final = 10  # source lines before, and after, a frame's own line
CONTEXT_LINE_CHARS_MAX: Final = 512
FRAME_TEXT_CHARS_MAX: Final = 1024  # function, module, filename, abs_path
LOCALS_BYTES_MAX: Final = 16 * 1024  # of one frame, as JSON
MESSAGE_CHARS_MAX: Final = 32_768  # of a message or an exception's text
ERROR_TYPE_CHARS_MAX: Final = 256
NAME_CHARS_MAX: Final = 200  # service, environment, release, host, logger, transaction, request id ...
TAGS_MAX: Final = 100
TAG_KEY_CHARS_MAX: Final = 64
TAG_VALUE_CHARS_MAX: Final = 200
BREADCRUMBS_MAX: Final = 100  # the newest
BREADCRUMB_MESSAGE_CHARS_MAX: Final = 2048
BREADCRUMB_BYTES_MAX: Final = 8 * 1024  # of one breadcrumb's data, as JSON
EXTRA_BYTES_MAX: Final = 256 * 1024  # extra_data as JSON
CONTEXT_BYTES_MAX: Final = 16 * 1024  # of one context within extra_data, as JSON
CONTEXTS_MAX: Final = 50
MODULES_BYTES_MAX: Final = 1024  # a longer list of packages is the same for a whole release, and not kept per event
DEBUG_META_BYTES_MAX: Final = 64 * 1024
USER_FIELDS_MAX: Final = 20
CLIENT_FINGERPRINT_PARTS_MAX: Final = 20
THREADS_MAX: Final = 1000  # looked through for the one that failed
HTTP_BODY_BYTES_MAX: Final = 64 * 1024
HTTP_HEADERS_MAX: Final = 100
HTTP_VALUE_CHARS_MAX: Final = 4096
URL_CHARS_MAX: Final = 2048
ATTACHMENTS_MAX: Final = 20
ATTACHMENT_BYTES_MAX: Final = 20 * 1024 * 1024
SCRUBBED_MARKS_MAX: Final = 200
EVENT_FUTURE_SECONDS_MAX: Final = 600  # a timestamp further ahead than this is clamped and marked

# --- the pipeline: what its steps remember and look at --------------------------------------------------------------
STACKS_REMEMBERED_MAX: Final = 4096  # in each memo of stacks; two of these hold the frames, 7 KB a stack
SCREENS_REMEMBERED_MAX: Final = 64  # compiled patterns, one set for each different list of a project's own key names
KEYS_REMEMBERED_MAX: Final = 8192  # names of values and their verdict; more names than clients use
KEY_CHARS_MAX: Final = 256  # of a name: longer ones are judged each time, and shortened in paths
TEXTS_REMEMBERED_MAX: Final = 2048  # message templates: half of all faults never change their message
CONTEXTS_REMEMBERED_MAX: Final = 1024  # of a program's contexts: runtime, system, browser ...
CONTEXT_REMEMBERED_BYTES_MAX: Final = 1024  # larger ones are read each time
USER_AGENTS_REMEMBERED_MAX: Final = 2048  # parsing one costs 30 to 100 us
USER_AGENT_PARSED_CHARS_MAX: Final = 512  # longer ones are cut before parsing
FRAMES_JUDGED_REMEMBERED_MAX: Final = 8192  # in-app or not, by platform and file
LEDGER_KEYS_REMEMBERED_MAX: Final = 4096  # rows of the ledger in which a process counts
RELEASES_REMEMBERED_MAX: Final = 512  # parsed release names
SCRUB_DEPTH_MAX: Final = 256  # of JSON within JSON; what is deeper is masked whole
SCRUB_SPANS_MAX: Final = 10_000  # masked places in one text; a text with more is masked whole
SEARCH_TEXT_CHARS_MAX: Final = 8192  # of one text that is made into words
TITLE_CHARS_MAX: Final = 200

# --- the log ------------------------------------------------------------------------------------------------------
LOG_PARTITIONS: Final = 16  # virtual; fixed by the log format
LOG_RECORD_BYTES_MAX: Final = 2 * 1024 * 1024
LOG_SEGMENT_BYTES_MAX: Final = 64 * 1024 * 1024
LOG_BYTES_MAX: Final = 10 * 1024 * 1024 * 1024  # of each lane; past it 503
LOG_FREE_DISK_BYTES_MIN: Final = 256 * 1024 * 1024  # stop accepting before the disk is full
LOG_PENDING_BYTES_MAX: Final = 64 * 1024 * 1024  # waiting for the next group commit; past it 503
LOG_READ_RECORDS_MAX: Final = 2000
LOG_READ_BYTES: Final = 1024 * 1024  # read from a segment at once
LOG_ROLL_DRAINED_BYTES: Final = 1024 * 1024  # an active segment this large is rolled once all of it is committed
LOG_TICK_SECONDS: Final = 1.0  # an idle writer looks this often whether to roll
LOG_SPACE_CHECK_SECONDS: Final = 0.5  # free disk and the log's size are looked up no more often
LOG_COMPLAINT_SECONDS: Final = 1.0  # between two lines of our own about a log that cannot be written
LOG_RETRY_AFTER_SECONDS: Final = 5.0  # what a full log tells clients
LOG_CORRUPT_BYTES_MAX: Final = 1024 * 1024  # of a corrupt stretch, kept in its dead letter
SPOOL_AGE_SECONDS_MIN: Final = 3600  # a spooled body that no record names is removed when it is older

# --- workers ------------------------------------------------------------------------------------------------------
BATCH_RECORDS_MAX: Final = 500
REFINE_EVENTS_MAX: Final = 32  # taken through the steps together: as many as fit into a processor's caches
REFINE_BYTES_MAX: Final = 1024 * 1024  # of JSON they were read from
OBJECTS_BETWEEN_COLLECTIONS: Final = 250_000  # a full batch has about half as many that the collector looks at
BATCH_BYTES_MAX: Final = 8 * 1024 * 1024
LOG_RELEASE_SECONDS: Final = 1.0  # between two looks for segments of the log that may go
SETTLE_SECONDS: Final = 0.5  # without anything to do: then write-ahead logs are emptied
BATCH_LINGER_SECONDS: Final = 0.1  # a short batch waits this long for more: 3x less CPU per event at 200/s
POISON_DEATHS: Final = 4  # processes that died with a record in hand before it is given up
COMMIT_LOCK_SECONDS_MAX: Final = 30.0  # a worker that holds the commit lock longer is killed by the supervisor
COMMIT_RETRIES_MAX: Final = 10
COMMIT_RETRY_SECONDS_MAX: Final = 5.0

# --- searching ----------------------------------------------------------------------------------------------------
QUERY_CHARS_MAX: Final = 4096

# --- processes ----------------------------------------------------------------------------------------------------
SUPERVISOR_ROUND_SECONDS: Final = 0.25  # how often the supervisor looks at its children
ROLE_RESTART_SECONDS_MIN: Final = 0.1  # doubled with every crash in a row
ROLE_RESTART_SECONDS_MAX: Final = 10.0
ROLE_HEALTHY_SECONDS: Final = 30.0  # a role that lived this long starts again at the shortest wait
ROLE_SILENT_SECONDS_MAX: Final = 60.0  # a role that gives no sign of life this long is ended and started afresh
LEARNING_SECONDS_MAX: Final = 120.0  # training a dictionary takes one or two; then it is ended
LEARNING_PAUSE_SECONDS: Final = 60.0  # after a training that failed
SCHEDULER_ROUND_SECONDS: Final = 0.5  # how often the scheduler looks at what is due
RETENTION_ROUND_SECONDS: Final = 600.0  # how often retention looks for days to drop
STOP_SECONDS_MAX: Final = 30.0  # for all roles together, after SIGTERM

# --- the store ----------------------------------------------------------------------------------------------------
SEARCH_TOKENS_MAX: Final = 400  # of one event's text
SEARCH_TOKEN_CHARS_MAX: Final = 64
LIST_LIMIT_MAX: Final = 1000  # of one page of a list
FACET_VALUES_MAX: Final = 100
FACET_SAMPLE_EVENTS_MAX: Final = 1000  # newest events read when a facet is not answered by the index alone
SERIES_POINTS_MAX: Final = 2000
SHARDS_OPEN_MAX: Final = 32
DEAD_LETTERS_MAX: Final = 10_000  # the oldest make room
DEAD_LETTER_BYTES_MAX: Final = 1024 * 1024  # of the bytes kept with one

# --- hot tables ---------------------------------------------------------------------------------------------------
ISSUE_TEXT_CHARS_MAX: Final = 500  # of a title, message or culprit as an issue keeps it; its events have them whole
ENVIRONMENTS_PER_PROJECT_MAX: Final = 1000  # seen within retention; further ones are counted together
RELEASES_PER_PROJECT_MAX: Final = 100_000  # the same; a hundred a day for longer than retention
NAMES_CACHED_MAX: Final = 20_000  # environments and releases that one process remembers
DEAD_LETTERS_BYTES_MAX: Final = 1024 * 1024 * 1024  # of all dead letters that wait; the oldest make room
DEAD_LETTERS_SETTLED_MAX: Final = 10_000  # replayed and discarded ones still listed, without their bytes
STATE_CHANGES_PER_TRANSACTION: Final = 200  # issues resolved at once before others may write
FORGET_ROWS_PER_TRANSACTION: Final = 1000  # rows that retention removes before others may write
FORGET_PAUSE_SECONDS: Final = 0.01  # between two such transactions: longer than one of them holds the database
HOT_READERS_IDLE_MAX: Final = 8  # connections kept open for the next reader of a process
HOT_READER_CACHE_BYTES: Final = 2 * 1024 * 1024  # page cache of one of them
HOT_WAL_PAGES: Final = 4000  # written before a checkpoint: pages changed by many commits are then written once

# --- SQLite databases (store/sqlite) ------------------------------------------------------------------------------
DATABASE_BUSY_SECONDS: Final = 20.0  # to wait for a writer in another process; commits hold a database a few ms
DATABASE_CACHE_BYTES: Final = 8 * 1024 * 1024  # page cache of one connection; more is the system's page cache

# --- the event store (store/sqlite/events.py) ---------------------------------------------------------------------
SEARCH_TAG_CHARS_MAX: Final = 512  # of a tag's key or value in the index: more than any field of the model has
PAYLOAD_BYTES_MAX: Final = 64 * 1024 * 1024  # of one event, inflated: a damaged length must not take the memory
DICTIONARY_BYTES: Final = 112 * 1024  # of a compression dictionary: zstd's own advice
DICTIONARY_EVENTS_MIN: Final = 1200  # events that a dictionary is trained on: fewer have too little in common
DICTIONARY_DAYS_MAX: Final = 30  # how far back events for a dictionary are looked for
DICTIONARY_USERS_MIN: Final = 5  # a dictionary keeps literal strings: only those that so many users share
DICTIONARY_ANONYMOUS_MIN: Final = 20  # or, without users, so many events of several issues
DICTIONARY_STRING_CHARS_MAX: Final = 2048  # longer strings are not looked at for a dictionary
DICTIONARIES_OPEN_MAX: Final = 8  # decoders kept per thread, 150 KB each
DICTIONARY_SECONDS_MIN: Final = 86_400  # between two trainings
DICTIONARY_RETRY_SECONDS: Final = 600  # after a training that came to nothing
SHARD_LOG_PAGES_MIN: Final = 500  # of 4 KB in a small shard's write-ahead log before it goes into the database
SHARD_LOG_PAGES_MAX: Final = 2000  # of a large one: 5 us per event less than 500, and under 100 bytes of disk
SHARD_LOG_EVENTS_PER_PAGE: Final = 50  # between the two
SHARD_NAMES_CACHED_MAX: Final = 10_000  # environments, releases, tag keys that a shard's writer remembers
SHARD_STACKS_CACHED_MAX: Final = 20_000  # digests of stacks that a shard's writer knows to be stored
COLUMN_TOKENS_CACHED_MAX: Final = 2000  # combinations of project, severity, environment and release
TAG_KEYS_CACHED_MAX: Final = 1000  # combinations of tag keys that events have
SHARDS_WRITTEN_MAX: Final = 4  # days with an open writer: today, yesterday and late ones
SPAN_EVENTS: Final = 1000  # events that share one entry of a shard's time map
LOOKUP_KEYS: Final = 64  # event ids asked for in one statement
ITERATE_EVENTS: Final = 200  # rows read at once by a walk over all events
FILTER_BITS_PER_EVENT: Final = 20  # a closed day's filter of ids: one wrong hit in 7,000
FILTER_PROBES: Final = 8
FILTER_ROWS_PER_COMMIT: Final = 2000  # a filter is built in steps of a few ms, each under the commit lock
FILTERS_OPEN_MAX: Final = 400  # each holds a file handle
BLOB_NAME_CHARS_MAX: Final = 500  # ours are about 120 long
FACET_SCAN_TERMS_MAX: Final = 60_000  # values of one tag that the index is read for (60 ms); beyond, newest events
DENSE_STACKS_MIN: Final = 200  # stacks with a word from which on a list first looks at the newest events themselves
DENSE_CANDIDATES: Final = 128  # events looked at together for that
DENSE_SHARE_MIN: Final = 0.125  # of them that must match: with fewer the index is faster
FACET_TERMS_MAX: Final = 5000  # most frequent values that a shard gives for one tag

# --- retention (defaults; settings change them) -------------------------------------------------------------------
RETENTION_DAYS: Final = 90

# --- pages and API (web) --------------------------------------------------------------------------------------------
LOGIN_LINK_SECONDS: Final = 86_400  # a one-time login link works for a day
LOGIN_LINKS_MAX: Final = 20  # unspent ones kept; each start of the server makes one
LOGIN_WINDOW_SECONDS: Final = 900
LOGIN_ATTEMPTS_PER_ACCOUNT: Final = 10  # failed ones in a window; then 429
LOGIN_ATTEMPTS_PER_ADDRESS: Final = 50  # an office shares one address
LOGIN_THROTTLE_ROWS_MAX: Final = 10_000  # accounts and addresses watched at once; the oldest make room
PASSWORD_CHARS_MAX: Final = 1024  # hashing longer ones is work for an attacker to give away
API_FULL_EVENTS_MAX: Final = 100  # whole events in one answer
API_TOKENS_MAX: Final = 100  # of one user
ISSUE_ROWS_PER_PAGE: Final = 50
EVENT_ROWS_PER_PAGE: Final = 50
QUERY_WORDS_MAX: Final = 20
BULK_ISSUES_MAX: Final = 200  # changed by one request
PAGE_FRAMES_MAX: Final = 500  # frames drawn on an event's page; the raw JSON has them all
PAGE_LOCALS_BYTES_MAX: Final = 512 * 1024  # locals drawn on an event's page
PAGE_VALUE_CHARS_MAX: Final = 20_000  # of one value drawn on a page; the raw JSON has it whole
PAGE_FACETS_MAX: Final = 20  # tags whose values the issue page shows
PAGE_FACET_VALUES_MAX: Final = 5
PAGE_TRANSITIONS_MAX: Final = 50
PAGE_DEAD_LETTER_BYTES_MAX: Final = 64 * 1024  # of a dead letter's bytes drawn on its page
PAGE_DEAD_LETTER_HEX_BYTES_MAX: Final = 4096  # of them drawn as a hex dump, which is five times as long
DEAD_LETTER_ROWS_PER_PAGE: Final = 50
PROJECTS_MAX: Final = 10_000
KEYS_PER_PROJECT_MAX: Final = 100
ORIGINS_PER_KEY_MAX: Final = 50
RATE_PER_MINUTE_MAX: Final = 10**9  # of a project's or key's limit; 0 is no limit
RETENTION_DAYS_MAX: Final = 3650
WEB_DRAIN_SECONDS_MAX: Final = 15.0  # after SIGTERM: answers under way are finished, then the process ends
WEB_BODY_BYTES_MAX: Final = 1024 * 1024  # of a form or an API request
