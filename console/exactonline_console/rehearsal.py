"""The page over a rehearsal world: serves both until Ctrl-C, and says what to fill in."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
SANDBOX_PORT = 8065

HELP = """
The rehearsal world plays Exact at {url}. To connect, fill in:

  Country            Another address, for a rehearsal
  That other address {url}
  Client id          3f0c1f5e-5d6b-4b8e-9a52-6f1d20c7a9b4
  Client secret      demo-secret
  Redirect address   https://example.com/callback

At "Log in at Exact", approve; then copy the whole address of the page that does not load.
"""


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", required=True)
    parser.add_argument("--port", default="8066")
    given = parser.parse_args()
    serve = [BIN / "exactonline-sandbox", "serve", "--port", str(SANDBOX_PORT), "--db", given.db, "--no-limits"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as sandbox:  # noqa: S603 - ours
        try:
            line = sandbox.stdout.readline() if sandbox.stdout else ""
            if not line:
                sys.exit(f"The rehearsal world could not be served; is port {SANDBOX_PORT} taken?")
            sys.stdout.write(HELP.format(url=line.removeprefix("listening on ").strip()) + "\n")
            sys.stdout.flush()
            subprocess.run([BIN / "exactonline-console", "serve", "--port", given.port], check=False)  # noqa: S603 - ours
        except KeyboardInterrupt:
            pass
        finally:
            sandbox.terminate()


if __name__ == "__main__":
    main()
