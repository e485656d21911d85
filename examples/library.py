"""Moves what a configuration file names, step by step: python examples/library.py FILE NAME... [--to SERVER]

Shows the plan first, carries that out, and ends with the first exit code that is not 0.
"""

from __future__ import annotations

import argparse
import sys

from hcloud_reassign import Event, ReassignError, Request, apply, load, observe, plan


def told(event: Event) -> None:
    """Gets every event while it happens."""
    if event.event.startswith("step."):
        print(f"  {event.event}: {event.data.get('what') or event.data.get('reason')}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("names", nargs="+")
    parser.add_argument("--to")
    arguments = parser.parse_args()
    try:
        project = load(arguments.file)
        seen = observe(project, arguments.names)
        proposal = plan(seen, Request(to=arguments.to))
        for move in proposal.plan:
            print(f"{move.name}: {move.before} -> {move.wanted}, {move.outcome}")
            if move.refusal:
                print(f"  {move.refusal.guard}: {move.refusal.message}")
        results = apply(proposal, on_event=told)
    except ReassignError as error:
        print(f"{error}; next: {error.next}", file=sys.stderr)
        return int(error.exit_code)
    for result in results:
        print(f"{result.name}: {result.outcome}, with {result.after}")
    return next((int(result.code) for result in results if result.code), 0)


if __name__ == "__main__":
    sys.exit(main())
