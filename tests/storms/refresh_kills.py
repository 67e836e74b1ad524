"""Kills a process that refreshes without end, at random instants, and looks how the next one gets on.

    python tests/storms/refresh_kills.py --kills 100 --store postgres --seed 1

Each kill has an app, and so a chain of tokens, of its own. Promised: no refresh token is presented twice; the next
process goes on, unless the killed one had begun a refresh whose answer it did not live to keep. Then a login is needed,
is asked for in plain words, and is asked for again. It prints counts, and ends with status 1 at a broken promise.
"""

from __future__ import annotations

import argparse
import hashlib
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
from work import folder_and_store, forks, refresh_twice, refresh_until_killed

LONGEST_WAIT_SECONDS = 0.15
"""Until the kill: some refreshes long."""
PATIENCE_SECONDS = 60
WENT_ON = "went on"
UNSEEN = "login needed: Exact had spent the token, its answer was never kept"
NEVER_SENT = "login needed: Exact never got the token, which nobody could know"
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


def kill_once(sandbox: Sandbox, store_url: str, number: int, seconds: float) -> str:
    """Kill one, let two follow; answers what came of it.

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
    spent = [token["spent"] for token in sandbox.tokens() if token["app"] == app]
    ends = [following(config), following(config)]
    if any(token["presented"] > 1 for token in sandbox.tokens() if token["app"] == app):
        raise BrokenPromiseError("a refresh token was presented twice")
    if kept.refresh_begun_at is None:
        if ends != [None, None]:
            raise BrokenPromiseError(f"no refresh was under way, and yet: {ends}")
        return WENT_ON
    for end in ends:
        if end is None:
            raise BrokenPromiseError("the outcome of a refresh was unknown, and it was passed over in silence")
        name, text = end
        if name != "RefreshOutcomeUnknownError" or "consent again" not in text or REFRESH_TOKEN in text:
            raise BrokenPromiseError(f"it does not say what to do: {name}: {text}")
    # Each answer of Exact brings a token; the newest is unspent unless it came to be presented.
    issued = number_of_kept(sandbox, app, kept.tokens.refresh_token)
    return UNSEEN if spent[issued] else NEVER_SENT


def number_of_kept(sandbox: Sandbox, app: str, refresh_token: str) -> int:
    """The place of the kept token among those that Exact gave this app."""
    digest = hashlib.sha256(refresh_token.encode()).hexdigest()[:12]
    return [token["sha256"] for token in sandbox.tokens() if token["app"] == app].index(digest)


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
        return Counter(kill_once(sandbox, store_url, number, draw() * LONGEST_WAIT_SECONDS) for number in range(kills))


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
    for what in (WENT_ON, UNSEEN, NEVER_SENT):
        say(f"{options.store.partition(':')[0]}: {counts[what]:4} {what}")
    say(f"{options.kills} kills, no refresh token presented twice, every promise kept.")


if __name__ == "__main__":
    main()
