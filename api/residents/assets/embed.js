// Portée: inserts the list and the map of digital help after this script. Stores nothing, requests nothing else.
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script) return;
  const home = new URL(script.src).origin, query = new URLSearchParams({ v: "1" });
  const whole = "territoire vue centre zoom couleur logo titre ou lieu pos mots quand mode n lang".split(" ");
  const lists = "besoin prix pass fauteuil reseau comment public aide contact programme label structure".split(" ");
  for (const name of whole) if (script.dataset[name]) query.set(name, script.dataset[name]);
  for (const name of lists) for (const code of (script.dataset[name] || "").split(/[\s,]+/)) if (code) query.append(name, code);
  const frame = document.createElement("iframe");
  frame.src = `${home}/embed?${query}`;
  frame.title = script.dataset.titre || (script.dataset.lang === "en" ? "Help with digital tools near you" : "Aide au numérique près de chez vous");
  frame.referrerPolicy = "no-referrer";
  Object.assign(frame.style, { display: "block", width: "100%", height: "720px", border: "0" });
  // Only messages from our own frame are accepted, and only a height.
  addEventListener("message", ({ source, origin, data }) => {
    if (source !== frame.contentWindow || origin !== home || !data || data.portee !== "height") return;
    const height = Math.ceil(data.height);
    if (height >= 100 && height <= 30000) frame.style.height = `${height}px`;
  });
  if (script.closest("head")) document.addEventListener("DOMContentLoaded", () => document.body.append(frame));
  else script.after(frame);
})();
