"""Fail-points at every call by which SQLite changes a file: its own hook for replacing system calls, reached by ctypes.

Works where Python uses a shared libsqlite3 (the system's). The call at which it ends may be made not at all, half
(a torn write), or wholly: all that a kill can leave behind.
"""

import ctypes
import os
import signal
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path


class Cut(Enum):
    """How much of the last call still happens."""

    NOTHING = "nothing"
    HALF = "half"
    ALL = "all"


class NoHook(Exception):
    """This Python's SQLite cannot be reached."""


class _Vfs(ctypes.Structure):
    """sqlite3_vfs, version 3 (sqlite3.h); only the hook is used."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("max_path", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        *((f"method_{n}", ctypes.c_void_p) for n in range(14)),
        ("set_system_call", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)),
    )


_LIBC = ctypes.CDLL(None, use_errno=True)
_INT, _SIZE, _OFFSET, _POINTER, _TEXT = (
    ctypes.c_int,
    ctypes.c_size_t,
    ctypes.c_longlong,
    ctypes.c_void_p,
    ctypes.c_char_p,
)
_CALLS = {  # name: what it returns, what it takes
    "write": (ctypes.c_ssize_t, (_INT, _POINTER, _SIZE)),
    "pwrite": (ctypes.c_ssize_t, (_INT, _POINTER, _SIZE, _OFFSET)),
    "pwrite64": (ctypes.c_ssize_t, (_INT, _POINTER, _SIZE, _OFFSET)),
    "ftruncate": (_INT, (_INT, _OFFSET)),
    "unlink": (_INT, (_TEXT,)),
}
_SIZE_AT = 2  # among the arguments of a write
_kept: list[object] = []  # what SQLite calls must not be collected


def end_at(number: int, cut: Cut) -> Callable[[], int]:
    """From now on the process kills itself at that call (0: never). Gives a function that says how many there were."""
    count = 0

    def replaced(name: str) -> Callable[..., int]:
        real = getattr(_LIBC, name)
        real.restype, real.argtypes = _CALLS[name]

        def call(*arguments: int) -> int:
            nonlocal count
            count += 1
            if count == number:
                if cut is Cut.ALL:
                    real(*arguments)
                elif cut is Cut.HALF and "write" in name:
                    real(*_halved(arguments))
                os.kill(os.getpid(), signal.SIGKILL)
            result = int(real(*arguments))
            ctypes.set_errno(ctypes.get_errno())
            return result

        return call

    for name, (result, arguments) in _CALLS.items():
        kind = ctypes.CFUNCTYPE(result, *arguments, use_errno=True)
        _install(name, kind(replaced(name)))
    return lambda: count


def _halved(arguments: Sequence[int]) -> list[int]:
    halved = list(arguments)
    halved[_SIZE_AT] //= 2
    return halved


def _install(name: str, function: object) -> None:
    vfs = _default_vfs()
    _kept.append(function)
    vfs.contents.set_system_call(vfs, name.encode(), ctypes.cast(function, ctypes.c_void_p))


def _default_vfs() -> "ctypes._Pointer[_Vfs]":
    """Raises NoHook. The library must be the one that Python itself has open, not another copy."""
    import _sqlite3

    maps = Path("/proc/self/maps").read_text().splitlines()
    loaded = {line.split()[-1] for line in maps if "libsqlite3" in line}
    if not loaded:
        raise NoHook(f"{_sqlite3.__file__} has SQLite built in; a fail-point needs the system's libsqlite3")
    library = ctypes.CDLL(loaded.pop())
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    library.sqlite3_vfs_find.argtypes = (ctypes.c_char_p,)
    vfs = library.sqlite3_vfs_find(None)
    if not vfs or vfs.contents.version < 3:
        raise NoHook("this SQLite does not let its system calls be replaced")
    return vfs
