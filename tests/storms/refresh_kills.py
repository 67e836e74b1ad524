"""Kills a process that refreshes without end, at random instants, and looks how the next one gets on.

    python tests/storms/refresh_kills.py --kills 100 --store postgres --seed 1

Each kill has an app, and so a chain of tokens, of its own. Promised: the next process goes on, with the same refresh
token where the killed one had begun a refresh, unless the sandbox had replaced that token and its answer was never
kept. Only then a login is needed, is asked for in plain words, and is asked for again. No process presents a refresh
token twice. It prints counts, and ends with status 1 at a broken promise.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from exactonline_client.store import Store
from exactonline_client.tokens import TokenStore
from sandbox_driver import CLIENT_SECRET, REDIRECT_URI, REFRESH_TOKEN, Sandbox, running, small_world
from work import folder_and_store, forks, is_login_lost, refresh_twice, refresh_until_killed

LONGEST_WAIT_SECONDS = 0.4
"""Until the kill: some refreshes long, on a busy machine and PostgreSQL too."""
PATIENCE_SECONDS = 60
WENT_ON = "went on"
PRESENTED_AGAIN = "went on with the refresh token whose refresh was interrupted"
LOGIN_NEEDED = "login needed"
UNAVOIDABLE = "unavoidable"
FORKS = forks()


class BrokenPromiseError(Exception):
    """What must not happen, did."""


def world_of(kills: int) -> dict[str, Any]:
    """A world with an app for each kill."""
    apps = [
        {"client_id": app_of(number), "client_secret": CLIENT_SECRET, "redirect_uris": [REDIRECT_URI]}
        for number in range(kills)
    ]
    return {**small_world(), "apps": apps}


def app_of(number: int) -> str:
    return f"app-{number}"


def kill_once(sandbox: Sandbox, store_url: str, number: int, seconds: float) -> list[str]:
    """Kill one, let two follow; answers what came of it, and if the sandbox says so, that it was unavoidable.

    Raises:
        BrokenPromiseError: As it says.
    """
    app = app_of(number)
    first_token = REFRESH_TOKEN if number == 0 else f"{REFRESH_TOKEN}-{app}"
    config = sandbox.config(store_url=store_url, client_id=app, refresh_token=first_token)
    begin_and_kill(config, seconds)
    with Store.open(store_url) as store:
        kept = TokenStore(store, sandbox.url, app).get()
    if kept is None:
        raise BrokenPromiseError("the killed process had tokens, and none are kept")
    unavoidable = [UNAVOIDABLE] if is_login_lost(sandbox, store_url, app) else []
    ends = [following(config), following(config)]
    presented = [token["presented"] for token in sandbox.tokens() if token["app"] == app]
    if max(presented) > (3 if unavoidable else 2) or sum(times > 1 for times in presented) > 1:
        raise BrokenPromiseError(f"refresh tokens were presented so often: {presented}")
    if ends == [None, None]:
        return [PRESENTED_AGAIN if kept.attempts.unclear else WENT_ON, *unavoidable]
    for end in ends:
        if end is None:
            raise BrokenPromiseError(f"a login was needed and then was not, or the other way round: {ends}")
        name, text = end
        if name != "LoginNeededError" or "consent again" not in text or REFRESH_TOKEN in text:
            raise BrokenPromiseError(f"it does not say what to do: {name}: {text}")
    return [LOGIN_NEEDED, *unavoidable]


def begin_and_kill(config: dict[str, Any], seconds: float) -> None:
    """Start one that refreshes, and kill it so long after its first token."""
    heard, told = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=refresh_until_killed, args=(config, told))
    process.start()
    if not heard.poll(PATIENCE_SECONDS):
        raise BrokenPromiseError("it did not begin")
    time.sleep(seconds)
    process.kill()
    process.join(PATIENCE_SECONDS)
    if process.exitcode != -9:
        raise BrokenPromiseError(f"it ended by itself, with {process.exitcode}")


def following(config: dict[str, Any]) -> tuple[str, str] | None:
    """How the next process ends: None if it got on, else its error."""
    heard, told = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=refresh_twice, args=(config, told))
    process.start()
    if not heard.poll(PATIENCE_SECONDS):
        process.kill()
        raise BrokenPromiseError("the next process told nothing for a minute: is a lock still held?")
    end: tuple[str, str] | None = heard.recv()
    process.join(PATIENCE_SECONDS)
    return end


def rage(kind: str, kills: int, seed: int) -> Counter[str]:
    """All kills; answers how many came to what."""
    draw: Callable[[], float] = Random(seed).random  # noqa: S311 - to be drawn again
    with ExitStack() as stack:
        folder, store_url = stack.enter_context(folder_and_store(kind))
        sandbox = stack.enter_context(running(folder / "world.db"))
        sandbox.reset(world_of(kills))
        return Counter(
            came_to
            for number in range(kills)
            for came_to in kill_once(sandbox, store_url, number, draw() * LONGEST_WAIT_SECONDS)
        )


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kills", type=int, default=100)
    asked.add_argument("--store", default="sqlite", help="sqlite, postgres, or the store_url of an empty store")
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    try:
        counts = rage(options.store, options.kills, options.seed)
    except BrokenPromiseError as broken:
        say(f"BROKEN: {broken}")
        sys.exit(1)
    for what in (WENT_ON, PRESENTED_AGAIN):
        say(f"{options.store.partition(':')[0]}: {counts[what]:4} {what}")
    needed, unavoidable = counts[LOGIN_NEEDED], counts[UNAVOIDABLE]
    say(f"ended in login needed: {needed}, unavoidable according to the sandbox: {unavoidable}")
    if needed != unavoidable:
        say("BROKEN: a login was needed where the token was good, or was not where it was spent")
        sys.exit(1)
    say(f"{options.kills} kills, every promise kept.")


if __name__ == "__main__":
    main()
