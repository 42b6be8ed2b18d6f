/* Portée: draws the maps of measures. Colours, sizes and words come settled from the server.
   Leaflet is loaded before. All that comes from data is written with textContent or setAttribute. */
(() => {
  "use strict";

  // Before any map is made.
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (reduced) L.Map.mergeOptions({ zoomAnimation: false, fadeAnimation: false, markerZoomAnimation: false, inertia: false });

  // The page's data stand below the scripts of its head: read with the first map.
  let drawn = null;
  window.portee = { draw(map) { (drawn ??= drawing())(map); } };

  function drawing() {
    const data = JSON.parse(document.getElementById("donnees").textContent);
    const latLng = ([x, y]) => L.latLng(y / data.scale, x / data.scale);
    const maps = [];

    function el(tag, attributes = {}, ...children) {
      const made = document.createElement(tag);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      made.append(...children);
      return made;
    }

    // ---- Boundaries (see portee-map.js): arcs told once, rings made of them

    const arcs = data.outline.arcs.map((flat) => {
      const points = [];
      let x = 0, y = 0;
      for (let i = 0; i < flat.length; i += 2) points.push(latLng([x += flat[i], y += flat[i + 1]]));
      return points;
    });
    const ring = (references) => references.flatMap((r) => (r < 0 ? arcs[~r].slice(0, -1).reverse() : arcs[r].slice(1)));
    const rings = (shape) => shape.map((polygon) => polygon.map(ring));
    const sides = arcs.map(() => []);
    data.outline.communes.forEach((shape, i) => shape.flat(2).forEach((r) => sides[r < 0 ? ~r : r].push(i)));
    const line = (pick) => arcs.filter((_, a) => pick(sides[a]));

    function draw(map) {
      const told = data.maps[maps.length];
      maps.push(map);
      const container = map.getContainer();
      container.setAttribute("role", "region");
      container.setAttribute("aria-label", `Carte de ${data.territory.name} : ${told.title}`);
      container.setAttribute("aria-describedby", "aide-carte");
      for (const [name, z] of [["voisins", 340], ["limites", 410], ["cercles", 420], ["noms", 440]]) {
        map.createPane(name).style.zIndex = z;
        if (name !== "cercles") map.getPane(name).style.pointerEvents = "none";
      }
      const plain = { smoothFactor: 0, noClip: true };
      const still = (pane, className) => ({ ...plain, pane, className, interactive: false });
      for (const n of data.outline.neighbours) L.polygon(rings(n.shape), still("voisins", "neighbour")).addTo(map);

      const tip = L.tooltip({ sticky: true, direction: "top", className: "tip", opacity: 1 });
      function tell(layer, commune, row) {
        layer.on("mouseover mousemove", (event) => {
          if (event.type === "mouseover") {
            const box = el("div", {}, el("strong", {}, data.kind === "commune" || !commune ? row.name : `${commune.name} (${row.name})`));
            for (const said of row.said) box.append(el("br"), said);
            tip.setContent(box);
          }
          tip.setLatLng(event.latlng);
          if (!map.hasLayer(tip)) map.openTooltip(tip);
        });
        layer.on("mouseout", () => map.closeTooltip(tip));
        layer.on("click", () => { location.href = row.href; });
      }
      data.outline.communes.forEach((shape, i) => {
        const commune = data.communes[i], row = data.rows[commune.row];
        const polygon = L.polygon(rings(shape), {
          ...plain, weight: 0.6, color: "#fff", fillOpacity: 1, fillColor: row ? told.fills[commune.row] : "#c9ccd1", className: "commune",
        }).addTo(map);
        if (row) tell(polygon, commune, row);
      });
      const lines = (pick, name) => L.polyline(line(pick), still("limites", name)).addTo(map);
      lines((s) => s.length === 1, "outline");
      if (data.kind !== "commune") {
        container.classList.add("grouped");
        lines((s) => s.length === 2 && data.communes[s[0]].row !== data.communes[s[1]].row, "group-line");
      }
      data.rows.map((row, i) => [told.radii[i], row]).filter(([radius]) => radius > 0).sort((a, b) => b[0] - a[0]).forEach(([radius, row]) => {
        tell(L.circleMarker(latLng(row.at), { pane: "cercles", radius: Math.max(1.5, radius), className: "amount" }).addTo(map), null, row);
      });
      nameTowns(map);
      L.control.zoom({ zoomInTitle: "Agrandir", zoomOutTitle: "Réduire" }).addTo(map);
      L.control.scale({ imperial: false }).addTo(map);
      map.eachLayer((layer) => {
        if (layer instanceof L.TileLayer) layer.on("tileload", () => document.documentElement.classList.add("with-tiles"));
      });
      if (maps.length === data.maps.length) ready();
    }

    /** Names of the most peopled communes, none on top of another. */
    function nameTowns(map) {
      const names = L.layerGroup().addTo(map);
      const byPeople = [...data.communes].sort((a, b) => b.people - a.people);
      function place() {
        names.clearLayers();
        const size = map.getSize(), taken = [], most = size.x / 60;
        for (const { name, at } of byPeople) {
          const point = map.latLngToContainerPoint(latLng(at)), half = 4 * name.length + 6;
          const box = [point.x - half, point.y - 26, point.x + half, point.y - 4];
          if (taken.length >= most) break;
          if (box[0] < 0 || box[1] < 0 || box[2] > size.x || box[3] > size.y) continue;
          if (taken.some((t) => box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1])) continue;
          taken.push(box);
          const icon = L.divIcon({ html: el("span", { "aria-hidden": "true" }, name), className: "name", iconSize: [0, 0] });
          L.marker(map.containerPointToLatLng([point.x, point.y - 15]), { icon, pane: "noms", interactive: false, keyboard: false }).addTo(names);
        }
      }
      map.on("moveend resize", place);
      place();
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
