"""Four processes share one login while its access tokens live five seconds, and sometimes end all at once.

    python tests/storms/token_storm.py --seconds 120 --store postgres

Every few seconds the clock of the sandbox jumps past the life of a token, so that all processes are refused together.
Some refreshes get an answer that says nothing, or none, and the token stays good. At the end, one is carried out and
its answer lost. Promised: no good refresh token is presented twice, no refusal goes unmended, none refreshes what is
still good, a pause comes before a token is presented again, and a login is needed only at the end. It prints counts,
and ends with status 1 at a broken promise.
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

from sandbox_driver import CLIENT_ID, Sandbox, running, small_world
from work import Done, call_for, folder_and_store, forks, is_login_lost

TOKEN = "oauth2/token"
PROCESSES = 4
TOKEN_SECONDS = 5
JUMP_SECONDS = 6
CALM_SECONDS = 6.0
"""From one jump to the next: time for all to get over it, and for a token to live its life in between. A second jump
right after the first ends a token before the process that got it has used it."""
EARLIEST_SECONDS = 3.0
"""A token is used for four of its five seconds; one second is left for the way of its answer."""
PAUSE_SECONDS = 1.0
"""Before a token is presented again: two seconds, less the way of the first request on a machine that is busy."""
SPOILED = (
    {"kind": "html_body", "applied": False, "every": 9},
    {"kind": "reset_before", "every": 6},
    {"kind": "fault_500", "every": 3},
)
"""Every third one, so that never two come in a row: the next pause is half a minute."""
PATIENCE_SECONDS = 20.0
"""For the end: until the last of the processes was told that a login is needed."""
LONGEST_SECONDS = 500
"""Then the 200 token requests are used that Exact allows in a day."""


def storm(kind: str, seconds: float) -> list[str]:
    """Let it rage; answers what was broken."""
    context = forks()
    with folder_and_store(kind) as (folder, store_url), running(folder / "world.db") as sandbox:
        sandbox.reset(small_world(limits={"token_seconds": TOKEN_SECONDS}))
        for fault in SPOILED:
            sandbox.fault(endpoint=TOKEN, **fault)
        start = context.Barrier(PROCESSES + 1)
        pipes = [context.Pipe(duplex=False) for _ in range(PROCESSES)]
        config = sandbox.config(store_url=store_url)
        until_the_end = (config, seconds + PATIENCE_SECONDS, start)
        started = [context.Process(target=call_for, args=(*until_the_end, told)) for _, told in pipes]
        for process in started:
            process.start()
        start.wait(timeout=120)
        jumps = jump_now_and_then(sandbox, time.monotonic() + seconds)
        sandbox.clear_faults()
        sandbox.fault("token_lost_answer")
        sandbox.advance(JUMP_SECONDS)
        ends = [end_of(heard, process) for (heard, _), process in zip(pipes, started, strict=True)]
        return judged(kind, sandbox, ends, jumps, is_lost=is_login_lost(sandbox, store_url, CLIENT_ID))


def jump_now_and_then(sandbox: Sandbox, until: float) -> int:
    """Move the clock on again and again, with calm before and after each time; answers how often."""
    time.sleep(CALM_SECONDS)
    jumps = 0
    while time.monotonic() + CALM_SECONDS < until:
        sandbox.advance(JUMP_SECONDS)
        jumps += 1
        time.sleep(CALM_SECONDS)
    return jumps


def end_of(heard: Any, process: Any) -> Done:
    """What a process told, or that it told nothing."""
    process.join(timeout=600)
    told = heard.recv() if heard.poll() else Done(errors=[f"it ended with {process.exitcode} and told nothing"])
    assert isinstance(told, Done)
    return told


def judged(kind: str, sandbox: Sandbox, ends: list[Done], jumps: int, *, is_lost: bool) -> list[str]:
    """Print the counts; answers what was broken."""
    asked = [call for call in sandbox.journal() if call["endpoint"] == TOKEN]
    lost = (place for place, call in enumerate(asked) if call["fault"] == "token_lost_answer")
    lost_at = next(lost, len(asked))  # on a busy machine all may have ended before the last refresh
    last, asked = asked[lost_at + 1 :], asked[: lost_at + 1]
    answers = Counter(call["status"] for call in asked if not call["fault"])
    moments = [(datetime.fromisoformat(call["at"]).timestamp(), call["fault"]) for call in asked]
    gaps = {False: [TOKEN_SECONDS * 1.0], True: [TOKEN_SECONDS * 1.0]}
    for (before, fault), (after, _) in itertools.pairwise(moments):
        gaps[bool(fault)].append(after - before)
    refused = sum(1 for call in sandbox.journal() if call["status"] == 401 and call["endpoint"] != TOKEN)
    *good, _spent, _unseen = [token["presented"] for token in sandbox.tokens()]
    needed, unavoidable = sum(end.needs_login for end in ends), len(ends) if is_lost else 0
    errors = [error for end in ends for error in end.errors]
    say(
        f"{kind.partition(':')[0]}: {sum(end.calls for end in ends)} calls by {len(ends)} processes, {len(asked)} "
        f"refreshes at least {min(gaps[False]):.1f} s apart, {len(gaps[True]) - 1} of them spoiled and presented again "
        f"after at least {min(gaps[True]):.1f} s, {jumps} jumps of the clock, {refused} answers 401, "
        f"{len(errors)} not mended, {sum(times > 1 for times in good)} good tokens presented twice"
    )
    say(f"ended in login needed: {needed}, unavoidable according to the sandbox: {unavoidable}")
    return [
        *errors,
        *(f"a refresh was answered {status}, {times} times" for status, times in answers.items() if status != 200),
        *(f"a good refresh token was presented {times} times" for times in good if times > 1),
        *(f"a refresh came {gap:.1f} s after the one before" for gap in gaps[False] if gap < EARLIEST_SECONDS),
        *(f"a token was presented again after {gap:.1f} s" for gap in gaps[True] if gap < PAUSE_SECONDS),
        *(["those that needed a login are not those that could not go on"] if needed != unavoidable else []),
        *([f"the spent token was presented {len(last)} times more"] if len(last) > len(ends) else []),
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
