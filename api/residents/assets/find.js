// Suggestions, « près de moi », and the map beside the list. The page works without all three.
"use strict";
(() => {
  const field = document.getElementById("ou");
  const chosen = document.getElementById("lieu");
  const list = document.getElementById("propositions");
  const form = field.form;

  // ---- Suggestions: a combobox with a list, as WAI-ARIA describes it.
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-expanded", "false");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-autocomplete", "list");
  let places = [], at = -1, timer = 0, asking = null;

  const close = () => {
    list.hidden = true;
    at = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const mark = (next) => {
    at = next;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    if (at < 0) return field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-activedescendant", list.children[at].id);
    list.children[at].scrollIntoView({ block: "nearest" });
  };
  const choose = (place) => {
    field.value = place.label;
    chosen.value = place.id;
    close();
    form.requestSubmit();
  };
  const show = (found) => {
    places = found;
    list.replaceChildren(...found.map((place, i) => {
      const item = document.createElement("li");
      item.id = `proposition-${i}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.textContent = place.label;
      if (place.context) {
        const more = document.createElement("small");
        more.textContent = place.context;
        item.append(more);
      }
      item.addEventListener("mousedown", (event) => event.preventDefault());
      item.addEventListener("click", () => choose(place));
      return item;
    }));
    list.hidden = !found.length;
    field.setAttribute("aria-expanded", String(found.length > 0));
    at = -1;
    field.removeAttribute("aria-activedescendant");
  };
  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(`/api/v1/places?limit=6&q=${encodeURIComponent(field.value.trim())}`, { signal: asking.signal });
      if (answer.ok) show((await answer.json()).places);
    } catch { /* offline or superseded: the form works without suggestions */ }
  };
  field.addEventListener("input", () => {
    chosen.value = "";
    clearTimeout(timer);
    if (field.value.trim().length < 2) return close();
    timer = setTimeout(ask, 180);
  });
  field.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const last = places.length - 1;
    if (event.key === "ArrowDown") mark(at >= last ? 0 : at + 1);
    else if (event.key === "ArrowUp") mark(at <= 0 ? last : at - 1);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" && at >= 0) choose(places[at]);
    else return;
    event.preventDefault();
  });
  field.addEventListener("blur", () => setTimeout(close, 150));
  form.addEventListener("submit", () => {
    asking?.abort();
    clearTimeout(timer);
    // Empty fields are left out of the address, which may be shared.
    for (const control of form.elements) if (control.name && !control.value) control.disabled = true;
  });
  window.addEventListener("pageshow", () => {
    for (const control of form.elements) if (control.name !== "pos") control.disabled = false;
  });

  // ---- Near me: the position is sent in the address of one page only.
  if ("geolocation" in navigator && window.isSecureContext) {
    const button = document.getElementById("pres-de-moi");
    const state = document.getElementById("position-etat");
    button.hidden = false;
    button.addEventListener("click", () => {
      state.textContent = button.dataset.searching;
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          const kept = new URLSearchParams(new FormData(form));
          for (const name of ["ou", "lieu", "pos"]) kept.delete(name);
          for (const [name, value] of [...kept]) if (!value) kept.delete(name, value);
          kept.set("pos", `${coords.latitude.toFixed(3)},${coords.longitude.toFixed(3)}`);
          location.assign(`/?${kept}`);
        },
        () => {
          state.textContent = button.dataset.refused;
          field.focus();
        },
        { timeout: 10000, maximumAge: 60000 },
      );
    });
  }

  // ---- The map: same data in a frame, loaded at once on wide screens and on request elsewhere.
  const link = document.getElementById("voir-carte");
  if (link) {
    const open = () => {
      const frame = document.createElement("iframe");
      frame.src = link.href;
      frame.title = document.getElementById("carte-titre").textContent;
      frame.loading = "lazy";
      link.parentElement.replaceWith(frame);
      return frame;
    };
    const wide = matchMedia("(min-width: 62rem)");
    if (wide.matches) addEventListener("load", () => setTimeout(open, 50));
    else link.addEventListener("click", (event) => {
      event.preventDefault();
      open().focus();
    });
  }
  // A site chosen on the map is highlighted in the list.
  addEventListener("message", (event) => {
    if (event.origin !== location.origin || typeof event.data?.site !== "string") return;
    document.querySelectorAll(".card.lit").forEach((card) => card.classList.remove("lit"));
    const card = document.getElementById(event.data.site);
    card?.classList.add("lit");
    card?.scrollIntoView({ block: "nearest" });
  });

  if ("serviceWorker" in navigator) addEventListener("load", () => navigator.serviceWorker.register("/service-worker.js"));
})();
