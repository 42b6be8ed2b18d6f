"""Front-end files, copied from the npm packages of the lock file and served by Portée itself.

`npm ci` fetches the packages; `python -m static_maps.assets` copies the files that pages use to
`static_maps/vendor/`, with a manifest of names, versions and checksums.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from geo.errors import OperatorError
from geo.settings import ROOT

VENDOR: Final = Path(__file__).parent / "vendor"
"""Copied third-party files, served below `/static/vendor`."""

OWN: Final = Path(__file__).parent / "assets"
"""Portée's own scripts, styles and icon, served below `/static/assets`."""

MAP_PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "leaflet": ("LICENSE", "dist/leaflet.css", "dist/leaflet.js"),
    "leaflet.markercluster": (
        "MIT-LICENCE.txt",
        "dist/MarkerCluster.css",
        "dist/leaflet.markercluster.js",
    ),
}
"""npm package → files that map pages need, by their path in the package."""

API_PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "swagger-ui-dist": ("LICENSE", "NOTICE", "swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"),
}
"""npm package → files that the API's documentation page needs."""


class MissingAssets(OperatorError):
    """The npm packages are not installed."""


def copy_vendor(node_modules: Path = ROOT / "node_modules", vendor: Path = VENDOR) -> list[str]:
    """Copy the files pages use from installed npm packages and write their manifest.

    Returns
    -------
    Paths below `vendor`, as `<package>/<file name>`.

    Raises
    ------
    MissingAssets
        If a package or one of its files is missing.
    """
    packages = []
    for package, files in {**MAP_PACKAGES, **API_PACKAGES}.items():
        source = node_modules / package
        absent = [name for name in ("package.json", *files) if not (source / name).is_file()]
        if absent:
            raise MissingAssets(
                f"Front-end package {package} is not installed ({absent[0]} is missing in {source}).",
                "Run `npm ci` in the checkout, then try again.",
            )
        target = vendor / package
        target.mkdir(parents=True, exist_ok=True)
        for name in files:
            shutil.copyfile(source / name, target / Path(name).name)
        packages.append(
            {
                "package": package,
                "version": json.loads((source / "package.json").read_text("utf-8"))["version"],
                "files": {
                    Path(name).name: hashlib.sha256((source / name).read_bytes()).hexdigest()
                    for name in files
                },
            }
        )
    (vendor / "manifest.json").write_text(json.dumps(packages, indent=2) + "\n", "utf-8")
    return [f"{p['package']}/{name}" for p in packages for name in p["files"]]


def require_vendor(vendor: Path = VENDOR) -> Path:
    """Return the folder of copied files, after copying them if needed.

    Raises
    ------
    MissingAssets
        If they are missing and the npm packages are not installed.
    """
    if not (vendor / "manifest.json").is_file():
        copy_vendor(vendor=vendor)
    return vendor


def copy_for_site(folder: Path, packages: Iterable[str] = MAP_PACKAGES) -> None:
    """Copy the files that map pages need below `folder`, as the API serves them below `/static`.

    Raises
    ------
    MissingAssets
        If the npm packages are not installed.
    """
    vendor = require_vendor()
    for package in packages:
        shutil.copytree(vendor / package, folder / "vendor" / package, dirs_exist_ok=True)
    shutil.copytree(OWN, folder / "assets", dirs_exist_ok=True)


if __name__ == "__main__":
    try:
        print("\n".join(copy_vendor()))
    except MissingAssets as problem:
        raise SystemExit(str(problem)) from problem
