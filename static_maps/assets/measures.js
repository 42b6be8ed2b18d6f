/* Portée: draws the maps of measures. Colours, sizes and words come settled from the server.
   Leaflet and ground.js are loaded before. All that comes from data is written with textContent or setAttribute. */
(() => {
  "use strict";

  // Before any map is made.
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (reduced) L.Map.mergeOptions({ zoomAnimation: false, fadeAnimation: false, markerZoomAnimation: false, inertia: false });

  // The page's data stand below the scripts of its head: read with the first map.
  let drawing = null;
  window.portee = { draw(map) { (drawing ??= prepared())(map); } };

  function prepared() {
    const data = JSON.parse(document.getElementById("donnees").textContent);
    const { latLng, rings, drawn, draw: drawGround, nameTowns } = porteeGround(data);
    const maps = [];

    function el(tag, attributes = {}, ...children) {
      const made = document.createElement(tag);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      made.append(...children);
      return made;
    }

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
          ...drawn, weight: 0.6, color: "#fff", fillOpacity: 1, fillColor: row ? told.fills[commune.row] : "#c9ccd1", className: "commune",
        }).addTo(map);
        if (row) tell(polygon, commune, row);
      });
      drawGround(map);
      if (data.kind !== "commune") container.classList.add("grouped");
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
