/* Portée: figures as French text, by the rules of geo/wording (docs/wording.md). A test runs these functions
   and those of Python over one table: a rule changes in both, or nowhere. */
(() => {
  "use strict";

  const NO_FIGURE = "—", OUT_OF_REACH = "hors d'atteinte";
  const MONTHS = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];
  const missing = (value) => value === null || value === undefined || !Number.isFinite(value);

  /** Halves away from zero, with the arithmetic of `round_half_up` in Python. */
  function round(value, decimals = 0) {
    const power = 10 ** decimals, rounded = Math.floor(Math.abs(value) * power + 0.5) / power;
    return value < 0 ? -rounded : rounded;
  }
  function digits(value, decimals = 0) {
    const rounded = round(value, decimals);
    const [whole, rest] = Math.abs(rounded).toFixed(decimals).split(".");
    const text = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") + (rest ? `,${rest}` : "");
    return rounded < 0 ? `−${text}` : text;
  }
  const trimmed = (value, decimals) => (decimals ? digits(value, decimals).replace(/,?0+$/, "") : digits(value));

  const count = (value) => (missing(value) ? NO_FIGURE : digits(value));
  const plural = (one, several, value) => (Math.abs(value) < 2 ? one : several);
  /** "%n" is the number. */
  const counted = (one, several, value) => plural(one, several, round(value)).replace("%n", digits(value));
  function people(value) {
    if (value <= 0) return "aucune personne";
    return round(value) < 1 ? "moins d'une personne" : counted("%n personne", "%n personnes", value);
  }
  /** A travel time; null is out of reach. */
  function minutes(value) {
    if (missing(value)) return OUT_OF_REACH;
    if (value < 1) return "moins d'une minute";
    const whole = round(value), hours = Math.floor(whole / 60), rest = whole % 60;
    if (!hours) return `${rest}\u00a0min`;
    return `${hours}\u00a0h${rest ? `\u00a0${String(rest).padStart(2, "0")}` : ""}`;
  }
  function minutesChange(value) {
    if (missing(value)) return NO_FIGURE;
    return `${round(value, 1) > 0 ? "+" : ""}${trimmed(value, 1)}\u00a0min`;
  }
  function percentText(exact, whole) {
    if (whole === 0 && exact > 0) return "moins de 1\u00a0%";
    if (whole === 100 && exact < 100 - 1e-9) return "plus de 99\u00a0%";
    return `${digits(whole)}\u00a0%`;
  }
  const percent = (share) => (missing(share) ? NO_FIGURE : percentText(share * 100, round(share * 100)));
  /** Parts of one whole in whole per cent that sum to 100: largest remainders, parts below half a per cent last. */
  function percents(values) {
    const total = values.reduce((sum, value) => sum + value, 0);
    if (!total) return values.map(() => NO_FIGURE);
    const exact = values.map((value) => (100 * value) / total);
    const shares = exact.map((each) => Math.floor(each + 1e-9));
    const left = 100 - shares.reduce((sum, share) => sum + share, 0);
    const rest = (at) => exact[at] - shares[at];
    const order = exact.map((_, at) => at).sort((a, b) =>
      (exact[a] < 0.5) - (exact[b] < 0.5) || rest(b) - rest(a) || exact[b] - exact[a] || a - b);
    for (const at of order.slice(0, left)) shares[at] += 1;
    return exact.map((each, at) => percentText(each, shares[at]));
  }
  function decimal(value) {
    if (missing(value)) return NO_FIGURE;
    if (value > 0 && value < 0.0005) return "moins de 0,001";
    const size = Math.abs(value);
    return trimmed(value, size >= 100 ? 0 : size >= 1 ? 1 : size >= 0.1 ? 2 : 3);
  }
  /** A date in full, from its first ten characters: "2026-03-01" reads "1er mars 2026". */
  function longDate(iso) {
    const [year, month, day] = iso.slice(0, 10).split("-").map(Number);
    return `${day === 1 ? "1er" : day} ${MONTHS[month - 1]} ${year}`;
  }

  globalThis.porteeFigures = { count, counted, decimal, longDate, minutes, minutesChange, people, percent, percents, plural };
})();
