"""Four processes share one login while its access tokens live five seconds, and sometimes end all at once.

    python tests/storms/token_storm.py --seconds 120 --store postgres

Every few seconds the clock of the sandbox jumps past the life of a token, so that all processes are refused together.
Promised: no refresh token is presented twice, no refusal goes unmended, none refreshes what is still good. It prints
counts, and ends with status 1 at a broken promise.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from sandbox_driver import Sandbox, running, small_world
from work import Done, call_for, folder_and_store, forks

PROCESSES = 4
TOKEN_SECONDS = 5
JUMP_SECONDS = 6
CALM_SECONDS = 6.0
"""From one jump to the next: time for a token to live its life in between."""
EARLIEST_SECONDS = 3.0
"""A token is used for four of its five seconds; one second is left for the way of its answer."""
LONGEST_SECONDS = 500
"""Then the 200 token requests are used that Exact allows in a day."""


def storm(kind: str, seconds: float) -> list[str]:
    """Let it rage; answers what was broken."""
    context = forks()
    with folder_and_store(kind) as (folder, store_url), running(folder / "world.db") as sandbox:
        sandbox.reset(small_world(limits={"token_seconds": TOKEN_SECONDS}))
        start = context.Barrier(PROCESSES + 1)
        pipes = [context.Pipe(duplex=False) for _ in range(PROCESSES)]
        config = sandbox.config(store_url=store_url)
        started = [context.Process(target=call_for, args=(config, seconds, start, told)) for _, told in pipes]
        for process in started:
            process.start()
        start.wait(timeout=120)
        jumps = jump_now_and_then(sandbox, time.monotonic() + seconds)
        ends = [end_of(heard, process) for (heard, _), process in zip(pipes, started, strict=True)]
        return judged(kind, sandbox, ends, jumps)


def jump_now_and_then(sandbox: Sandbox, until: float) -> int:
    """Move the clock on again and again; answers how often."""
    jumps = 0
    while time.monotonic() + CALM_SECONDS < until:
        time.sleep(CALM_SECONDS)
        sandbox.advance(JUMP_SECONDS)
        jumps += 1
    return jumps


def end_of(heard: Any, process: Any) -> Done:
    """What a process told, or that it told nothing."""
    process.join(timeout=600)
    told = heard.recv() if heard.poll() else Done(errors=[f"it ended with {process.exitcode} and told nothing"])
    assert isinstance(told, Done)
    return told


def judged(kind: str, sandbox: Sandbox, ends: list[Done], jumps: int) -> list[str]:
    """Print the counts; answers what was broken."""
    asked = [call for call in sandbox.journal() if call["endpoint"] == "oauth2/token"]
    answers = Counter(call["status"] for call in asked)
    moments = [datetime.fromisoformat(call["at"]).timestamp() for call in asked]
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    refused = sum(1 for call in sandbox.journal() if call["status"] == 401 and call not in asked)
    presented = Counter(token["presented"] for token in sandbox.tokens())
    errors = [error for end in ends for error in end.errors]
    say(
        f"{kind.partition(':')[0]}: {sum(end.calls for end in ends)} calls by {len(ends)} processes, {len(asked)} "
        f"refreshes at least {min(gaps, default=0):.1f} s apart, {jumps} jumps of the clock, {refused} answers 401, "
        f"{len(errors)} not mended, {sum(1 for times in presented.elements() if times > 1)} tokens presented twice"
    )
    return [
        *errors,
        *(f"a refresh was answered {status}, {times} times" for status, times in answers.items() if status != 200),
        *(f"a refresh token was presented {times} times" for times in presented if times > 1),
        *(f"a refresh came {gap:.1f} s after the one before" for gap in gaps if gap < EARLIEST_SECONDS),
        *(["a process made no call"] if any(not end.calls for end in ends) else []),
        *(["all refusals stayed away, so nothing was tried"] if jumps and not refused else []),
    ]


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=float, default=120)
    asked.add_argument("--store", default="sqlite", help="sqlite, postgres, or the store_url of an empty store")
    options = asked.parse_args()
    if options.seconds > LONGEST_SECONDS:
        asked.error(f"at most {LONGEST_SECONDS} seconds: then the token requests of a day are used")
    broken = storm(options.store, options.seconds)
    for one in broken:
        say(f"BROKEN: {one}")
    say("Every promise kept." if not broken else f"{len(broken)} broken promises.")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
