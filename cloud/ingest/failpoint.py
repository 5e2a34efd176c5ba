"""Places where a chaos test may have the process die.

`COLDLINK_FAIL_AT=ingest.after_commit` ends it there at once, `ingest.after_commit:5` the fifth time.
The end is `os._exit`: no clean-up runs, as in a power cut. Without the variable a place costs one comparison.
"""

import os

_name, _, _count = os.environ.get("COLDLINK_FAIL_AT", "").partition(":")
_left = int(_count or 1)


def reached(name: str) -> None:
    global _left  # noqa: PLW0603  one process dies once; the countdown is the process's own
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        os._exit(70)
