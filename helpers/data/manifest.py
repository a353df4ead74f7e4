r"""data/manifest.json: the SHA-256 and the size of every file that the course ships in data/.

    python -m helpers.data.manifest           write it
    python -m helpers.data.manifest --check   compare the files with it; exit status 1 if they differ
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from filelock import FileLock

from .. import DATA
from .files import DamagedFile, print_anywhere, read_json, write_json


def entry(content: bytes) -> dict:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def read(data: Path = DATA) -> dict[str, dict]:
    r"""{"weights/NAME.safetensors": {"sha256": ..., "bytes": ...}, ...}. DamagedFile unless it is there and whole."""
    return read_json(data / "manifest.json")


def build(data: Path = DATA) -> dict[str, dict]:
    r"""The manifest as the files are now: all in the folders of data/ but notes, scripts, data/trained
    and data/pictures, which helpers.course.publish takes from the notebooks."""
    found = {}
    for path in sorted(data.glob("*/**/*")):
        name = path.relative_to(data)
        own = name.parts[0] not in ("trained", "pictures") and not any(part[0] in "._" for part in name.parts)
        if own and path.is_file() and path.suffix not in (".py", ".md", ".snapshot", ".lock"):
            found[name.as_posix()] = entry(path.read_bytes())
    return found


def save(entries: dict[str, dict], data: Path = DATA) -> None:
    write_json(data / "manifest.json", entries)


def add(path: Path, data: Path = DATA) -> None:
    r"""List one new or changed file, and leave the other entries as they are; without a manifest, list all files.

    Several processes may do so at once.
    """
    with FileLock(data / "manifest.lock"):
        older = read(data) if (data / "manifest.json").exists() else build(data)
        entries = older | {path.resolve().relative_to(data).as_posix(): entry(path.read_bytes())}
        save(dict(sorted(entries.items())), data)


def differences(data: Path = DATA) -> list[str]:
    r"""What the files and the manifest disagree about, a line each; empty when all is well."""
    listed, found = read(data), build(data)
    lines = []
    for name in sorted(listed | found):
        if name not in found:
            lines.append(f"data/{name} is missing. Restore it: git checkout -- data/{name}")
        elif name not in listed:
            lines.append(f"data/{name} is not listed. If it belongs here: python -m helpers.data.manifest")
        elif listed[name] != found[name]:
            lines.append(f"data/{name} was altered. Restore it: git checkout -- data/{name}")
    return lines


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m helpers.data.manifest", description="hashes of data/")
    parser.add_argument("--check", action="store_true", help="compare the files with the manifest")
    print_anywhere()
    if not parser.parse_args(argv).check:
        save(build())
        return 0
    try:
        lines = differences()
    except DamagedFile as error:
        lines = [str(error)]
    print("\n".join(lines) or f"{len(read())} files are as data/manifest.json lists them")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
