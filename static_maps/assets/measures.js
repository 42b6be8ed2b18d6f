/* Portée: draws the maps of measures. The server chooses colours, sizes and texts.
   Leaflet and map-base.js are loaded before. */
(() => {
  "use strict";

  const { byId, el, ground, createPanes, followingTip } = porteeBase;

  // The data are below this script in the page: they are read with the first map.
  let drawing = null;
  window.portee = { draw(map) { (drawing ??= prepared())(map); } };

  function prepared() {
    const data = JSON.parse(byId("donnees").textContent);
    const { latLng, rings, drawn, drawNeighbours, drawLimits, nameTowns } = ground(data);
    const rowOf = (i) => data.communes[i].row;
    const maps = [];

    function draw(map) {
      const shown = data.maps[maps.length];
      maps.push(map);
      const container = map.getContainer();
      container.setAttribute("role", "region");
      container.setAttribute("aria-label", `Carte ${data.territory.of_name} : ${shown.title}`);
      container.setAttribute("aria-describedby", "aide-carte");
      createPanes(map, { voisins: 340, limites: 410, cercles: 420, noms: 440 }, ["cercles"]);
      const withTip = followingTip(map);
      function interactive(layer, commune, row) {
        withTip(layer, () => {
          const box = el("div", {}, el("strong", {}, data.kind === "commune" || !commune ? row.name : `${commune.name} (${row.name})`));
          for (const line of row.texts) box.append(el("br"), line);
          return box;
        });
        layer.on("click", () => { location.href = row.href; });
      }
      data.outline.communes.forEach((shape, i) => {
        const commune = data.communes[i], row = data.rows[commune.row];
        const polygon = L.polygon(rings(shape), {
          ...drawn, weight: 0.6, fillOpacity: 1, fillColor: row ? shown.fills[commune.row] : data.unknown, className: "commune",
        }).addTo(map);
        if (row) interactive(polygon, commune, row);
      });
      drawNeighbours(map);
      drawLimits(map, (i, j) => data.kind !== "commune" && rowOf(i) !== rowOf(j));
      if (data.kind !== "commune") container.classList.add("grouped");
      data.rows.map((row, i) => [shown.radii[i], row]).filter(([radius]) => radius > 0).sort((a, b) => b[0] - a[0]).forEach(([radius, row]) => {
        interactive(L.circleMarker(latLng(row.at), { pane: "cercles", radius: Math.max(1.5, radius), className: "people" }).addTo(map), null, row);
      });
      nameTowns(map);
      L.control.zoom({ zoomInTitle: "Agrandir", zoomOutTitle: "Réduire" }).addTo(map);
      L.control.scale({ imperial: false }).addTo(map);
      map.eachLayer((layer) => {
        if (layer instanceof L.TileLayer) layer.on("tileload", () => document.documentElement.classList.add("with-tiles"));
      });
      if (maps.length === data.maps.length) ready();
    }

    function ready() {
      let leader = null;
      for (const map of maps) {
        map.on("move", () => {
          if (leader && leader !== map) return;
          leader = map;
          for (const other of maps) if (other !== map) other.setView(map.getCenter(), map.getZoom(), { animate: false });
          leader = null;
        });
      }
      document.documentElement.dataset.ready = "true";
    }

    return draw;
  }
})();
