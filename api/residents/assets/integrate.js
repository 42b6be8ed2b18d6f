// Updates the code and its preview with the form, and copies the code. Without scripts, the form's button does it.
"use strict";
(() => {
  const form = document.getElementById("reglages"), state = document.getElementById("etat");
  const result = document.getElementById("resultat");
  let asking = null, timer = 0;
  const ready = () => {
    for (const button of result.querySelectorAll("[data-copies]")) button.hidden = false;
  };
  const follow = async () => {
    asking?.abort();
    asking = new AbortController();
    const asked = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const address = `${form.action}?${asked}`;
    try {
      const answer = await fetch(address, { signal: asking.signal });
      if (!answer.ok) return;
      const made = new DOMParser().parseFromString(await answer.text(), "text/html");
      result.replaceChildren(...made.getElementById("resultat").childNodes);
      state.textContent = [...made.querySelectorAll(".problem")].map((problem) => problem.textContent).join(" ");
      history.replaceState(null, "", address);
      ready();
    } catch { /* superseded or offline: the form works without scripts */ }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(follow, 350);
  });
  result.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-copies]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copies);
    text.select();
    try { await navigator.clipboard.writeText(text.value); } catch { document.execCommand("copy"); }
    state.textContent = button.dataset.done;
    button.firstChild.textContent = button.dataset.done;
  });
  ready();
  document.documentElement.dataset.ready = "true";
})();
