"""Step 4: no secret and nobody's personal data goes on from here.

Each part of the draft is looked at as JSON, all of them in one buffer, and only a part that the screen hits is taken
apart. The frames of a stack, without their locals, are the same for every event of a fault: they are looked at once.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Raw

from catchall.core import limits
from catchall.core.codec import SplitStack, decode_frames, read_breadcrumbs, stack_of
from catchall.core.event import OWN_STACK, EventDraft, HttpContext, ScrubMark, StackPart
from catchall.core.identity import user_id_of
from catchall.core.memo import Memo
from catchall.core.scrub import Scrubber, scrubber
from catchall.core.scrub.text import mask_of
from catchall.core.scrub.walk import Marks, below
from catchall.pipeline.context import BatchContext, ProjectSettings

ADDRESS_RULE = "address"

_encode = msgspec.json.Encoder().encode
_ADDRESS_HEADERS = frozenset(
    (
        "x-forwarded-for", "x-real-ip", "forwarded", "remote-addr", "true-client-ip", "cf-connecting-ip", "client-ip",
        "x-client-ip", "x-cluster-client-ip", "fastly-client-ip", "x-appengine-user-ip", "x-envoy-external-address",
        "x-original-forwarded-for",
    )
)  # fmt: skip
_TEXTS = (
    "message",
    "message_template",
    "error_type",
    "transaction",
    "culprit",
    "logger",
    "host_name",
    "timestamp_text",
)


class _CleanStack(NamedTuple):
    """A stack after masking."""

    stack: SplitStack
    marks: tuple[tuple[str, str, int], ...]  # rule, path below the stack, how often


_CLEAN = _CleanStack(SplitStack(b"", b""), ())
_stacks: Memo[tuple[bytes, tuple[str, ...]], _CleanStack] = Memo(limits.STACKS_REMEMBERED_MAX)


def scrub(draft: EventDraft, context: BatchContext) -> None:
    """Mask what is secret; leave a mark for each rule and place. Of the user only the hashed id stays."""
    project = context.projects[draft.project_id]
    rules = scrubber(project.scrub_keys)
    marks = Marks()
    _settle_user(draft, project, context.installation_key)
    if draft.http_context is not None and not project.keep_addresses:
        _drop_addresses(draft.http_context, marks)
    for stack in draft.stacks:
        _scrub_frames(stack, rules, marks)
    parts, targets = _parts(draft)
    for index in _dirty(parts, rules):
        mask, owner, frame = targets[index]
        mask(_Work(draft, rules, marks, parts[index], owner, frame))
    draft.scrubbed = [ScrubMark(rule=rule, path=path, count=count) for (rule, path), count in marks.counts.items()]


class _Work(NamedTuple):
    """A part to be taken apart, and what is needed for it. `stack` and `frame`: whose locals it is."""

    draft: EventDraft
    rules: Scrubber
    marks: Marks
    data: bytes
    stack: StackPart | None
    frame: int


_Target = tuple[Callable[[_Work], None], StackPart | None, int]


def _dirty(parts: list[bytes], rules: Scrubber) -> Iterable[int]:
    """Which parts must be taken apart: those that the screen hits, all when not even the encoding is right."""
    buffer = b"\n".join(parts)
    if not buffer.isascii() and not _is_utf_8(buffer):
        return range(len(parts))
    return rules.screen.dirty(buffer, parts)


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _settle_user(draft: EventDraft, project: ProjectSettings, key: bytes) -> None:
    """The user's id, hashed unless the project keeps ids. Nothing else of the user stays."""
    user = draft.user_raw
    draft.user_raw = {}
    said = str(user.get("id") or draft.user_id or "").strip()
    if said and project.keep_user_ids:
        draft.user_id = said[: limits.NAME_CHARS_MAX]
        return
    for name in ("email", "username", "ip_address"):
        if said:
            break
        value = str(user.get(name) or "").strip().lower()
        said = f"{name}:{value}" if value else ""
    draft.user_id = user_id_of(key, draft.project_id, said) if said else ""


def _drop_addresses(http: HttpContext, marks: Marks) -> None:
    if http.remote_address:
        http.remote_address = ""
        marks.add(ADDRESS_RULE, "http_context.remote_address")
    for name in http.headers:
        if name.lower() in _ADDRESS_HEADERS:
            http.headers[name] = mask_of(ADDRESS_RULE)
            marks.add(ADDRESS_RULE, below("http_context.headers", name))


def _parts(draft: EventDraft) -> tuple[list[bytes], list[_Target]]:
    """All that may hold something, as JSON, and for each part what masks it."""
    parts = [_encode(_texts(draft))]
    targets: list[_Target] = [_TEXTS_TARGET]
    if draft.http_context is not None:
        parts.append(_encode(draft.http_context))
        targets.append(_HTTP_TARGET)
    if draft.sent_breadcrumbs is not UNSET or draft.breadcrumbs:
        sent = b"" if draft.sent_breadcrumbs is UNSET else bytes(draft.sent_breadcrumbs)
        parts.append(sent + _encode(draft.breadcrumbs) if draft.breadcrumbs else sent)
        targets.append(_BREADCRUMBS_TARGET)
    if draft.extra_data is not UNSET:
        parts.append(bytes(draft.extra_data))
        targets.append(_EXTRA_TARGET)
    if draft.debug_meta is not UNSET:
        parts.append(bytes(draft.debug_meta))
        targets.append(_DEBUG_META_TARGET)
    for stack in draft.stacks:
        for frame, raw in stack.locals.items():
            parts.append(bytes(raw))
            targets.append((_mask_locals, stack, frame))
    return parts, targets


def _texts(draft: EventDraft) -> list[object]:
    """The short texts, in one list: they hardly ever hold anything."""
    texts: list[object] = [
        draft.message,
        draft.message_template,
        draft.transaction,
        draft.culprit,
        draft.logger,
        draft.host_name,
    ]
    texts += (draft.timestamp_text, draft.tags, draft.client_fingerprint, draft.device_context, draft.process)
    for one in draft.exceptions:
        texts += (one.error_type, one.message, one.module)
    if draft.attachments or draft.cut:
        texts.append([one.filename for one in draft.attachments] + [one.path for one in draft.cut])
    return texts


def _mask_texts(work: _Work) -> None:
    draft, walk, marks = work.draft, work.rules.walk, work.marks
    for name in _TEXTS:
        setattr(draft, name, walk.text(getattr(draft, name), name, marks))
    for index, one in enumerate(draft.exceptions):
        path = f"exceptions.{index}"
        one.error_type = walk.text(one.error_type, f"{path}.error_type", marks)
        one.message = walk.text(one.message, f"{path}.message", marks)
        one.module = walk.text(one.module, f"{path}.module", marks)
    draft.tags = walk.value(draft.tags, "tags", marks)
    draft.client_fingerprint = walk.value(draft.client_fingerprint, "client_fingerprint", marks)
    for attachment in draft.attachments:
        attachment.filename = walk.text(attachment.filename, "attachments.filename", marks)
    for cut in draft.cut:
        cut.path = walk.text(cut.path, "cut.path", marks)
    if draft.process is not None:
        draft.process.environment = walk.value(draft.process.environment, "process.environment", marks)
        draft.process.thread = walk.text(draft.process.thread, "process.thread", marks)
        draft.process.runtime = walk.text(draft.process.runtime, "process.runtime", marks)
    device = draft.device_context
    if device is not None:
        for name in ("os", "browser", "model", "network", "route"):
            setattr(device, name, walk.text(getattr(device, name), f"device_context.{name}", marks))


def _mask_http(work: _Work) -> None:
    http, walk, marks = work.draft.http_context, work.rules.walk, work.marks
    assert http is not None
    texts = work.rules.screen.hits_texts(work.data)
    http.headers = walk.value(http.headers, "http_context.headers", marks, texts=texts)
    if texts:
        for name in ("method", "url", "query_string", "remote_address"):
            setattr(http, name, walk.text(getattr(http, name), f"http_context.{name}", marks))
    if http.body is not UNSET:
        http.body = Raw(walk.json(bytes(http.body), "http_context.body", marks, texts=texts))


def _mask_breadcrumbs(work: _Work) -> None:
    """Only those that the screen hits: there may be a hundred. From here on all are in the model's form."""
    draft, walk, marks = work.draft, work.rules.walk, work.marks
    if draft.sent_breadcrumbs is not UNSET:
        draft.breadcrumbs = [*read_breadcrumbs(draft.sent_breadcrumbs), *draft.breadcrumbs]
        draft.sent_breadcrumbs = UNSET
    for index, crumb in enumerate(draft.breadcrumbs):
        if not work.rules.screen.hits(_encode(crumb)):
            continue
        path = f"breadcrumbs.{index}"
        for name in ("message", "category", "type", "level"):
            setattr(crumb, name, walk.text(getattr(crumb, name), f"{path}.{name}", marks))
        if crumb.data is not UNSET:
            crumb.data = Raw(walk.json(bytes(crumb.data), f"{path}.data", marks))


def _mask_extra(work: _Work) -> None:
    work.draft.extra_data = _masked(work, "extra_data")


def _mask_debug_meta(work: _Work) -> None:
    work.draft.debug_meta = _masked(work, "debug_meta")


def _mask_locals(work: _Work) -> None:
    assert work.stack is not None
    path = f"{_stack_path(work.stack)}.{work.frame}.locals"
    work.stack.locals[work.frame] = _masked(work, path)


_TEXTS_TARGET: _Target = (_mask_texts, None, 0)
_HTTP_TARGET: _Target = (_mask_http, None, 0)
_BREADCRUMBS_TARGET: _Target = (_mask_breadcrumbs, None, 0)
_EXTRA_TARGET: _Target = (_mask_extra, None, 0)
_DEBUG_META_TARGET: _Target = (_mask_debug_meta, None, 0)


def _masked(work: _Work, path: str) -> Raw:
    """A part of raw JSON, masked; its texts are looked at only when something in them hit."""
    texts = work.rules.screen.hits_texts(work.data) or not _is_utf_8(work.data)
    return Raw(work.rules.walk.json(work.data, path, work.marks, texts=texts))


def _stack_path(stack: StackPart) -> str:
    return "stack_trace" if stack.owner == OWN_STACK else f"exceptions.{stack.owner}.stack_trace"


def _scrub_frames(stack: StackPart, rules: Scrubber, marks: Marks) -> None:
    """Mask a stack's frames, without their locals. The answer is remembered by the digest."""
    name = (stack.digest, rules.names)
    known = _stacks.get(name)
    if known is None:
        known = _clean_frames(stack, rules)
        _stacks.put(name, known)
    if known is _CLEAN:
        return
    for rule, path, count in known.marks:
        marks.add(rule, below(_stack_path(stack), path), count)
    stack.digest, stack.frames = known.stack


def _clean_frames(stack: StackPart, rules: Scrubber) -> _CleanStack:
    if not rules.screen.hits(stack.frames):
        return _CLEAN
    frames = decode_frames(stack.frames)
    marks = Marks()
    for index, frame in enumerate(frames):
        if not rules.screen.hits(_encode(frame)):
            continue
        path = str(index)
        for name in ("function", "module", "filename", "abs_path"):
            setattr(frame, name, rules.walk.text(getattr(frame, name), f"{path}.{name}", marks))
        context = frame.context
        if context is not None:
            context.line = rules.walk.text(context.line, f"{path}.context", marks, source=True)
            context.pre = [rules.walk.text(line, f"{path}.context", marks, source=True) for line in context.pre]
            context.post = [rules.walk.text(line, f"{path}.context", marks, source=True) for line in context.post]
    if not marks.counts:
        return _CLEAN
    found = tuple((rule, path, count) for (rule, path), count in marks.counts.items())
    return _CleanStack(stack_of(frames), found)
