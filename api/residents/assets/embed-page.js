// Sends the height of this page, a number and nothing else, to the page around the frame.
"use strict";
(() => {
  if (window.parent !== window) {
    new ResizeObserver(() => {
      parent.postMessage({ portee: "height", height: Math.ceil(document.documentElement.getBoundingClientRect().height) }, "*");
    }).observe(document.documentElement);
  }
  // A site chosen on the map is highlighted in the list.
  addEventListener("message", (event) => {
    if (event.origin !== location.origin || typeof event.data?.site !== "string") return;
    document.querySelectorAll(".card.lit").forEach((card) => card.classList.remove("lit"));
    document.getElementById(event.data.site)?.classList.add("lit");
  });
})();
