/* Portée: what every map page uses: elements, icons, popups, boundaries and names of towns.
   Leaflet is loaded before. Everything that comes from data is written with textContent or setAttribute, never as HTML. */
window.porteeBase = (() => {
  "use strict";

  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  // Before any map is created.
  if (reduced) {
    const panBy = L.Map.prototype.panBy;
    L.Map.mergeOptions({ zoomAnimation: false, fadeAnimation: false, markerZoomAnimation: false, inertia: false });
    L.Map.include({ panBy(offset, options) { return panBy.call(this, offset, { ...options, animate: false }); } });
  }
  const byId = (id) => document.getElementById(id);

  /** An element with attributes and children; strings become text, null and undefined nothing. */
  function el(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.filter((c) => c !== null && c !== undefined));
    return element;
  }

  /** A div icon with an accessible name. */
  const NamedIcon = L.DivIcon.extend({
    createIcon(old) {
      const icon = L.DivIcon.prototype.createIcon.call(this, old);
      icon.setAttribute("aria-label", this.options.label);
      icon.setAttribute("role", "button");
      return icon;
    },
  });

  /** Make the popup of a marker a dialog that takes the focus and gives it back. */
  function accessiblePopup(map, marker, { name, close, opened = () => {} }) {
    const container = map.getContainer();
    marker.on("popupopen", ({ popup }) => {
      const box = popup.getElement(), button = box.querySelector(".leaflet-popup-close-button");
      container.classList.add("popup-open");
      box.setAttribute("role", "dialog");
      box.setAttribute("aria-label", name);
      button.setAttribute("aria-label", close);
      box.onkeydown = (event) => { if (event.key === "Escape") { marker.closePopup(); event.stopPropagation(); } };
      if (document.activeElement === marker.getElement()) {
        setTimeout(() => (box.querySelector("a[href^='tel:']") ?? button).focus({ preventScroll: true }));
      }
      opened();
    });
    // The focused element disappears with its popup: the focus returns to the marker.
    marker.on("popupclose", ({ popup }) => {
      container.classList.remove("popup-open");
      const lost = document.activeElement === document.body || popup.getElement()?.contains(document.activeElement);
      if (lost) marker.getElement()?.focus({ preventScroll: true });
    });
  }

  const toLatLng = (scale) => ([x, y]) => L.latLng(y / scale, x / scale);

  /** Points of an arc: differences between successive points, x then y, as `static_maps.topology` writes them. */
  function decodeArc(flat, latLng) {
    const points = [];
    let x = 0, y = 0;
    for (let i = 0; i < flat.length; i += 2) points.push(latLng([x += flat[i], y += flat[i + 1]]));
    return points;
  }

  /** Boundaries and town names of a page's data.
   *
   * Each boundary is stored once, as an arc; a ring is a list of references to arcs, and ~r is arc r reversed.
   * Two shapes on both sides of an arc therefore share it exactly; an arc with one side belongs to the outline.
   */
  function ground(data) {
    const latLng = toLatLng(data.scale);
    const arcs = data.outline.arcs.map((flat) => decodeArc(flat, latLng));
    const ring = (references) => references.flatMap((r) => (r < 0 ? arcs[~r].slice(0, -1).reverse() : arcs[r].slice(1)));
    const rings = (shape) => shape.map((polygon) => polygon.map(ring));
    const sides = arcs.map(() => []);
    data.outline.communes.forEach((shape, i) => shape.flat(2).forEach((r) => sides[r < 0 ? ~r : r].push(i)));
    const arcsWhere = (pick) => arcs.filter((_, a) => pick(sides[a], a));

    // smoothFactor 0: Leaflet would otherwise simplify each shape alone, and shared borders would part.
    const drawn = { smoothFactor: 0, noClip: true };
    const still = (pane, className) => ({ ...drawn, pane, className, interactive: false });

    /** Neighbours in the pane « voisins ». */
    function drawNeighbours(map) {
      for (const n of data.outline.neighbours) L.polygon(rings(n.shape), still("voisins", "neighbour")).addTo(map);
    }
    /** Lines between territories in the pane « limites »: the outline, and arcs between communes i and j where grouped(i, j). */
    function drawLimits(map, grouped = () => false) {
      const lines = L.polyline(arcsWhere((s) => s.length === 2 && grouped(s[0], s[1])), still("limites", "group-line")).addTo(map);
      L.polyline(arcsWhere((s) => s.length === 1), still("limites", "outline")).addTo(map);
      return lines;
    }

    /** Names of the most populated communes, none over another; returns their layer, which is shown. */
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
          nameLabel(map, point.x, point.y - 15, name).addTo(names);
        }
      }
      map.on("moveend resize", place);
      return names.on("add", place).addTo(map);
    }

    return { latLng, rings, drawn, still, arcsWhere, drawNeighbours, drawLimits, nameTowns };
  }

  /** The name of a town, centred on a point of the container; hidden from assistive technology. */
  function nameLabel(map, x, y, name, className = "") {
    const icon = L.divIcon({ html: el("span", { "aria-hidden": "true" }, name), className: `name ${className}`, iconSize: [0, 0] });
    return L.marker(map.containerPointToLatLng([x, y]), { icon, pane: "noms", interactive: false, keyboard: false });
  }

  /** Panes by name and z-index; those not listed as active let the mouse through. */
  function createPanes(map, panes, active = []) {
    for (const [name, z] of Object.entries(panes)) {
      map.createPane(name).style.zIndex = z;
      if (!active.includes(name)) map.getPane(name).style.pointerEvents = "none";
    }
  }

  /** A tooltip that follows the pointer over a layer; `content` is called once for each entry. */
  function followingTip(map) {
    const tip = L.tooltip({ sticky: true, direction: "top", className: "tip", opacity: 1 });
    return (layer, content) => {
      layer.on("mouseover mousemove", (event) => {
        if (event.type === "mouseover") tip.setContent(content());
        tip.setLatLng(event.latlng);
        if (!map.hasLayer(tip)) map.openTooltip(tip);
      });
      layer.on("mouseout", () => map.closeTooltip(tip));
    };
  }

  return { reduced, byId, el, NamedIcon, accessiblePopup, toLatLng, decodeArc, ground, nameLabel, createPanes, followingTip };
})();
