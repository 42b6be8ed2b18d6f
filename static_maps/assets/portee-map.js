/* Portée: the map of access: communes, sites, search. Leaflet, its marker clusters and map-base.js are loaded before. */
(() => {
  "use strict";

  const { reduced, byId, el, NamedIcon, accessiblePopup, ground, nameLabel, createPanes, followingTip } = porteeBase;
  const { count, counted, minutes, percents } = porteeFigures;
  /** As `geo.sites.filters.fold`: no accents, case or kinds of hyphen and apostrophe; "St" is "Saint". */
  function fold(text) {
    return text.replace(/’/g, "'").replace(/œ/gi, "oe").normalize("NFKD").replace(/\p{M}/gu, "")
      .toLowerCase().replace(/[-'\s]+/g, " ").trim()
      .replace(/(^| )st(e?)(?= |$)/g, "$1saint$2");
  }

  /** A link only where the address is one a browser may follow. */
  function webLink(address, label) {
    let url;
    try { url = new URL(address); } catch { return null; }
    if (url.protocol !== "https:" && url.protocol !== "http:") return null;
    return el("a", { href: url.href, rel: "noopener noreferrer", target: "_blank" }, label);
  }

  function draw(map) {
    const data = JSON.parse(byId("donnees").textContent);
    const { latLng, rings, drawn, still, arcsWhere, drawNeighbours, drawLimits } = ground(data);
    const siteById = new Map(data.sites.map((s) => [s.id, s]));
    const state = { level: "commune", commune: -1 };
    const narrow = map.getSize().x < 500;

    // ---- Levels: for each, the row of access of every commune

    const rowOf = { commune: data.communes.map((_, i) => i) };
    const indexOf = new Map(data.communes.map((c, i) => [c.code, i]));
    for (const [level, members] of Object.entries(data.groupings)) {
      rowOf[level] = new Array(data.communes.length).fill(-1);
      members.forEach((codes, row) => codes.forEach((code) => { rowOf[level][indexOf.get(code)] = row; }));
    }
    const accessOf = (commune, level = state.level) => data.access[level][rowOf[level][commune]] ?? null;
    function classOf(minutes) {
      if (minutes === null || minutes === undefined) return null;
      return data.classes.find((c) => c.up_to === null || minutes <= c.up_to);
    }
    const colourOf = (commune) => (classOf(accessOf(commune)?.minutes) ?? data.unknown).colour;

    // ---- Panes, from the ground up

    createPanes(map, { voisins: 340, limites: 410, choix: 420, noms: 450 });
    const container = map.getContainer();
    container.setAttribute("role", "region");
    container.setAttribute("aria-label",
      `Carte ${data.territory.of_name}. Flèches pour se déplacer, plus et moins pour agrandir ou réduire.`);

    drawNeighbours(map);

    // ---- Communes

    const withTip = followingTip(map);
    const communes = data.outline.communes.map((shape, i) => {
      const polygon = L.polygon(rings(shape), { ...drawn, weight: 0.8, fillOpacity: 1, fillColor: colourOf(i), className: "commune" });
      polygon.on("click", () => select(i));
      withTip(polygon, () => communeTip(i));
      return polygon.addTo(map);
    });

    function communeTip(i) {
      const own = accessOf(i, "commune"), group = accessOf(i);
      const box = el("div", {}, el("strong", {}, data.communes[i].name), ` : ${own.time}`);
      if (state.level !== "commune" && group) box.append(el("br"), `${group.name} : ${group.time}`);
      return box;
    }

    // ---- Limits: of the grouping shown, and of the territory

    const groupLines = drawLimits(map);
    const chosen = L.polyline([], still("choix", "chosen")).addTo(map);

    // ---- Names of towns: the most peopled first, no two on top of each other

    const names = L.layerGroup().addTo(map);
    const fontFamily = getComputedStyle(container).fontFamily;
    const pen = document.createElement("canvas").getContext("2d");
    const byPeople = data.communes.map((_, i) => i).sort((a, b) => data.communes[b].people - data.communes[a].people);
    const neighbourRings = data.outline.neighbours.map((n) => rings(n.shape).map((polygon) => polygon[0]));
    const centre = L.latLngBounds(data.communes.map((c) => latLng(c.at))).getCenter();

    function placeNames() {
      names.clearLayers();
      const size = map.getSize(), most = narrow ? 12 : 30;
      const taken = [];
      map.eachLayer((layer) => {
        if (!(layer instanceof L.Marker) || layer.options.pane !== "markerPane") return;
        const at = map.latLngToContainerPoint(layer.getLatLng()), r = parseFloat(layer.getElement().style.width) / 2;
        taken.push([at.x - r, at.y - r, at.x + r, at.y + r]);
      });
      const free = (b) => b[0] > 2 && b[1] > 2 && b[2] < size.x - 2 && b[3] < size.y - 2
        && !taken.some((t) => b[0] < t[2] && b[2] > t[0] && b[1] < t[3] && b[3] > t[1]);
      const put = (x, y, half, text, className) => {
        const box = [x - half, y - 9, x + half, y + 9];
        if (!free(box)) return false;
        taken.push(box);
        nameLabel(map, x, y, text, className).addTo(names);
        return true;
      };
      let placed = 0;
      for (const [rank, i] of byPeople.entries()) {
        if (placed >= most && map.getZoom() < 11) break;
        const { name, at: [x, y] } = data.communes[i], at = map.latLngToContainerPoint(latLng([x, y]));
        if (at.x < 0 || at.y < 0 || at.x > size.x || at.y > size.y) continue;
        const main = rank < 8;
        pen.font = `${main ? "700 14px" : "600 12.5px"} ${fontFamily}`;
        const half = pen.measureText(name).width / 2 + 3;
        const spots = [[0, 0]];
        for (const far of main ? [20, 30, 42, 54] : [20, 30]) {
          const aside = half + far - 8;
          spots.push([0, far], [0, -far], [aside, 0], [-aside, 0]);
          if (main) spots.push([aside, far / 2], [-aside, far / 2], [aside, -far / 2], [-aside, -far / 2]);
        }
        if (spots.some(([dx, dy]) => put(at.x + dx, at.y + dy, half, name, main ? "main" : "town"))) placed++;
      }
      pen.font = `500 12.5px ${fontFamily}`;
      const home = map.latLngToContainerPoint(centre), spots = [];
      for (let x = 40; x < size.x; x += 40) for (let y = 18; y < size.y; y += 32) spots.push([x, y, Math.hypot(x - home.x, y - home.y)]);
      spots.sort((a, b) => a[2] - b[2]);
      data.outline.neighbours.forEach(({ name }, n) => {
        const half = pen.measureText(name.toUpperCase()).width / 2 + name.length * 0.8 + 4;
        const outers = neighbourRings[n].map((r) => r.map((point) => map.latLngToContainerPoint(point)))
          .map((points) => ({ points, box: L.bounds(points) }));
        const within = (x, y) => outers.some(({ points, box }) =>
          x > box.min.x && x < box.max.x && y > box.min.y && y < box.max.y && inside(points, x, y));
        spots.find(([x, y]) => within(x, y)
          && [-half, half].every((dx) => within(x + dx, y - 12) && within(x + dx, y + 12))
          && put(x, y, half, name, "beyond"));
      });
    }
    function inside(points, x, y) {
      let odd = false;
      for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
        const a = points[i], b = points[j];
        if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) odd = !odd;
      }
      return odd;
    }
    // Clusters regroup a while after each move, and names keep clear of them.
    let waiting = 0;
    function placeNamesSoon() {
      clearTimeout(waiting);
      waiting = setTimeout(() => { if (map.hasLayer(names)) placeNames(); }, reduced ? 0 : 260);
    }
    map.on("moveend resize", placeNamesSoon);

    // ---- Sites

    const clusters = L.markerClusterGroup({
      maxClusterRadius: narrow ? 58 : 44,
      showCoverageOnHover: false,
      animate: !reduced,
      spiderLegPolylineOptions: { weight: 1.5, className: "leg" },
      iconCreateFunction: (cluster) => {
        const n = cluster.getChildCount();
        return new NamedIcon({
          html: el("span", {}, count(n)),
          className: "cluster",
          iconSize: n < 10 ? [28, 28] : n < 50 ? [34, 34] : [40, 40],
          label: `${n} lieux, agrandir`,
        });
      },
    });
    const markerById = new Map();
    for (const site of data.sites) {
      if (!site.at) continue;
      const kind = ["site", site.rough ? "rough" : "", site.beyond ? "beyond" : ""].join(" ");
      const marker = L.marker(latLng(site.at), {
        icon: new NamedIcon({ html: el("span"), className: kind, iconSize: [28, 28], label: site.name }),
      });
      marker.bindPopup(() => siteCard(site), { minWidth: 230, maxWidth: Math.min(320, map.getSize().x - 60), autoPanPaddingTopLeft: [narrow ? 8 : 60, 12], autoPanPaddingBottomRight: [8, 12] });
      marker.bindTooltip(() => el("span", {}, site.name), { direction: "top", offset: [0, -12], className: "tip", opacity: 1 });
      accessiblePopup(map, marker, { name: site.name, close: "Fermer" });
      markerById.set(site.id, marker);
    }
    clusters.addLayers([...markerById.values()]).addTo(map);

    function siteCard(site) {
      const card = el("article", { class: "site-card", lang: "fr" });
      if (site.dial) card.append(el("p", { class: "phone" }, el("a", { href: `tel:${site.dial}` }, site.phone), ...(site.phone_note ? [` (${site.phone_note})`] : [])));
      else card.append(el("p", { class: "phone none" }, "Pas de téléphone connu"));
      for (const [shown, dial, remark] of site.phones ?? []) card.append(el("p", { class: "phone-more", dir: "auto" }, dial ? el("a", { href: `tel:${dial}` }, shown) : shown, ...(remark ? [` (${remark})`] : [])));
      if (site.hours) card.append(el("ul", { class: "hours" }, ...site.hours.map((h) => el("li", { dir: "auto" }, h))));
      for (const flag of site.flags ?? []) card.append(el("p", { class: "flag" }, flag));
      card.append(el("h2", { dir: "auto" }, site.name));
      card.append(el("p", { dir: "auto" }, [...(site.address ?? []), site.town].filter(Boolean).join(", ")));
      if (site.stops) card.append(el("h3", {}, "Passages"), list(site.stops));
      if (site.services) card.append(el("h3", {}, "Sur place"), list(site.services));
      const facts = [...(site.cost ?? [])];
      if (site.pass) facts.push("Pass Numérique accepté");
      if (site.wheelchair === true) facts.push("Accessible en fauteuil roulant");
      if (site.wheelchair === false) facts.push("Non accessible en fauteuil roulant");
      if (site.beyond) facts.push("Hors du département");
      if (facts.length) card.append(el("ul", { class: "facts" }, ...facts.map((f) => el("li", {}, f))));
      const links = [site.book && webLink(site.book, "Prendre rendez-vous"), site.web && webLink(site.web[0], "Site web")].filter(Boolean);
      if (links.length) card.append(el("p", { class: "links" }, ...links.flatMap((l, i) => (i ? [" · ", l] : [l]))));
      if (site.updated) card.append(el("p", { class: "updated" }, `Fiche mise à jour le ${site.updated}`));
      return card;
    }
    const list = (items) => el("ul", {}, ...items.map((i) => el("li", { dir: "auto" }, i)));

    // ---- The sheet of a commune

    const sheet = byId("fiche");
    const overview = [...sheet.children];
    function figures(rows) {
      return el("dl", {}, ...rows.map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", { dir: "auto" }, v))));
    }
    /** Shares of people within each time, and people beyond the longest acceptable one. */
    function reach(row) {
      return [
        ...data.minutes.map((m, t) => [`À ${minutes(m)} ou moins`, row.within[t]]),
        [`À plus de ${minutes(data.beyond_min)}`, counted("%n habitant", "%n habitants", row.beyond)],
      ];
    }
    function select(i, { zoom = false } = {}) {
      state.commune = i;
      const commune = data.communes[i], own = accessOf(i, "commune"), site = siteById.get(own.nearest);
      const shape = new Set(data.outline.communes[i].flat(2).map((r) => (r < 0 ? ~r : r)));
      chosen.setLatLngs(arcsWhere((_, a) => shape.has(a)));
      const lead = site
        ? el("p", { class: "lead" }, `Le plus proche, à ${own.time} : `, button(site.name, () => showSite(site.id)))
        : el("p", { class: "lead" }, "Aucun lieu ne peut être atteint.");
      const title = el("h2", { id: "fiche-titre" }, commune.name);
      const close = button("Fermer", overviewAgain);
      close.className = "close";
      sheet.replaceChildren(title, close, lead, figures([
        ["Lieux dans la commune", count(own.sites)],
        ["Habitants", count(own.people)],
        ...reach(own),
        ["Code postal", commune.postal.join(", ")],
      ]));
      const row = accessOf(i);
      if (state.level !== "commune" && row) {
        sheet.append(el("h3", {}, row.name), figures([
          ["Temps médian", row.time],
          ["Lieux", count(row.sites)],
          ["Habitants", count(row.people)],
          ...reach(row),
        ]));
      }
      sheet.parentElement.scrollTop = 0;
      if (zoom) {
        const around = L.latLngBounds(communes[i].getBounds().getSouthWest(), communes[i].getBounds().getNorthEast());
        if (site) around.extend(latLng(site.at));
        map.fitBounds(around, { maxZoom: 12, padding: [40, 40], animate: !reduced });
      }
      remember(`commune-${commune.code}`);
    }
    function button(text, act) {
      const made = el("button", { type: "button", dir: "auto" }, text);
      made.addEventListener("click", act);
      return made;
    }
    function overviewAgain() {
      state.commune = -1;
      chosen.setLatLngs([]);
      sheet.replaceChildren(...overview);
      sheet.focus({ preventScroll: true });
      remember("");
    }
    function showSite(id) {
      const marker = markerById.get(id);
      if (!marker) return;
      if (!map.hasLayer(clusters)) toggle("sites", true);
      container.scrollIntoView({ block: "nearest", behavior: reduced ? "auto" : "smooth" });
      clusters.zoomToShowLayer(marker, () => {
        marker.getElement()?.focus({ preventScroll: true });
        marker.openPopup();
      });
      remember(`lieu-${encodeURIComponent(id)}`);
    }

    // ---- Addresses one can share: #commune-47001, #lieu-…

    const remember = (anchor) => history.replaceState(null, "", anchor ? `#${anchor}` : location.pathname + location.search);
    function follow() {
      const [, kind, key] = /^#(commune|lieu)-(.+)$/.exec(location.hash) ?? [];
      let name = key;
      try { name = decodeURIComponent(key); } catch { return; }
      if (kind === "commune" && indexOf.has(name)) {
        select(indexOf.get(name), { zoom: true });
        container.scrollIntoView({ block: "nearest" });
      } else if (kind === "lieu") showSite(data.redirects[name] ?? name);
    }
    addEventListener("hashchange", follow);

    // ---- Legend, levels, layers

    function legend() {
      const rows = data.access[state.level];
      const classes = [...data.classes, data.unknown];
      const held = classes.map((c) => rows.filter((r) => (classOf(r.minutes) ?? data.unknown) === c));
      const shares = percents(held.map((here) => here.reduce((sum, r) => sum + r.people, 0)));
      byId("legende").replaceChildren(...classes.flatMap((c, i) => {
        if (c === data.unknown && !held[i].length) return [];
        const swatch = el("span", { class: "swatch" });
        swatch.style.backgroundColor = c.colour;
        return [el("li", {}, swatch, el("span", {}, c.label), el("span", { class: "share", title: `${shares[i]} des habitants` }, shares[i]))];
      }), el("li", { class: "reading" }, "Temps que la moitié des habitants ne dépasse pas. À droite : part des habitants."));
    }
    function colourBy(level) {
      state.level = level;
      communes.forEach((polygon, i) => polygon.setStyle({ fillColor: colourOf(i) }));
      container.classList.toggle("grouped", level !== "commune");
      groupLines.setLatLngs(level === "commune" ? [] : arcsWhere((s) => s.length === 2 && rowOf[level][s[0]] !== rowOf[level][s[1]]));
      legend();
      if (state.commune >= 0) select(state.commune);
    }
    const levels = byId("niveaux");
    for (const [level, label] of Object.entries(data.levels)) {
      const input = el("input", { type: "radio", name: "niveau", value: level });
      input.checked = level === state.level;
      input.addEventListener("change", () => colourBy(level));
      levels.append(el("label", {}, input, label));
    }
    levels.hidden = false;

    let base = null;
    map.eachLayer((layer) => { if (layer instanceof L.TileLayer) base = layer; });
    const layers = {
      sites: { label: "Les lieux", layer: clusters },
      names: { label: "Les noms des communes", layer: names },
      ...(base && { base: { label: "Le fond de carte", layer: base } }),
    };
    for (const [key, { label, layer }] of Object.entries(layers)) {
      const input = el("input", { type: "checkbox", name: key });
      input.checked = true;
      input.addEventListener("change", () => toggle(key, input.checked));
      layers[key].input = input;
      byId("couches").append(el("label", {}, input, label));
      layer.on("add remove", () => { input.checked = map.hasLayer(layer); });
    }
    byId("couches").hidden = false;
    function toggle(key, shown) {
      const { layer, input } = layers[key];
      input.checked = shown;
      if (shown) map.addLayer(layer); else map.removeLayer(layer);
      if (shown && key === "names") placeNames();
      else if (key === "sites") placeNamesSoon();
      if (key === "base") document.documentElement.classList.toggle("with-tiles", shown && tilesSeen);
    }

    // ---- Base map: communes turn translucent once a tile is really there

    let tilesSeen = false;
    base?.on("tileload", () => {
      tilesSeen = true;
      silent.hidden = true;
      document.documentElement.classList.add("with-tiles");
    });
    const silent = el("p", { class: "hint", id: "sans-fond", hidden: "" }, "Il ne répond pas ; la carte se lit sans lui.");
    byId("couches").append(silent);
    base?.on("load", () => { silent.hidden = tilesSeen; });

    L.control.zoom({ zoomInTitle: "Agrandir", zoomOutTitle: "Réduire", position: narrow ? "bottomright" : "topleft" }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    map.attributionControl.setPrefix(false);
    new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(container);

    // ---- Search: communes and sites, arrows and Enter

    const input = byId("recherche"), options = byId("propositions");
    let entries = null, found = [], active = -1;
    function searchable() {
      entries ??= [
        ...data.communes.map((c, i) => ({ key: fold(c.name), codes: c.postal.concat(c.code), weight: c.people, text: c.name, hint: c.postal[0] ?? "", go: () => { select(i, { zoom: true }); sheet.focus({ preventScroll: true }); } })),
        ...data.sites.filter((s) => s.at).map((s) => ({ key: fold(s.name), codes: [], weight: 0, text: s.name, hint: s.town ?? "", go: () => showSite(s.id) })),
      ];
      return entries;
    }
    function search(text) {
      const wanted = fold(text);
      if (!wanted) return [];
      const rank = (e) => {
        if (e.key === wanted || e.codes.includes(wanted)) return 0;
        if (e.key.startsWith(wanted)) return 1;
        if (` ${e.key}`.includes(` ${wanted}`)) return 2;
        return e.key.includes(wanted) || e.codes.some((c) => c.startsWith(wanted)) ? 3 : 9;
      };
      return searchable().map((e) => [rank(e), e]).filter(([r]) => r < 9)
        .sort(([a, x], [b, y]) => a - b || y.weight - x.weight || (x.key < y.key ? -1 : 1))
        .slice(0, 8).map(([, e]) => e);
    }
    function propose() {
      found = search(input.value);
      active = found.length ? 0 : -1;
      const rows = found.map((e, i) => {
        const row = el("li", { role: "option", id: `proposition-${i}`, "aria-selected": String(i === active), dir: "auto" },
          el("span", {}, e.text), el("small", {}, e.hint));
        row.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(i); });
        return row;
      });
      options.replaceChildren(...rows);
      if (!found.length && input.value.trim()) {
        options.append(el("li", { role: "option", "aria-disabled": "true", "aria-selected": "false", class: "none" }, "Rien ne porte ce nom ici."));
      }
      open(Boolean(input.value.trim()));
      mark();
    }
    function open(shown) {
      options.hidden = !shown;
      input.setAttribute("aria-expanded", String(shown));
      if (!shown) input.removeAttribute("aria-activedescendant");
    }
    function mark() {
      [...options.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === active)));
      if (active >= 0) {
        input.setAttribute("aria-activedescendant", `proposition-${active}`);
        options.children[active].scrollIntoView({ block: "nearest" });
      } else input.removeAttribute("aria-activedescendant");
    }
    function choose(i) {
      const entry = found[i];
      if (!entry) return;
      input.value = entry.text;
      open(false);
      entry.go();
    }
    input.addEventListener("input", propose);
    input.addEventListener("focus", () => { if (input.value.trim() && options.children.length) input.select(); });
    input.addEventListener("blur", () => open(false));
    input.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        if (options.hidden) propose();
        else if (found.length) { active = (active + step + found.length) % found.length; mark(); }
        event.preventDefault();
      } else if (event.key === "Enter") {
        if (options.hidden) propose();
        else choose(active);
        event.preventDefault();
      } else if (event.key === "Escape" && !options.hidden) {
        open(false);
        event.preventDefault();
      }
    });

    legend();
    placeNamesSoon();
    follow();
    document.documentElement.dataset.ready = "true";
    requestAnimationFrame(() => setTimeout(() => performance.mark("portee-interactive")));
  }

  window.portee = { draw };
})();
