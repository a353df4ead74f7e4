"""Files that are whole or absent, and text for every console."""

import codecs
import json
import os
import sys
import tempfile
from pathlib import Path

from .. import ROOT

PLAIN = {"✓": "v", "✗": "x", "–": "-", "—": "-"}  # else "?"


class DamagedFile(ValueError):  # noqa: N818 (it names the state of a file, not a mistake)
    """A file of the course that cannot be read: the message names it and what restores it."""


def read_json(path: Path, absent: dict | None = None) -> dict:
    """The object in a JSON file; `absent`, if given, where there is no file. Else DamagedFile.

    A mark of the byte order in front, which some editors write, is passed over.
    """
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)
    fault = "is damaged (it holds no object)"
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
        if isinstance(found, dict):
            return found
    except FileNotFoundError:
        if absent is not None:
            return absent
        fault = "is missing"
    except (ValueError, RecursionError) as error:  # no JSON, or no UTF-8
        fault = f"is damaged ({error})"
    # With HEAD, the command helps in the middle of a merge too.
    raise DamagedFile(f"{name} {fault}. Restore it: git checkout HEAD -- {name}")


def write_json(path: Path, content: dict) -> None:
    """Write an object as JSON, whole or not at all (see `write_atomically`)."""
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())


def print_anywhere() -> None:
    """For the start of a command: every console takes every text. What its encoding lacks is printed as in PLAIN.

    On a Korean Windows, the encoding of a file or a pipe is cp949, which has no "✓".
    """
    codecs.register_error("plain", _in_plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's streams have no encoding
            stream.reconfigure(errors="plain")


def _in_plain(error: UnicodeEncodeError) -> tuple[str, int]:
    return "".join(PLAIN.get(character, "?") for character in error.object[error.start:error.end]), error.end


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, even after a crash, finds the old content or the new, never a part.

    The content goes to a temporary file beside `path`, is flushed to the disk and takes the name in one step.
    On any error (OSError) the temporary file is removed and `path` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp makes files that only their owner reads
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
