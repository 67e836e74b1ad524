"""The process that looks after one run, and outlives the page: `python -m exactonline_console.runner LAUNCH`.

It holds the lock of runs, so that there is one at a time on a store, starts Meltano, stops it when somebody asks for
that in the store, and notes how it ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from exactonline_client.errors import ConfigurationError, ExactError
from exactonline_client.store import Store
from exactonline_client.transport import utc_now

from exactonline_console.jobs import changed_at, job, saved
from exactonline_console.launches import Launch, Launches, reads_all, was_broken_off
from exactonline_console.leftovers import UMASK, clear
from exactonline_console.logs import sentence_of
from exactonline_console.processes import Known
from exactonline_console.project import Project

LOCK = "run"
LOOK_EVERY_SECONDS = 0.5
BUSY = "Another run is under way on this store. Wait until it ends, or stop it; then start this one again."
PATIENCE_SECONDS = 120
"""A call under way may take its time, and is finished first."""
UNBRAKED = "1000000000"
LOGS_KEPT = 200


def start(project: Project, launch: Launch) -> None:
    """Begin to look after a launch, in a session of its own that no end of the page reaches."""
    kept = sorted(project.folder.glob("*.log"), key=lambda one: one.stat().st_mtime)
    for old in kept[:-LOGS_KEPT]:
        old.unlink(missing_ok=True)
    project.log(launch.id).touch(mode=0o600)
    with project.log(launch.id).open("ab") as log:
        subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "exactonline_console.runner", launch.id],
            cwd=project.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            close_fds=True,
            umask=UMASK,
        )


def look_after(project: Project, store: Store, launch: Launch) -> None:
    """Run it to its end, and note that."""
    launches = Launches(store)
    launches.note_runner(launch.id, Known.of(os.getpid()))
    try:
        with store.lock(LOCK, timeout_seconds=1.0):
            clear(project, saved(project))
            _prepare(project, launches, launch)
            status = _run(project, launches, launch)
            launches.end(launch.id, status, sentence_of(project.log(launch.id)))
    except ConfigurationError as error:
        launches.end(launch.id, 1, BUSY if f"'{LOCK}'" in str(error) else str(error))
    except (ExactError, OSError) as error:
        launches.end(launch.id, 1, str(error))


def _prepare(project: Project, launches: Launches, launch: Launch) -> None:
    """Make Meltano's system database before the first run: of two runs that both make it, one fails."""
    if any(one.status == 0 for one in launches.newest()):
        return
    with project.log(launch.id).open("ab") as log:
        subprocess.run(  # noqa: S603 - a fixed program
            [str(project.meltano), "--log-format", "json", "upgrade", "database"],
            cwd=project.root,
            env=environment(project, launch),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,  # the run that follows says what is wrong
        )


def _run(project: Project, launches: Launches, launch: Launch) -> int:
    with project.log(launch.id).open("ab") as log:
        meltano = subprocess.Popen(  # noqa: S603 - a fixed program; the job's name is checked
            command(project, launch, launches.newest(job=launch.job)),
            cwd=project.root,
            env=environment(project, launch),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a group of its own: all that it starts can be found, and told to end
        )
    group = Known.of(meltano.pid)
    asked = False

    def stop(_number: int = 0, _frame: FrameType | None = None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            meltano.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    launches.note_meltano(launch.id, group)
    while meltano.poll() is None:
        if not asked and launches.get(launch.id).stop_asked_by:
            stop()
        time.sleep(LOOK_EVERY_SECONDS)
    _end_what_is_left(group)
    return meltano.returncode


def _end_what_is_left(group: Known) -> None:
    """Let no program write on without Meltano: each is told to end, and after some patience is ended."""
    patience = time.monotonic() + PATIENCE_SECONDS
    group.ask_group_to_end()
    while group.is_group_alive:
        if time.monotonic() > patience:
            group.ask_group_to_end(signal.SIGKILL)
        time.sleep(LOOK_EVERY_SECONDS)


def command(project: Project, launch: Launch, earlier: list[Launch]) -> list[str]:
    """What a person would type."""
    where = ["--environment", project.environment] if project.environment else []
    name = job(project, launch.job).name
    which = ["--full-refresh"] if reads_all(changed_at(project, name), earlier) else []
    which += ["--force"] if was_broken_off(earlier, utc_now()) else []
    return [str(project.meltano), *where, "--log-format", "json", "run", *which, name]


def environment(project: Project, launch: Launch) -> dict[str, str]:
    """What this run has in its environment beside what the page has."""
    ours = f"TARGET_{launch.job.upper().replace('-', '_')}"
    own = {
        "EXACTONLINE_RUN_BY": launch.started_by,
        "EXACTONLINE_RUN_ID": launch.id,
        "MELTANO_PROJECT_ROOT": str(project.root),
        "NO_COLOR": "1",
        f"{ours}_DRY_RUN": str(launch.is_preview).lower(),
    }
    if launch.kind == "sync-unlimited":
        own |= {f"{ours}_MAX_CREATES": UNBRAKED, f"{ours}_MAX_UPDATES_SHARE": "1"}
    return {**os.environ, **own}


def main() -> None:
    """Look after the launch that is named."""
    project = Project.at(Path.cwd())
    with project.open_store() as store:
        found = Launches(store).find(sys.argv[1])
        if found is None or found.is_over:
            sys.exit(f"There is no run {sys.argv[1]} to start.")
        look_after(project, store, found)


if __name__ == "__main__":
    main()
