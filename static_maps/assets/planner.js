/* Portée: the map, « Où ouvrir ? », « Et si… ? » and the trend of the planner's page; the rest is the server's.
   Leaflet and map-base.js are loaded before. */
(() => {
  "use strict";

  const API = "/api/v1";
  const { reduced, byId, el, ground, createPanes, followingTip } = porteeBase;
  const { count, decimal, longDate, minutes, minutesChange, people, percent } = porteeFigures;

  function button(text, act, attributes = {}) {
    const made = el("button", { type: "button", ...attributes }, text);
    made.addEventListener("click", act);
    return made;
  }
  /** A table in a frame that scrolls; the first column heads its row, the others are figures. */
  function table(caption, heads, rows) {
    const made = el("table", {}, el("caption", {}, el("span", {}, caption)),
      el("thead", {}, el("tr", {}, ...heads.map((h, i) => el("th", { scope: "col", ...(i && { class: "n" }) }, h)))),
      el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((c, i) => (i ? el("td", { class: "n" }, c) : el("th", { scope: "row" }, c)))))));
    return el("div", { class: "scroll framed", role: "region", tabindex: "0", "aria-label": caption }, made);
  }
  /** JSON of an address of the API; a refusal becomes an Error with the API's message. */
  async function ask(path, { method = "GET", body, key } = {}) {
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (key) headers.Authorization = `Bearer ${key}`;
    let answer;
    try {
      answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    } catch {
      throw new Error("Le service ne répond pas. Vérifiez votre connexion, puis réessayez.");
    }
    const told = answer.status === 204 ? null : await answer.json().catch(() => null);
    if (answer.ok) return told;
    throw new Error([told?.detail ?? `Le service a refusé (${answer.status}).`, told?.advice].filter(Boolean).join(" "));
  }
  function tell(place, text, wrong = false) {
    place.textContent = text;
    place.classList.toggle("wrong", wrong);
  }

  function draw(map) {
    const data = JSON.parse(byId("donnees").textContent);
    const { latLng, rings, drawn, drawNeighbours, drawLimits, nameTowns } = ground(data);
    const communeByCode = new Map(data.communes.map((c) => [c.code, c]));
    const siteById = new Map(data.sites.map((s) => [s.id, s]));
    const rowByCode = new Map(data.rows.map((r) => [r.code, r]));
    const container = map.getContainer();
    const beyond = minutes(data.beyond_min);
    container.setAttribute("role", "region");
    container.setAttribute("aria-label", `Carte ${data.territory.of_name}. Flèches pour se déplacer, plus et moins pour agrandir ou réduire.`);

    createPanes(map, { voisins: 340, carreaux: 404, isochrones: 406, limites: 410, cercles: 420, lieux: 430, noms: 440 }, ["lieux", "cercles"]);
    drawNeighbours(map);
    drawLimits(map, (i, j) => data.kind !== "commune" && data.communes[i].row !== data.communes[j].row);
    const rowOf = (i) => data.rows[data.communes[i].row] ?? null;

    let picking = null;
    const withTip = followingTip(map);
    const communes = data.outline.communes.map((shape, i) => {
      const polygon = L.polygon(rings(shape), { ...drawn, weight: 0.6, fillOpacity: 1, className: "commune" });
      polygon.on("click", (event) => { if (!picking) showTerritory(i); L.DomEvent.stopPropagation(event); if (picking) picked(event.latlng); });
      withTip(polygon, () => communeTip(i));
      return polygon.addTo(map);
    });
    map.on("click", (event) => { if (picking) picked(event.latlng); });

    function communeTip(i) {
      const row = rowOf(i);
      const box = el("div", {}, el("strong", {}, row && data.kind !== "commune" ? `${data.communes[i].name} (${row.name})` : data.communes[i].name));
      if (row) box.append(el("br"), layers[state.layer].says(row));
      return box;
    }

    const names = nameTowns(map);

    // ---- What the map may show

    const timeClass = (m) => data.time.find((c) => c.up_to !== null && m !== null && m <= c.up_to) ?? data.time.at(m === null ? -1 : -2);
    const supplyClass = (v) => data.supply.find((c) => c.up_to === null || v <= c.up_to);
    const CHANGES = [15, 5, 1, -1, -5, -15];
    const changeColour = (m) => data.change[m === null ? 3 : CHANGES.filter((edge) => (edge > 0 ? m < edge : m <= edge)).length];
    const pale = getComputedStyle(document.documentElement).getPropertyValue("--map-pale");
    const state = { layer: "temps", changes: null };
    const layers = {
      temps: {
        label: "Le temps de trajet", unit: "Temps médian jusqu'au lieu le plus proche, en minutes",
        fill: (row) => timeClass(row.minutes).colour, classes: data.time,
        says: (row) => `temps médian : ${row.time}`,
      },
      ...(data.places && { carreaux: {
        label: "Le temps, là où l'on habite", unit: "Un point par carreau habité ; sa surface dit combien de personnes",
        fill: () => pale, classes: data.time,
        says: (row) => `temps médian : ${row.time}`,
      } }),
      audela: {
        label: `Les personnes à plus de ${beyond}`, unit: "Nombre de personnes, par la surface des cercles",
        fill: () => pale, sizes: true,
        says: (row) => `${people(row.beyond)} à plus de ${beyond}`,
      },
      offre: {
        label: "L'offre accessible", unit: data.supply_unit, classes: data.supply,
        fill: (row) => supplyClass(row.supply).colour,
        says: (row) => `offre : ${decimal(row.supply)} ${data.supply_unit}`,
      },
      ecarts: {
        label: "Les plus grands écarts", unit: "Numérotés du plus grand au moins grand, sur le temps médian", classes: data.time,
        fill: (row) => timeClass(row.minutes).colour,
        says: (row) => (row.rank ? `écart au rang ${row.rank}` : "aucun écart"),
      },
      "avant-apres": {
        label: "Avant et après « Et si… ? »", unit: "Temps de trajet moyen, par rapport à aujourd'hui",
        classes: ["plus loin de 15\u00a0min ou plus", "plus loin de 5 à 15\u00a0min", "plus loin de 1 à 5\u00a0min", "changé de moins d'une minute", "plus près de 1 à 5\u00a0min", "plus près de 5 à 15\u00a0min", "plus près de 15\u00a0min ou plus"].map((label, i) => ({ label, colour: data.change[i] })),
        fill: (row) => changeColour(state.changes?.get(row.code)?.minutes ?? null),
        says: (row) => {
          const change = state.changes?.get(row.code);
          return change ? `${minutesChange(change.minutes)} en moyenne` : "rien ne change";
        },
      },
    };
    const circles = L.layerGroup(), numbers = L.layerGroup(), cells = L.layerGroup();
    const most = Math.max(1, ...data.rows.map((r) => r.beyond));
    const radius = (n) => 30 * Math.sqrt(n / most);
    for (const row of data.rows) {
      if (!row.beyond || !row.at) continue;
      L.circleMarker(latLng(row.at), { pane: "cercles", radius: Math.max(2, radius(row.beyond)), className: "people" })
        .bindTooltip(() => el("span", {}, `${row.name} : ${layers.audela.says(row)}`), { className: "tip", direction: "top", opacity: 1 }).addTo(circles);
    }
    data.gaps.forEach((gap, i) => {
      const icon = L.divIcon({ html: el("span", {}, String(i + 1)), className: "number", iconSize: [26, 26] });
      L.marker(latLng(gap.at), { icon, pane: "cercles", title: "", alt: `Écart ${i + 1} : ${gap.name}`, keyboard: false })
        .bindTooltip(() => el("span", {}, gap.sentence), { className: "tip", direction: "top", opacity: 1 }).addTo(numbers);
    });
    if (data.places) {
      const renderer = L.canvas({ pane: "carreaux", padding: 0.2 });
      const scale = Math.sqrt(Math.max(...data.places.people));
      const dots = data.places.people.map((n, i) => {
        const time = data.places.minutes[i] < 0 ? null : data.places.minutes[i];
        return L.circleMarker(latLng([data.places.at[2 * i], data.places.at[2 * i + 1]]), {
          renderer, interactive: false, stroke: false, fillOpacity: 1, fillColor: timeClass(time).colour, radius: 1.2,
        });
      });
      const resize = () => {
        const largest = 14 * 2 ** (0.8 * (map.getZoom() - 9));
        dots.forEach((dot, i) => dot.setRadius(Math.max(1.3, largest * Math.sqrt(data.places.people[i]) / scale)));
      };
      map.on("zoomend", () => { if (map.hasLayer(cells)) resize(); });
      cells.on("add", resize);
      dots.forEach((dot) => dot.addTo(cells));
    }

    function show(name, { remember = true } = {}) {
      if (!layers[name]) return;
      state.layer = name;
      const layer = layers[name];
      communes.forEach((polygon, i) => { const row = rowOf(i); polygon.setStyle({ fillColor: row ? layer.fill(row) : data.unknown }); });
      container.classList.toggle("pale", !layer.classes);
      for (const [group, at] of [[circles, "audela"], [numbers, "ecarts"], [cells, "carreaux"]]) {
        if (name === at) group.addTo(map); else group.remove();
      }
      byId("legende-unite").textContent = layer.unit;
      byId("legende").replaceChildren(...(layer.sizes ? sizes() : layer.classes.map((c) => {
        const swatch = el("span", { class: "swatch" });
        swatch.style.backgroundColor = c.colour;
        return el("li", {}, swatch, el("span", {}, c.label));
      })));
      const input = byId(`couche-${name}`);
      if (input) input.checked = true;
      if (remember) setAddress({ couche: name === "temps" ? null : name });
    }
    function sizes() {
      const round = (n) => { const ten = 10 ** Math.floor(Math.log10(n)); return Math.max(1, Math.round(n / ten) * ten); };
      const steps = [...new Set([most, most / 4, most / 20].map(round))];
      return steps.map((n) => {
        const sign = el("span", { class: "ring" });
        sign.style.width = sign.style.height = `${Math.max(4, 2 * radius(n))}px`;
        return el("li", {}, el("span", { class: "ring-box" }, sign), people(n));
      });
    }
    byId("legende-source").textContent = data.source;

    // ---- Sites

    const siteMarks = L.layerGroup().addTo(map), scenarioMarks = L.layerGroup().addTo(map), foundMarks = L.layerGroup().addTo(map), pointMarks = L.layerGroup().addTo(map);
    const isochrones = L.layerGroup().addTo(map);
    for (const site of data.sites) {
      if (!site.at) continue;
      L.circleMarker(latLng(site.at), { pane: "lieux", radius: site.state === 2 ? 5 : 4, className: `place state-${site.state}` })
        .bindTooltip(() => el("span", {}, site.name), { className: "tip", direction: "top", opacity: 1 })
        .on("click", (event) => { L.DomEvent.stopPropagation(event); if (picking) picked(event.latlng); else showSite(site); }).addTo(siteMarks);
    }
    const sheet = byId("fiche");
    function openSheet(title, ...content) {
      clearIsochrones();
      sheet.replaceChildren(el("h3", {}, title), button("Fermer", closeSheet, { class: "close" }), ...content.filter(Boolean));
      sheet.hidden = false;
      sheet.parentElement.scrollTop = 0;
      sheet.focus({ preventScroll: matchMedia("(min-width: 900px)").matches });
    }
    function clearIsochrones() { isochrones.clearLayers(); container.classList.remove("with-isochrones"); }
    function closeSheet() { sheet.hidden = true; clearIsochrones(); }
    const figures = (rows) => el("dl", {}, ...rows.map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", {}, v))));
    function showTerritory(i) {
      const row = rowOf(i), commune = data.communes[i];
      if (!row) return;
      const told = data.gaps.find((g) => data.kind === "commune" && g.name === row.name)?.sentence;
      openSheet(row.name, told ? el("p", {}, told) : null, figures([
        ["Temps médian", row.time],
        [`À plus de ${beyond}`, people(row.beyond)],
        ["Personnes", count(row.people)],
        ["Offre accessible", decimal(row.supply)],
      ]), el("p", { class: "acts" }, el("a", { href: `#t-${row.code}` }, "Voir dans le tableau"),
        button(`Et si un lieu ouvrait ${commune.at_name} ?`, () => addEdit({ ...opening(`Nouveau lieu, ${commune.name}`), ...place(commune.code) }))));
    }
    function showSite(site) {
      const states = ["Ne convient pas à la question", "Convient, mais n'est pas ouvert au moment demandé ou ne dit pas ses horaires", "Convient à la question"];
      const status = el("p", { class: "state", role: "status" });
      const prefill = (action) => () => { byId("si-action").value = action; shape(); byId("si-lieu").value = site.id; byId("si-lieu").focus(); };
      openSheet(site.name, el("p", {}, site.town), el("p", { class: "hint" }, states[site.state]),
        site.hours.length ? el("ul", {}, ...site.hours.map((h) => el("li", {}, h))) : el("p", {}, "Horaires inconnus"),
        el("p", { class: "acts" }, button("Qui peut y venir ?", () => showIsochrones(site, status)),
          button("Et s'il fermait ?", () => addEdit({ action: "close", site: site.id })),
          button("Et s'il déménageait ?", prefill("move")), button("Et s'il ouvrait à d'autres heures ?", prefill("hours"))), status);
    }
    async function showIsochrones(site, status) {
      clearIsochrones();
      tell(status, "Calcul des isochrones…");
      const query = new URLSearchParams({ site: site.id, mode: data.question.mode, minutes: data.question.minutes.filter((m) => m <= 60).slice(-6).join(",") });
      try {
        const found = await ask(`${API}/isochrones?${query}`);
        const features = [...found.features].sort((a, b) => b.properties.minutes - a.properties.minutes);
        for (const feature of features) {
          const colour = timeClass(feature.properties.minutes).colour;
          L.geoJSON(feature, { pane: "isochrones", className: "isochrone", interactive: false, style: { weight: 0.6, opacity: 0.7, fillColor: colour, fillOpacity: 0.92 } }).addTo(isochrones);
        }
        container.classList.add("with-isochrones");
        status.replaceChildren(el("p", {}, "Personnes qui y viennent, par temps de trajet :"), el("ul", { class: "legend" }, ...features.reverse().map((f) => {
          const swatch = el("span", { class: "swatch" });
          swatch.style.backgroundColor = timeClass(f.properties.minutes).colour;
          return el("li", {}, swatch, el("span", {}, `${minutes(f.properties.minutes)} au plus`), el("span", { class: "share" }, count(f.properties.people)));
        })));
      } catch (problem) { tell(status, problem.message, true); }
    }

    // ---- The address: the whole state of the page

    function setAddress(changes) {
      const change = (href) => {
        const url = new URL(href, location.href);
        for (const [name, value] of Object.entries(changes)) {
          if (value === null) url.searchParams.delete(name); else url.searchParams.set(name, value);
        }
        return url.pathname + url.search + url.hash;
      };
      history.replaceState(null, "", change(location.href));
      const follow = "edits" in changes ? "#tableau thead a, #fichiers a[href*='rapport.pdf']" : "#tableau thead a";
      document.querySelectorAll(follow).forEach((a) => { a.setAttribute("href", change(a.getAttribute("href"))); });
      for (const [name, value] of Object.entries(changes)) {
        byId("question").querySelectorAll(`input[type=hidden][name="${name}"]`).forEach((input) => input.remove());
        if (value !== null) byId("question").append(el("input", { type: "hidden", name, value }));
      }
    }

    // ---- Points picked on the map

    function pick(act, pressed) {
      picking = act;
      container.classList.toggle("picking", Boolean(act));
      for (const each of [byId("points-carte"), byId("si-attente")]) each.removeAttribute("aria-pressed");
      byId("points-carte").setAttribute("aria-pressed", String(pressed === "points"));
      byId("si-attente").textContent = pressed === "si" ? "Cliquez sur la carte, à l'endroit voulu (Échap pour renoncer)." : "";
      if (act) container.scrollIntoView({ block: "nearest", behavior: reduced ? "auto" : "smooth" });
    }
    function picked(at) {
      const wrapped = at.wrap();
      picking({ longitude: Number(wrapped.lng.toFixed(5)), latitude: Number(wrapped.lat.toFixed(5)) });
    }
    addEventListener("keydown", (event) => { if (event.key === "Escape" && picking) pick(null); });
    function place(code) {
      const [x, y] = communeByCode.get(code).at;
      return { longitude: x / data.scale, latitude: y / data.scale };
    }

    // ---- What if

    let edits = [];
    const siteName = (id) => { const s = siteById.get(id); return s ? `${s.name}${s.town ? ` (${s.town})` : ""}` : id; };
    const sorted = [...data.sites].sort((a, b) => `${a.town} ${a.name}`.localeCompare(`${b.town} ${b.name}`, "fr"));
    byId("si-lieu").append(...sorted.map((s) => el("option", { value: s.id }, `${s.town || "?"} — ${s.name}`)));
    const spoken = {
      open: (e) => `Ouvrir « ${e.name} »${e.horaires ? `, ${e.horaires}` : ""}`,
      close: (e) => `Fermer ${siteName(e.site)}`,
      move: (e) => `Déplacer ${siteName(e.site)}`,
      hours: (e) => `Ouvrir ${siteName(e.site)} : ${e.horaires}`,
    };
    function shape() {
      const action = byId("si-action").value;
      document.querySelectorAll("#si [data-for]").forEach((part) => { part.hidden = !part.dataset.for.split(" ").includes(action); });
      byId("si-horaires").required = action === "hours";
    }
    byId("si-action").addEventListener("change", () => { shape(); pick(null); });
    byId("si").addEventListener("submit", (event) => {
      event.preventDefault();
      const action = byId("si-action").value, site = byId("si-lieu").value;
      const edit = { action };
      const hours = byId("si-horaires").value.trim();
      if (action === "open") Object.assign(edit, opening(byId("si-nom").value.trim() || "Nouveau lieu")); else edit.site = site;
      if (action === "hours") edit.horaires = hours;
      if (action === "close" || action === "hours") { addEdit(edit); return; }
      const code = byId("si-ou").value;
      if (code) addEdit({ ...edit, ...place(code) });
      else pick((at) => { pick(null); addEdit({ ...edit, ...at }); }, "si");
    });
    /** A site to open, at the hours of the form, with the facts the question asks for: unknown ones would not suit. */
    function opening(name) {
      const hours = byId("si-horaires").value.trim();
      return { action: "open", name, ...(hours && { horaires: hours }), ...(byId("si-convient")?.checked && data.suits) };
    }
    function addEdit(...more) { setEdits([...edits, ...more]); }
    function setEdits(changed) {
      edits = changed;
      setAddress({ edits: edits.length ? JSON.stringify(edits) : null });
      showEdits();
      evaluate();
    }
    function showEdits() {
      byId("si-liste").replaceChildren(...edits.map((edit, i) => el("li", {}, el("span", {}, (spoken[edit.action] ?? (() => "Changement inconnu"))(edit)), " ",
        button("Retirer", () => { setEdits(edits.filter((_, other) => other !== i)); byId("si-liste").focus(); }, { "aria-label": `Retirer : changement ${i + 1}` }))));
      if (!edits.length) byId("si-liste").replaceChildren(el("li", { class: "none" }, "Aucun pour l'instant."));
      for (const id of ["si-annuler", "si-vider", "si-exporter"]) byId(id).disabled = !edits.length;
    }
    byId("si-liste").setAttribute("tabindex", "-1");
    byId("si-annuler").addEventListener("click", () => setEdits(edits.slice(0, -1)));
    byId("si-vider").addEventListener("click", () => setEdits([]));
    byId("si-exporter").addEventListener("click", () => save("scenario.json", { edits }));
    function save(name, value) {
      const url = URL.createObjectURL(new Blob([JSON.stringify(value, null, 2)], { type: "application/json" }));
      const link = el("a", { href: url, download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    }

    let latest = 0;
    const evaluated = (some) => ask(`${API}/scenarios/evaluate`, { method: "POST", body: { edits: some, question: data.question, kind: data.kind } });
    async function evaluate() {
      const mine = ++latest, status = byId("si-etat"), result = byId("si-resultat");
      scenarioMarks.clearLayers();
      if (!edits.length) {
        tell(status, "");
        result.replaceChildren();
        state.changes = null;
        byId("couche-avant-apres").disabled = true;
        if (state.layer === "avant-apres") show("temps");
        return;
      }
      tell(status, "Calcul en cours…");
      let found;
      try { found = await evaluated(edits); } catch (problem) {
        if (mine === latest) { tell(status, problem.message, true); result.replaceChildren(); }
        return;
      }
      if (mine !== latest) return;
      const s = found.summary;
      const told = [
        s.gaining || !s.losing ? `${people(s.gaining)} de plus à ${beyond} au plus.` : "",
        s.losing ? `${people(s.losing)} de moins à ${beyond} au plus.` : "",
        `À plus de ${beyond} : ${people(s.before.people_beyond)} avant, ${count(s.after.people_beyond)} après.`,
        s.nearer ? `Plus près : ${people(s.nearer)}.` : "",
        s.farther ? `Plus loin : ${people(s.farther)}.` : "",
      ];
      tell(status, told.filter(Boolean).join(" "));
      const touched = found.territories.filter((t) => t.gaining || t.losing || t.nearer || t.farther)
        .sort((a, b) => (b.gaining - b.losing) - (a.gaining - a.losing) || (a.minutes ?? 0) - (b.minutes ?? 0));
      result.replaceChildren(touched.length
        ? table("Qui gagne, qui perd", ["Territoire", "Gagnent", "Perdent", "Temps moyen"], touched.map((t) => [t.name, count(t.gaining), count(t.losing), minutesChange(t.minutes)]))
        : el("p", {}, "Aucun territoire n'est touché."));
      state.changes = new Map(found.territories.map((t) => [t.code, t]));
      byId("couche-avant-apres").disabled = false;
      for (const feature of found.sites?.features ?? []) {
        if (!feature.geometry) continue;
        const [x, y] = feature.geometry.coordinates, { action, name } = feature.properties;
        L.circleMarker([y, x], { pane: "lieux", radius: 8, className: `place what-if ${action}` })
          .bindTooltip(() => el("span", {}, name), { className: "tip", direction: "top", opacity: 1 }).addTo(scenarioMarks);
      }
      show("avant-apres");
    }

    // ---- Saved scenarios

    const list = byId("scenarios-liste");
    byId("scenarios").addEventListener("toggle", () => { if (byId("scenarios").open) refresh(); });
    async function refresh() {
      tell(list, "Lecture…");
      try {
        const { scenarios } = await ask(`${API}/scenarios`);
        if (!scenarios.length) { tell(list, "Aucun scénario n'est enregistré."); return; }
        list.replaceChildren(el("ul", { class: "listed" }, ...scenarios.map((s) => el("li", {}, el("strong", {}, s.name), ` ${s.description ?? ""} `,
          button("Ouvrir", () => setEdits(s.edits), { "aria-label": `Ouvrir ${s.name}` }), " ",
          button("Exporter", () => save(`${s.name}.json`, s), { "aria-label": `Exporter ${s.name}` }), " ",
          el("a", { href: effects(s), "aria-label": `Effets de ${s.name} (XLSX)` }, "Effets (XLSX)"), " ",
          button("Supprimer", () => remove(s), { "aria-label": `Supprimer ${s.name}` })))),
          el("p", { class: "acts" }, button("Comparer tous les scénarios", () => compareAll(scenarios))));
      } catch (problem) { tell(list, problem.message, true); }
    }
    function effects(s) {
      const query = new URL(data.trend, location.href).searchParams;
      query.set("kind", data.kind);
      query.set("format", "xlsx");
      return `${API}/scenarios/${encodeURIComponent(s.id)}/export?${query}`;
    }
    async function compareAll(scenarios) {
      const status = byId("scenarios-etat"), rows = [];
      for (const s of scenarios) {
        tell(status, `Calcul de « ${s.name} »…`);
        try {
          const { summary } = await evaluated(s.edits);
          rows.push([s.name, count(summary.gaining), count(summary.losing), count(summary.nearer), count(summary.farther)]);
        } catch (problem) { rows.push([`${s.name} : ${problem.message}`, "—", "—", "—", "—"]); }
      }
      status.replaceChildren(table("Scénarios comparés", ["Scénario", "Gagnent", "Perdent", "Plus près", "Plus loin"], rows));
    }
    async function keyed(path, options, done) {
      const status = byId("scenarios-etat"), key = byId("scenario-cle");
      if (!key.value) { tell(status, "Donnez d'abord la clé d'accès.", true); key.focus(); return; }
      try { await ask(path, { ...options, key: key.value }); tell(status, done); refresh(); } catch (problem) { tell(status, problem.message, true); }
      key.value = "";
    }
    const remove = (s) => keyed(`${API}/scenarios/${encodeURIComponent(s.id)}`, { method: "DELETE" }, `« ${s.name} » est supprimé.`);
    byId("enregistrer").addEventListener("submit", (event) => {
      event.preventDefault();
      if (!edits.length) { tell(byId("scenarios-etat"), "Il n'y a aucun changement à enregistrer.", true); return; }
      const name = byId("scenario-nom").value.trim();
      keyed(`${API}/scenarios`, { method: "POST", body: { name, description: "", edits } }, `« ${name} » est enregistré.`);
    });

    // ---- Where next

    let points = [], job = null;
    const form = byId("ouvrir");
    function shapeSiting() {
      const model = byId("modele").value;
      byId("tournee").hidden = model !== "tour";
      byId("nombre-champ").hidden = model === "set_cover" || model === "tour";
      byId("points").hidden = form.elements.candidates.value !== "points";
      if (byId("points").hidden && picking) pick(null);
    }
    form.addEventListener("change", shapeSiting);
    function addPoint(point) { points = [...points, point]; showPoints(); }
    function showPoints() {
      pointMarks.clearLayers();
      byId("points-liste").replaceChildren(...points.map((p, i) => el("li", {}, p.name, " ", button("Retirer", () => { points = points.filter((_, other) => other !== i); showPoints(); }, { "aria-label": `Retirer ${p.name}` }))));
      for (const p of points) L.circleMarker([p.latitude, p.longitude], { pane: "lieux", radius: 6, className: "place candidate", interactive: false }).addTo(pointMarks);
    }
    byId("points-carte").addEventListener("click", () => {
      if (picking) pick(null); else pick((at) => addPoint({ name: `Point ${points.length + 1}`, ...at }), "points");
    });
    byId("points-ajouter").addEventListener("click", () => {
      const code = byId("points-commune").value;
      addPoint({ name: `Mairie de ${communeByCode.get(code).name}`, ...place(code) });
    });
    const sitingState = byId("ouvrir-etat");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      pick(null);
      const fields = new FormData(form), model = fields.get("model"), own = fields.get("candidates") === "points";
      if (own && !points.length) { tell(sitingState, "Choisissez au moins un point.", true); return; }
      const halves = fields.getAll("half_days");
      if (model === "tour" && !halves.length) { tell(sitingState, "Choisissez au moins une demi-journée.", true); return; }
      const body = { model, within_min: Number(fields.get("within_min")), candidates: own ? points : "town_halls", question: data.question, time_limit_s: 30 };
      if (model === "tour") Object.assign(body, { half_days: halves, base: fields.get("base") });
      else if (model !== "set_cover") body.p = Number(fields.get("p"));
      byId("ouvrir-resultat").replaceChildren();
      foundMarks.clearLayers();
      tell(sitingState, "Envoi du calcul…");
      const mine = job = {};
      try {
        let told = await ask(`${API}/siting`, { method: "POST", body });
        mine.id = told.id;
        byId("ouvrir-avance").hidden = false;
        while (mine === job) {
          if (!("result" in told)) told = await ask(`${API}/jobs/${mine.id}`);
          byId("ouvrir-barre").value = told.progress ?? 0;
          if (told.state === "done") { showFound(told.result); break; }
          if (told.state === "failed" || told.state === "cancelled") { tell(sitingState, told.message || "Le calcul s'est arrêté.", told.state === "failed"); break; }
          tell(sitingState, told.message || (told.state === "queued" ? "En attente…" : "Calcul en cours…"));
          await new Promise((wake) => setTimeout(wake, 600));
          told = {};
        }
      } catch (problem) { if (mine === job) tell(sitingState, problem.message, true); }
      if (mine === job) byId("ouvrir-avance").hidden = true;
    });
    byId("ouvrir-annuler").addEventListener("click", async () => {
      const id = job?.id;
      job = null;
      byId("ouvrir-avance").hidden = true;
      tell(sitingState, "Calcul arrêté.");
      if (id) try { await ask(`${API}/jobs/${id}`, { method: "DELETE" }); } catch { /* it has ended meanwhile */ }
    });
    /** « mardi matin » in OpenStreetMap's syntax. */
    function halfDay(text) {
      const [day, half] = text.split(" ");
      const code = { lundi: "Mo", mardi: "Tu", mercredi: "We", jeudi: "Th", vendredi: "Fr", samedi: "Sa" }[day];
      return `${code} ${half === "matin" ? "09:00-12:00" : "14:00-17:00"}`;
    }
    function showFound(result) {
      const best = {
        optimal: "C'est le meilleur choix possible.",
        time_limit: `Le meilleur choix trouvé dans le temps donné, à ${percent(result.gap)} au plus du meilleur possible.`,
        heuristic: "Un bon choix, sans preuve que ce soit le meilleur.",
      }[result.status] ?? "";
      tell(sitingState, [result.sites.length ? best : "Aucun lieu à proposer.", result.note].filter(Boolean).join(" "));
      const tour = result.tour ?? [], parts = [];
      const at = ({ longitude, latitude }) => ({ longitude, latitude });
      const opened = () => (tour.length
        ? tour.map((t) => ({ ...opening(`Bus, ${t.name}`), horaires: halfDay(t.half_day), ...at(t) }))
        : result.sites.map((s) => ({ ...opening(`Nouveau lieu, ${s.name}`), ...at(s) })));
      if (tour.length) parts.push(table("Semaine du bus", ["Étape", "Personnes gagnées", "Route"], tour.map((t) => [`${t.half_day} : ${t.name}`, count(t.people_gained), minutes(t.driving_min)])));
      else if (result.sites.length) parts.push(table("Lieux proposés", ["Lieu", "Rang", "Personnes gagnées", "Cumul"], result.sites.map((s) => [s.name, String(s.rank), count(s.people_gained), count(s.people_cumulated)])));
      if (result.sites.length) parts.push(el("p", { class: "acts" }, button("Et si on les ouvrait ?", () => addEdit(...opened()))));
      byId("ouvrir-resultat").replaceChildren(...parts);
      for (const s of result.sites) {
        const icon = L.divIcon({ html: el("span", {}, String(s.rank)), className: "number found", iconSize: [28, 28] });
        L.marker([s.latitude, s.longitude], { icon, pane: "lieux", keyboard: false, alt: `Proposition ${s.rank} : ${s.name}` })
          .bindTooltip(() => el("span", {}, `${s.name} : ${people(s.people_gained)} de plus`), { className: "tip", direction: "top", opacity: 1 }).addTo(foundMarks);
      }
    }

    // ---- Trend

    const evolution = byId("evolution-montrer");
    evolution.hidden = false;
    evolution.addEventListener("click", async () => {
      const place = byId("evolution-resultat");
      tell(place, "Lecture…");
      try {
        const { snapshots } = await ask(data.trend);
        if (!snapshots.length) { tell(place, "Aucun état daté n'a été gardé (portee snapshots keep)."); return; }
        place.replaceChildren(table("Les mêmes chiffres, d'une date à l'autre", ["Date", "Lieux", `À plus de ${beyond}`, "Temps médian", ...data.question.minutes.map((m) => `${minutes(m)} au plus`)],
          snapshots.map((s) => [`${longDate(s.day)} — ${s.name}`, count(s.sites), count(s.people_beyond), minutes(s.median_min), ...s.share_within.map((w) => percent(w.share))])));
      } catch (problem) { tell(place, problem.message, true); }
    });

    // ---- Controls of the map

    const choices = byId("couches");
    for (const [name, { label }] of Object.entries(layers)) {
      const input = el("input", { type: "radio", name: "vue", id: `couche-${name}`, value: name });
      input.disabled = name === "avant-apres";
      input.addEventListener("change", () => show(name));
      choices.append(el("label", {}, input, label));
    }
    let base = null, tilesSeen = false;
    map.eachLayer((layer) => { if (layer instanceof L.TileLayer) base = layer; });
    for (const [label, layer] of [["Les lieux", siteMarks], ["Les noms", names], ...(base ? [["Le fond de carte", base]] : [])]) {
      const input = el("input", { type: "checkbox" });
      input.checked = true;
      input.addEventListener("change", () => {
        if (input.checked) map.addLayer(layer); else map.removeLayer(layer);
        if (layer === base) document.documentElement.classList.toggle("with-tiles", input.checked && tilesSeen);
      });
      choices.append(el("label", {}, input, label));
    }
    base?.on("tileload", () => { tilesSeen = true; document.documentElement.classList.add("with-tiles"); });
    L.control.zoom({ zoomInTitle: "Agrandir", zoomOutTitle: "Réduire" }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    choices.hidden = false;
    byId("outils").hidden = false;
    if (matchMedia("(max-width: 899px)").matches) document.querySelector(".fold").open = false;
    const hour = byId("heure"), timed = () => { hour.disabled = ["", "maintenant", "soir"].includes(byId("slot").value); };
    byId("slot").addEventListener("change", timed);
    timed();
    shape();
    shapeSiting();

    const asked = new URLSearchParams(location.search);
    show(layers[asked.get("couche")] && asked.get("couche") !== "avant-apres" ? asked.get("couche") : "temps", { remember: false });
    if (asked.get("edits")) {
      try { edits = JSON.parse(asked.get("edits")); } catch { edits = null; }
      if (!Array.isArray(edits)) { edits = []; tell(byId("si-etat"), "Les changements de cette adresse sont illisibles.", true); }
      if (edits.length) evaluate();
    }
    showEdits();
    document.documentElement.dataset.ready = "true";
  }

  window.portee = { draw };
})();
