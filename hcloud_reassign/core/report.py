"""Plan and outcomes as plain data: the JSON documents, the digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from hcloud_reassign.core.errors import ExitCode, ReassignError, worst
from hcloud_reassign.core.guards import clock_time
from hcloud_reassign.core.model import Holder, Move, Outcome, Plan
from hcloud_reassign.core.steps import Step

VERSION = 1
StepStatus = Literal["pending", "running", "done", "failed", "undone", "unknown"]


@dataclass(frozen=True)
class StepResult:
    what: str
    status: StepStatus
    action_id: int | None = None
    duration_ms: int | None = None


@dataclass(frozen=True)
class Result:
    """What became of one move. `after` is who was seen to hold it at the end. Durations in milliseconds."""

    move: Move
    outcome: Outcome
    code: ExitCode
    after: Holder | None = None
    undone: bool = False
    guard: str | None = None
    message: str | None = None
    next: str | None = None
    vendor_command: str | None = None
    retry_after_s: int | None = None
    issued_at_ms: int | None = None
    gap_ms: int | None = None
    duration_ms: int | None = None
    steps: tuple[StepResult, ...] = ()

    @property
    def name(self) -> str:
        return self.move.name


_CODES: Mapping[str, ExitCode] = {
    "pending": ExitCode.OK,
    "unchanged": ExitCode.OK,
    "done": ExitCode.OK,
    "refused": ExitCode.REFUSED,
    "failed": ExitCode.FAILED,
    "unknown": ExitCode.UNKNOWN,
}


def planned(move: Move) -> Result:
    """A planned move as a result: what it is as long as nothing has been done."""
    refusal = move.refusal
    return Result(
        move,
        move.outcome,
        ExitCode.USAGE if move.usage_error else _CODES[move.outcome],
        after=move.before,
        guard=refusal.guard if refusal else None,
        message=refusal.message if refusal else move.message,
        next=refusal.next if refusal else move.next,
        vendor_command=move.vendor_command,
        retry_after_s=refusal.retry_after_s if refusal else None,
        steps=tuple(StepResult(step.what, "pending") for step in move.steps),
    )


def ended(result: Result, outcome: Outcome, **changes: Any) -> Result:
    """A result with another outcome and the exit code that belongs to it."""
    return replace(result, outcome=outcome, code=changes.pop("code", _CODES[outcome]), **changes)


def exit_code(results: Iterable[Result]) -> ExitCode:
    return worst(result.code for result in results)


def holder_data(holder: Holder | None) -> dict[str, Any] | None:
    if holder is None:
        return None
    return {"type": holder.type, "id": holder.id, "name": holder.name, "address": holder.address}


def move_data(result: Result) -> dict[str, Any]:
    """One entry of `moves` in the JSON document of `run` and `plan`."""
    move, resource = result.move, result.move.resource
    return {
        "name": move.name,
        "type": move.assignment.type,
        "group": move.group,
        "resource": {"id": resource.id, "name": resource.name, "address": resource.address},
        "before": holder_data(move.before),
        "after": holder_data(result.after),
        "wanted": holder_data(move.wanted),
        "outcome": result.outcome,
        "undone": result.undone,
        "guard": result.guard,
        "message": result.message,
        "next": result.next,
        "vendor_command": result.vendor_command,
        "retry_after_s": result.retry_after_s,
        "side_effects": list(move.side_effects),
        "warnings": list(move.warnings),
        "issued_at": None if result.issued_at_ms is None else clock_time(result.issued_at_ms),
        "gap_ms": result.gap_ms,
        "duration_ms": result.duration_ms,
        "steps": [
            {"what": step.what, "status": step.status, "action_id": step.action_id, "duration_ms": step.duration_ms}
            for step in result.steps
        ],
    }


def error_data(error: ReassignError) -> dict[str, Any]:
    """The `error` of a JSON document."""
    return {
        "code": error.code,
        "message": error.message,
        "object": error.object,
        "file": error.file,
        "line": error.line,
        "key": error.key,
        "suggestion": error.suggestion,
        "next": error.next,
    }


def document(
    command: str,
    *,
    started_ms: int,
    finished_ms: int,
    code: ExitCode,
    error: ReassignError | None = None,
    warnings: Sequence[str] = (),
    project: str | None = None,
    requests: int = 0,
    rate_limit_remaining: int | None = None,
    digest: str | None = None,
    results: Sequence[Result] = (),
) -> dict[str, Any]:
    """The JSON document of `run` and `plan`. Times in unix milliseconds."""
    return {
        "version": VERSION,
        "command": command,
        "started": clock_time(started_ms),
        "finished": clock_time(finished_ms),
        "exit_code": int(code),
        "outcome": code.word,
        "error": None if error is None else error_data(error),
        "warnings": list(warnings),
        "project": project,
        "requests": requests,
        "rate_limit_remaining": rate_limit_remaining,
        "digest": digest,
        "moves": [move_data(result) for result in results],
    }


def digest(plan: Plan, api_url: str) -> str:
    """What ties an approval to an execution: 16 hex digits over the pending moves. No times, no labels."""
    import hashlib
    import json

    def key(holder: Holder | None) -> object:
        return None if holder is None else holder.key[1]

    def names(steps: Sequence[Step]) -> list[str]:
        return [step.what for step in steps]

    moves = [
        [
            move.name,
            move.assignment.type,
            move.resource.id,
            key(move.before),
            key(move.wanted),
            names(move.steps),
            list(move.side_effects),
        ]
        for move in sorted(plan.pending, key=lambda move: move.name)
    ]
    text = json.dumps([1, api_url, moves], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
