"""A road graph kept on disk: one folder per content, arrays memory-mapped when read.

    <roads>/<checksum>/manifest.json       epsg, modes, provenance, summary; type and shape of each array
    <roads>/<checksum>/<array>.npy         one file for each array of the graph

Workers that read the same folder share its memory. A folder is made beside its place and renamed
when complete: whoever finds one, finds all of it.
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
"""Version of the form above; it is part of the checksum."""

MANIFEST: Final = "manifest.json"

_UNFINISHED: Final = ".unfinished-"
_ABANDONED_S: Final = 24 * 3600
_REBUILD: Final = "Build it again: portee roads build FILE."


def roads_folder(home: Path) -> Path:
    """Where graphs are kept, below Portée's own folder."""
    return home / "roads"


def checksum(graph: RoadGraph) -> str:
    """SHA-256 (hex) of what the graph holds: its arrays in one order, and their reference system.

    Neither provenance nor dates count: the same roads give the same checksum.
    """
    digest = hashlib.sha256(f"portee roads {FORMAT} epsg {graph.epsg}".encode())
    for name, array in _arrays(graph).items():
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def write_graph(graph: RoadGraph, roads: Path) -> Path:
    """Keep a graph in the folder of all graphs, under its checksum.

    A graph kept before under the same checksum is put right, should its files be damaged. A write
    that is interrupted leaves nothing in place.

    Parameters
    ----------
    graph
        `graph.about.checksum` must be `checksum(graph)`.

    Returns
    -------
    The graph's folder.

    Raises
    ------
    RoadsUnavailable
        If the disk is full, or the folder may not be written to.
    """
    try:
        return _written(graph, roads)
    except OSError as problem:
        raise RoadsUnavailable(
            f"The road graph cannot be written to {roads} ({problem.strerror}).",
            "Make room, or let this account write there; the graph in service stays as it is.",
        ) from problem


def read_graph(folder: Path, *, verify: bool = False) -> RoadGraph:
    """Map a kept graph into memory, read-only.

    Parameters
    ----------
    folder
        What `write_graph` returned.
    verify
        Read every byte and compare with the checksum; otherwise only types and sizes are checked.

    Raises
    ------
    RoadsUnavailable
        If it is missing, incomplete, damaged, or was written by another version of Portée.
    """
    manifest = _read_manifest(folder)
    try:
        arrays = {name: _mapped(folder, name, *told) for name, told in manifest["arrays"].items()}
        modes = [Mode(name) for name in manifest["modes"]]
        told = manifest["about"]
        graph = RoadGraph(
            epsg=int(manifest["epsg"]),
            node_xy=arrays["node_xy"],
            edge_a=arrays["edge_a"],
            edge_b=arrays["edge_b"],
            shape_start=arrays["shape_start"],
            shape_xy=arrays["shape_xy"],
            seconds={mode: arrays[f"seconds_{mode}"] for mode in modes},
            reachable={mode: arrays[f"reachable_{mode}"] for mode in modes},
            about=GraphMetadata(**{**told, "built_at": datetime.fromisoformat(told["built_at"])}),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise _damaged(folder, f"its manifest is not understood ({problem})") from problem
    if verify and checksum(graph) != graph.about.checksum:
        raise _damaged(folder, "its content does not have the checksum it bears")
    return graph


def remove_others(roads: Path, kept: str | None) -> list[str]:
    """Delete every kept graph but one, and what writes interrupted a day ago left behind.

    Workers that have a deleted graph mapped go on reading it.

    Parameters
    ----------
    kept
        Checksum of the graph that stays; None to keep none.

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
        elif folder.name != kept and (folder / MANIFEST).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            deleted.append(folder.name)
    return deleted


def _written(graph: RoadGraph, roads: Path) -> Path:
    roads.mkdir(parents=True, exist_ok=True)
    place = roads / graph.about.checksum
    made = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=roads))
    made.chmod(0o755)
    try:
        arrays = _arrays(graph)
        for name, array in arrays.items():
            with (made / f"{name}.npy").open("wb") as stream:
                np.save(stream, array, allow_pickle=False)
                _settle(stream)
        with (made / MANIFEST).open("wb") as stream:
            stream.write(_manifest(graph, arrays))
            _settle(stream)
        try:
            made.rename(place)
        except OSError:
            if not place.is_dir():
                raise
            # Same name, same content: each file may go over the one there, while others read it.
            for name in (*(f"{array}.npy" for array in arrays), MANIFEST):
                (made / name).replace(place / name)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return place


def _arrays(graph: RoadGraph) -> dict[str, NDArray[Any]]:
    """The graph's arrays by name, in the order the checksum takes them."""
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
    told = {
        "format": FORMAT,
        "epsg": graph.epsg,
        "modes": list(graph.modes),
        "arrays": {name: [array.dtype.str, list(array.shape)] for name, array in arrays.items()},
        "about": asdict(graph.about),
    }
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


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


def _settle(stream: BufferedWriter) -> None:
    """Have a file's bytes on the disk before the folder gets its name."""
    stream.flush()
    os.fsync(stream.fileno())
