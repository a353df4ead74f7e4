"""Public data sets, by checksum: fetched once, kept in a cache, never needed by the course itself.

`fetch(name)` gives verified local files. With COURSE_DATA set they are read from that folder (a relative path
starts at the project's root, wherever a notebook runs) and the network is left alone; else they come from the
cache (COURSE_CACHE, or the system's own), filled from the first mirror that has the right bytes. A file is put
in the cache whole and verified or not at all, however many processes ask at once.
"""

import contextlib
import gzip
import hashlib
import os
import time
import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests
import urllib3
from filelock import FileLock
from tqdm import tqdm

from .. import ROOT

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 16  # bytes
TIMEOUT = 30  # seconds without a byte, after which the next mirror is tried
SLOWEST = 20_000  # bytes a second; a mirror that takes longer than that for the whole set is given up, too


class DataUnavailable(RuntimeError):  # noqa: N818 (it names a state of the world, not a mistake)
    """A data set can't be had. The message says why and what to do."""


@dataclass(frozen=True)
class Dataset:
    """One entry of downloads.toml, where the fields are explained."""

    title: str
    folder: str
    megabytes: float
    licence: str
    citation: str
    mirrors: tuple[str, ...]
    hash_of: str
    sha256: dict[str, str]  # file name -> SHA-256


def _read_table() -> dict[str, Dataset]:
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    return {name: Dataset(**entry) for name, entry in table.items()}


DATASETS = _read_table()


def fetch(name: str) -> dict[str, Path]:
    """The files of a data set, verified: file name -> path.

    Raises ValueError for a name that isn't in DATASETS, DataUnavailable where a file can't be had.
    """
    if name not in DATASETS:
        raise ValueError(f"no data set is called {name!r}; there are {', '.join(DATASETS)}")
    dataset = DATASETS[name]
    if given := _given():
        return _local(dataset, given)
    folder = cache_dir() / dataset.folder
    paths = {file: folder / file for file in dataset.sha256}
    if all(is_right(paths[file], file, dataset) for file in paths):
        return paths
    try:
        _fill(dataset, folder)
    except OSError as error:
        raise DataUnavailable(
            f"{dataset.title} can't be kept in {folder}: {error.strerror or error}. "
            "Free some space there, or set COURSE_CACHE to a folder on a disk that can be written."
        ) from error
    return paths


def at_hand(name: str) -> bool:
    """Whether `fetch(name)` has all it needs on this computer: in COURSE_DATA if that is set, else in the cache."""
    if name not in DATASETS:
        raise ValueError(f"no data set is called {name!r}; there are {', '.join(DATASETS)}")
    dataset = DATASETS[name]
    folder = (_given() or cache_dir()) / dataset.folder
    return all(is_right(folder / file, file, dataset) for file in dataset.sha256)


def cache_dir() -> Path:
    """Where downloads are kept: COURSE_CACHE, or the system's folder for caches."""
    return Path(os.environ.get("COURSE_CACHE") or pooch.os_cache("generative-models-course")).expanduser()


def read(path: Path) -> bytes:
    """What a file holds, unpacked if it is packed. A damaged one raises OSError, EOFError or zlib.error."""
    with _unpacked(path) as file:
        return file.read()


def is_right(path: Path, file: str, dataset: Dataset) -> bool:
    """Whether `path` exists and holds the right bytes for `file` of the data set."""
    try:
        # as a stream: MNIST's training pictures are 47 MB, which a look need not take
        with _unpacked(path) if dataset.hash_of == "content" else open(path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
    except (OSError, EOFError, zlib.error):
        return False
    return digest.hexdigest() == dataset.sha256[file]


def _unpacked(path: Path):
    """A file opened for reading what it holds, unpacked if it is packed."""
    with open(path, "rb") as file:
        packed = file.read(2) == GZIP_MAGIC
    return gzip.open(path) if packed else open(path, "rb")


def _given() -> Path | None:
    """The folder that COURSE_DATA names, if it is set."""
    name = os.environ.get("COURSE_DATA")
    return ROOT / Path(name).expanduser() if name else None


def _local(dataset: Dataset, root: Path) -> dict[str, Path]:
    """The files under COURSE_DATA; never the network, so that a run on given data is a run on given data."""
    paths = {file: root / dataset.folder / file for file in dataset.sha256}
    for file, path in paths.items():
        if not is_right(path, file, dataset):
            fault = "damaged, or another version (its SHA-256 is wrong)" if path.exists() else "missing"
            raise DataUnavailable(
                f"{dataset.title}: {path} is {fault}. Put the right file there, "
                "or unset COURSE_DATA to download the data set."
            )
    return paths


def _fill(dataset: Dataset, folder: Path) -> None:
    """Downloads what the cache lacks. One process does it, the others wait and find it done."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        folder.mkdir(exist_ok=True)
        try:
            for file in dataset.sha256:
                if not is_right(folder / file, file, dataset):
                    _download(file, dataset, folder)
        finally:
            with contextlib.suppress(OSError):  # it isn't empty, unless nothing could be had
                folder.rmdir()


def _download(file: str, dataset: Dataset, folder: Path) -> None:
    """Puts one file in its place from the first mirror that has it. Raises DataUnavailable if none has."""
    faults = []
    for mirror in dataset.mirrors:
        try:
            if _try_mirror(mirror, file, dataset, folder):
                return
            faults.append(f"{mirror}: what it sent is damaged (its SHA-256 is wrong)")
        except requests.RequestException as error:  # another OSError is the disk's: see fetch
            faults.append(f"{mirror}: {_reason(error)}")
    raise DataUnavailable(
        f"{dataset.title} can't be downloaded: no mirror gave {file}.\n  "
        + "\n  ".join(faults)
        + "\nCheck the network and try again. Or get the file elsewhere, put it in a folder of yours as "
        f"{dataset.folder}/{file}, and set COURSE_DATA to that folder."
    )


def _try_mirror(mirror: str, file: str, dataset: Dataset, folder: Path) -> bool:
    """Downloads to a file beside the final one, and renames it if it is right; says whether it was."""
    part = folder / f"{file}.part"  # one name is enough: the lock keeps other processes out
    try:
        with open(part, "wb") as out:
            for piece in _pieces(mirror + file, file, 1e6 * dataset.megabytes):
                out.write(piece)
        right = is_right(part, file, dataset)
        if right:
            os.replace(part, folder / file)
        return right
    finally:
        part.unlink(missing_ok=True)


def _pieces(url: str, file: str, size: float) -> Iterator[bytes]:
    """What a URL sends, as it comes in; RequestException where it sends twice `size` bytes, or takes too long."""
    begun, limit, count = time.monotonic(), 2 * TIMEOUT + size / SLOWEST, 0
    with requests.get(url, stream=True, timeout=TIMEOUT) as answer:
        answer.raise_for_status()
        total = int(answer.headers.get("content-length", 0)) or None
        with tqdm(total=total, desc=file, unit="B", unit_scale=True) as bar:
            try:
                while piece := answer.raw.read1(CHUNK, decode_content=True):  # whatever is there: it waits for no more
                    count += len(piece)
                    if count > 2 * size + CHUNK:
                        raise requests.RequestException(f"it sends more than {2 * size / 1e6:.1f} MB")
                    if time.monotonic() - begun > limit:
                        raise requests.RequestException(f"too slow: {count:,} bytes in {limit:.0f} seconds")
                    bar.update(len(piece))
                    yield piece
            except urllib3.exceptions.ReadTimeoutError as error:
                raise requests.Timeout(error) from error
            except urllib3.exceptions.HTTPError as error:
                raise requests.exceptions.ChunkedEncodingError(error) from error


def _reason(error: requests.RequestException) -> str:
    """A network error in a few words."""
    if isinstance(error, requests.HTTPError):
        return f"it answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer in {TIMEOUT} seconds"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    return "no connection" if isinstance(error, requests.ConnectionError) else str(error)
