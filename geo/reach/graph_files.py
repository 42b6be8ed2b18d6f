"""Store road graphs on disk: one folder per graph, named by its checksum, read memory-mapped.

    <roads>/<checksum>/manifest.json       epsg, modes, provenance, summary; dtype and shape of each array
    <roads>/<checksum>/<array>.npy         one file for each array of the graph

Workers that map the same folder share its memory pages. A folder is written under a temporary name
and renamed once complete, so readers never see half a graph.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from io import BufferedWriter
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from geo.errors import RoadsUnavailable
from geo.reach.graph import GraphMetadata, RoadGraph
from geo.reach.modes import Mode

FORMAT: Final = 1
"""Version of the layout above; it is part of the checksum."""

MANIFEST: Final = "manifest.json"

_UNFINISHED: Final = ".unfinished-"
_ABANDONED_S: Final = 24 * 3600
_REBUILD: Final = "Build it again: portee roads build FILE."


def roads_folder(home: Path) -> Path:
    """Return the folder of all graphs below Portée's home folder."""
    return home / "roads"


def checksum(graph: RoadGraph) -> str:
    """Return the SHA-256 (hex) of the graph's arrays, in a fixed order, and of its CRS.

    Provenance and dates are left out, so the same roads always give the same checksum.
    """
    digest = hashlib.sha256(f"portee roads {FORMAT} epsg {graph.epsg}".encode())
    for name, array in _arrays(graph).items():
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def write_graph(graph: RoadGraph, roads: Path) -> Path:
    """Write a graph to its folder, named by its checksum.

    A graph already stored under the same checksum is overwritten, which repairs damaged files. An
    interrupted write leaves no folder under that name.

    Parameters
    ----------
    graph
        `graph.about.checksum` must be `checksum(graph)`.

    Returns
    -------
    The graph's folder, `roads / checksum`.

    Raises
    ------
    RoadsUnavailable
        If the disk is full or the folder is not writable.
    """
    try:
        return _write(graph, roads)
    except OSError as problem:
        raise RoadsUnavailable(
            f"The road graph cannot be written to {roads} ({problem.strerror}).",
            "Make room, or let this account write there; the graph in service stays as it is.",
        ) from problem


def read_graph(folder: Path, *, verify: bool = False) -> RoadGraph:
    """Map a stored graph into memory, read-only.

    Parameters
    ----------
    folder
        The folder `write_graph` returned.
    verify
        Read every byte and compare with the checksum; otherwise only types and sizes are checked.

    Raises
    ------
    RoadsUnavailable
        If it is missing, incomplete, damaged, or was written by another version of Portée.
    """
    manifest = _read_manifest(folder)
    try:
        arrays = {name: _mapped(folder, name, *layout) for name, layout in manifest["arrays"].items()}
        modes = [Mode(name) for name in manifest["modes"]]
        about = manifest["about"]
        graph = RoadGraph(
            epsg=int(manifest["epsg"]),
            node_xy=arrays["node_xy"],
            edge_a=arrays["edge_a"],
            edge_b=arrays["edge_b"],
            shape_start=arrays["shape_start"],
            shape_xy=arrays["shape_xy"],
            seconds={mode: arrays[f"seconds_{mode}"] for mode in modes},
            reachable={mode: arrays[f"reachable_{mode}"] for mode in modes},
            about=GraphMetadata(**{**about, "built_at": datetime.fromisoformat(about["built_at"])}),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise _damaged(folder, f"its manifest is not understood ({problem})") from problem
    if verify and checksum(graph) != graph.about.checksum:
        raise _damaged(folder, "its content does not have the checksum it is named by")
    return graph


def remove_other_graphs(roads: Path, keep: str | None) -> list[str]:
    """Delete every stored graph but one, and temporary folders older than a day.

    Workers that already mapped a deleted graph can go on reading it.

    Parameters
    ----------
    keep
        Checksum of the graph to keep; None deletes all.

    Returns
    -------
    Checksums of the graphs deleted.
    """
    if not roads.is_dir():
        return []
    deleted = []
    for folder in sorted(roads.iterdir()):
        if folder.name.startswith(_UNFINISHED):
            if time.time() - folder.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(folder, ignore_errors=True)
        elif folder.name != keep and (folder / MANIFEST).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            deleted.append(folder.name)
    return deleted


def _write(graph: RoadGraph, roads: Path) -> Path:
    roads.mkdir(parents=True, exist_ok=True)
    place = roads / graph.about.checksum
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=roads))
    unfinished.chmod(0o755)
    try:
        arrays = _arrays(graph)
        for name, array in arrays.items():
            with (unfinished / f"{name}.npy").open("wb") as stream:
                np.save(stream, array, allow_pickle=False)
                _sync_to_disk(stream)
        with (unfinished / MANIFEST).open("wb") as stream:
            stream.write(_manifest(graph, arrays))
            _sync_to_disk(stream)
        try:
            unfinished.rename(place)
        except OSError:
            if not place.is_dir():
                raise
            # The folder exists already. Its name is the checksum, so both hold the same content and
            # each file can be replaced even while other processes read the old one.
            for name in (*(f"{array}.npy" for array in arrays), MANIFEST):
                (unfinished / name).replace(place / name)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return place


def _arrays(graph: RoadGraph) -> dict[str, NDArray[Any]]:
    """Return the graph's arrays by name, in the order the checksum reads them."""
    return {
        "node_xy": graph.node_xy,
        "edge_a": graph.edge_a,
        "edge_b": graph.edge_b,
        "shape_start": graph.shape_start,
        "shape_xy": graph.shape_xy,
        **{f"seconds_{mode}": graph.seconds[mode] for mode in graph.modes},
        **{f"reachable_{mode}": graph.reachable[mode] for mode in graph.modes},
    }


def _manifest(graph: RoadGraph, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    manifest = {
        "format": FORMAT,
        "epsg": graph.epsg,
        "modes": list(graph.modes),
        "arrays": {name: [array.dtype.str, list(array.shape)] for name, array in arrays.items()},
        "about": asdict(graph.about),
    }
    return orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = orjson.loads((folder / MANIFEST).read_bytes())
    except OSError as problem:
        raise RoadsUnavailable(
            f"The road graph {folder.name} is not in {folder.parent} ({problem.strerror}).",
            f"{_REBUILD} If it lies elsewhere, set PORTEE_HOME.",
        ) from problem
    except orjson.JSONDecodeError as problem:
        raise _damaged(folder, f"{MANIFEST} is not JSON") from problem
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise RoadsUnavailable(
            f"The road graph {folder.name} is of format {found}; this version reads format {FORMAT}.",
            _REBUILD,
        )
    return manifest


def _mapped(folder: Path, name: str, dtype: str, shape: list[int]) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as problem:
        raise _damaged(folder, f"{name}.npy cannot be read") from problem
    if array.dtype.str != dtype or list(array.shape) != shape:
        raise _damaged(folder, f"{name}.npy is not the array the manifest describes")
    return array


def _damaged(folder: Path, why: str) -> RoadsUnavailable:
    return RoadsUnavailable(f"The road graph {folder.name} is damaged: {why}.", _REBUILD)


def _sync_to_disk(stream: BufferedWriter) -> None:
    """Write a file's bytes through to the disk, so that the later rename never exposes empty files."""
    stream.flush()
    os.fsync(stream.fileno())
