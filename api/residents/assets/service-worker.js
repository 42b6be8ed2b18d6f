// Caches the last answer and the last pages of sites for use without a network, with their age.
// Pages whose address contains a position, and embedded pages, are never cached.
"use strict";
const SHELL = "portee-files-%VERSION%";
const PAGES = "portee-pages-%VERSION%";
const FILES = "%FILES%";
const LAST = "/?derniere-reponse";
const SITES_KEPT = 20;
const PATIENCE_MS = 8000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  const others = (names) => names.filter((name) => name.startsWith("portee-") && name !== SHELL && name !== PAGES);
  event.waitUntil(
    caches.keys().then((names) => Promise.all(others(names).map((name) => caches.delete(name)))).then(() => self.clients.claim()),
  );
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && request.destination === "document") {
    const site = url.pathname.startsWith("/lieux/") && url.pathname !== "/lieux/carte" && !url.pathname.endsWith(".pdf");
    const key = url.pathname === "/" ? LAST : site ? url.pathname : "";
    if (key) event.respondWith(page(event, url, key));
  } else if (url.pathname.startsWith("/static/pages/") || url.pathname === "/favicon.ico") {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  }
});

async function page(event, url, key) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    // Fetched by address, because a navigation request cannot be aborted.
    const answer = await fetch(url, { signal: patience.signal, redirect: "manual", headers: { Accept: "text/html" } });
    if (answer.ok && keeps(url, key)) event.waitUntil(keep(key, answer.clone()));
    return answer;
  } catch {
    return (await kept(key)) ?? (await caches.match(FILES[0])) ?? Response.error();
  } finally {
    clearTimeout(timer);
  }
}

// Cache an answer, not the empty form, and never a page that contains a position.
function keeps(url, key) {
  if (url.searchParams.has("pos")) return false;
  return key !== LAST || url.searchParams.has("ou") || url.searchParams.has("lieu");
}

async function keep(key, answer) {
  const headers = new Headers({ "Content-Type": "text/html; charset=utf-8", "Portee-Kept": new Date().toISOString() });
  const policy = answer.headers.get("Content-Security-Policy");
  if (policy) headers.set("Content-Security-Policy", policy);
  const cache = await caches.open(PAGES);
  await cache.put(key, new Response(await answer.text(), { headers }));
  const sites = (await cache.keys()).filter((request) => new URL(request.url).pathname !== "/");
  await Promise.all(sites.slice(0, -SITES_KEPT).map((request) => cache.delete(request)));
}

// A cached page starts with the date it was cached, in its own language.
async function kept(key) {
  const answer = await (await caches.open(PAGES)).match(key);
  if (!answer) return null;
  const body = await answer.text();
  const language = /<html lang="(\w+)"/.exec(body)?.[1] ?? "fr";
  const when = new Date(answer.headers.get("Portee-Kept")).toLocaleString(language, { dateStyle: "full", timeStyle: "short" });
  const told = body.replace('id="hors-ligne" hidden>', 'id="hors-ligne">').replace("%KEPT%", when);
  return new Response(told, { headers: answer.headers });
}
