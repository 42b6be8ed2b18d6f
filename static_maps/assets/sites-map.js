/* Portée: the map beside a list of sites. Leaflet, its marker clusters and map-base.js are loaded before. */
(() => {
  "use strict";

  const { reduced, byId, el, NamedIcon, accessiblePopup, toLatLng, decodeArc } = porteeBase;
  const said = (sentence, value) => sentence.split(/%[sn]/).join(value);

  /** The page that shows this one in a frame, where it is ours. */
  function ours() {
    try { return window.parent !== window && window.parent.location.origin === location.origin ? window.parent : null; } catch { return null; }
  }

  function draw(map) {
    const data = JSON.parse(byId("donnees").textContent), limits = JSON.parse(byId("limites").textContent);
    const { words } = data;
    const latLng = toLatLng(data.scale);
    const container = map.getContainer(), parent = data.sealed ? null : ours();
    if (window.parent !== window) {
      document.documentElement.classList.add("framed");
      // The page around the frame has its own landmarks.
      for (const landmark of document.querySelectorAll("[role=banner], [role=main]")) landmark.removeAttribute("role");
    }
    byId("sans-script").remove();
    container.setAttribute("role", "region");
    container.setAttribute("aria-label", words.map_label);

    // ---- The ground: limits, and where one is

    const line = (flat) => decodeArc(flat, latLng);
    const still = (className) => ({ className, interactive: false, smoothFactor: 0 });
    L.polyline(limits.inner.map(line), still("inner")).addTo(map);
    const around = L.polyline(limits.outer.map(line), still("outer")).addTo(map);
    map.eachLayer((layer) => {
      if (layer instanceof L.TileLayer) layer.once("tileload", () => document.documentElement.classList.add("with-tiles"));
    });
    if (data.origin) {
      const label = said(words.origin, data.origin.name);
      const icon = L.divIcon({ html: el("span", { role: "img", "aria-label": label }), className: "here", iconSize: [26, 26] });
      L.marker(latLng(data.origin.at), { icon, interactive: false, keyboard: false, zIndexOffset: -500 }).addTo(map);
    }

    // ---- First view

    const listed = data.sites.filter((site) => site.rank);
    const first = [...listed.map((site) => latLng(site.at)), ...(data.origin ? [latLng(data.origin.at)] : [])];
    if (data.view) map.setView(latLng(data.view.at), data.view.zoom, { animate: false });
    else if (first.length > (data.origin ? 1 : 0)) map.fitBounds(first, { padding: [34, 34], maxZoom: 14, animate: false });
    else if (data.origin) map.setView(first[0], 12, { animate: false });
    else map.fitBounds(around.getBounds(), { padding: [8, 8], animate: false });

    // ---- Sites

    function markerOf(site, icon, zIndexOffset = 0) {
      const marker = L.marker(latLng(site.at), { icon, zIndexOffset });
      const width = Math.min(300, map.getSize().x - 56);
      marker.bindPopup(() => card(site), { minWidth: Math.min(220, width), maxWidth: width, autoPanPadding: [8, 8] });
      marker.bindTooltip(() => el("span", { dir: "auto" }, site.name), { direction: "top", offset: [0, -12], className: "tip", opacity: 1 });
      accessiblePopup(map, marker, { name: site.name, close: words.close, opened: () => parent?.postMessage({ site: site.id }, location.origin) });
      return marker;
    }
    const numbered = listed.map((site) => {
      const kind = site.sure ? "listed" : "listed maybe";
      const icon = new NamedIcon({ html: el("span", {}, String(site.rank)), className: kind, iconSize: [32, 32], label: `${site.rank} : ${site.name}` });
      return { at: latLng(site.at), marker: markerOf(site, icon, 1000 - site.rank * 5).addTo(map), leg: L.polyline([], still("leg")).addTo(map) };
    });
    const clusters = L.markerClusterGroup({
      maxClusterRadius: 34,
      showCoverageOnHover: false,
      animate: !reduced,
      spiderLegPolylineOptions: { weight: 1.5, className: "leg" },
      iconCreateFunction: (cluster) => {
        const n = cluster.getChildCount();
        return new NamedIcon({ html: el("span", {}, String(n)), className: "cluster", iconSize: [30, 30], label: said(words.several, n) });
      },
    });
    clusters.addLayers(data.sites.filter((site) => !site.rank).map((site) => markerOf(site, new NamedIcon({
      html: el("span"), className: site.sure ? "dot" : "dot maybe", iconSize: [24, 24], label: site.sure ? site.name : `${site.name} (${words.maybe})`,
    })))).addTo(map);

    /** Numbered sites that would overlap are spread, each with a line to its position. */
    function spread() {
      const taken = data.origin ? [map.latLngToLayerPoint(latLng(data.origin.at))] : [];
      for (const { at, marker, leg } of numbered) {
        const home = map.latLngToLayerPoint(at);
        let spot = home;
        for (let turn = 0; turn < 90 && taken.some((t) => t.distanceTo(spot) < 27); turn++) {
          const angle = turn * 0.7, far = 10 + turn * 2.2;
          spot = L.point(home.x + far * Math.cos(angle), home.y + far * Math.sin(angle));
        }
        taken.push(spot);
        marker.setLatLng(spot === home ? at : map.layerPointToLatLng(spot));
        leg.setLatLngs(spot === home ? [] : [at, marker.getLatLng()]);
      }
    }
    spread();
    map.on("zoomend", spread);

    // ---- The sheet of a site: its number first

    function card(site) {
      const made = el("article", { class: "card" });
      made.append(site.dial
        ? el("p", { class: "phone" }, el("a", { href: `tel:${site.dial}`, "aria-label": `${said(words.call, site.name)} : ${site.phone}` }, site.phone))
        : el("p", { class: "nophone" }, words.no_phone));
      made.append(el("h2", { dir: "auto" }, site.page ? el("a", { href: site.page, target: "_top" }, site.name) : site.name));
      if (site.why) made.append(el("p", { class: "why" }, site.why));
      if (site.hours) made.append(el("ul", { class: "hours" }, ...site.hours.map((h) => el("li", { dir: "auto" }, h))));
      if (site.address) made.append(el("p", { dir: "auto" }, site.address));
      for (const note of site.notes ?? []) made.append(el("p", { class: "notice" }, note));
      const links = el("p", { class: "links" });
      if (site.way) links.append(el("a", { href: site.way, target: "_blank", rel: "noopener noreferrer" }, words.directions));
      if (site.page) links.append(el("a", { href: site.page, target: "_top" }, words.details));
      if (links.children.length) made.append(links);
      return made;
    }
    // ---- Gestures: the page keeps the wheel and one finger, the map takes Ctrl and two

    const hint = byId("geste");
    let fading = 0;
    function tell(sentence) {
      hint.textContent = sentence;
      hint.hidden = false;
      clearTimeout(fading);
      fading = setTimeout(() => { hint.hidden = true; }, 1500);
    }
    map.scrollWheelZoom.disable();
    container.addEventListener("wheel", (event) => {
      if (event.target.closest(".leaflet-popup")) return;
      if (!event.ctrlKey && !event.metaKey) return tell(words.wheel);
      event.preventDefault();
      map.setZoomAround(map.mouseEventToContainerPoint(event), map.getZoom() - Math.sign(event.deltaY) * 0.5, { animate: false });
    }, { passive: false });
    const byTouch = (touch) => map.dragging[touch ? "disable" : "enable"]();
    byTouch(matchMedia("(pointer: coarse)").matches);
    container.addEventListener("pointerdown", (event) => byTouch(event.pointerType === "touch"), true);
    container.addEventListener("touchmove", (event) => {
      if (event.touches.length === 1 && !event.target.closest(".leaflet-popup")) tell(words.fingers);
    }, { passive: true });

    L.control.zoom({ zoomInTitle: words.zoom_in, zoomOutTitle: words.zoom_out, position: "topright" }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    map.attributionControl.setPrefix(false);
    new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(container);
    document.documentElement.dataset.ready = "true";
  }

  window.portee = { draw };
})();
