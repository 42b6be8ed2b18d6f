/* Portée: what the maps of planners and of measures are drawn on: boundaries, and names of towns.
   Leaflet is loaded before. All that comes from data is written with textContent. */
window.porteeGround = (data) => {
  "use strict";

  const latLng = ([x, y]) => L.latLng(y / data.scale, x / data.scale);

  // Boundaries (see portee-map.js): arcs told once, rings made of them.
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

  const drawn = { smoothFactor: 0, noClip: true };
  const still = (pane, className) => ({ ...drawn, pane, className, interactive: false });

  /** Neighbours, the outline, and the lines between territories, in panes the map has already. */
  function draw(map) {
    const lines = (pick, name) => L.polyline(arcs.filter((_, a) => pick(sides[a])), still("limites", name)).addTo(map);
    for (const n of data.outline.neighbours) L.polygon(rings(n.shape), still("voisins", "neighbour")).addTo(map);
    lines((s) => s.length === 1, "outline");
    if (data.kind !== "commune") lines((s) => s.length === 2 && data.communes[s[0]].row !== data.communes[s[1]].row, "group-line");
  }

  /** Names of the most peopled communes, none on top of another; returns their layer, which is shown. */
  function nameTowns(map) {
    const names = L.layerGroup();
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
        const html = document.createElement("span");
        html.setAttribute("aria-hidden", "true");
        html.textContent = name;
        const icon = L.divIcon({ html, className: "name", iconSize: [0, 0] });
        L.marker(map.containerPointToLatLng([point.x, point.y - 15]), { icon, pane: "noms", interactive: false, keyboard: false }).addTo(names);
      }
    }
    map.on("moveend resize", place);
    return names.on("add", place).addTo(map);
  }

  return { latLng, rings, drawn, draw, nameTowns };
};
