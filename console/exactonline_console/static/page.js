// Instants in the zone of the reader, in every part of the page, also in those that come later.
(function () {
  "use strict";
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" });
  const time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false });
  const exact = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

  function localize(root) {
    root.querySelectorAll("time[data-as]").forEach((element) => {
      const instant = new Date(element.dateTime);
      if (!element.title) element.title = element.textContent;
      element.textContent = element.dataset.as === "clock"
        ? exact.format(instant)
        : `${day.format(instant)} ${time.format(instant)}`;
    });
  }

  localize(document);
  document.addEventListener("htmx:load", (event) => localize(event.detail.elt.parentElement || document));
})();

// Filter and tick the list of companies; without it the list works too, a tick at a time.
(function () {
  "use strict";
  const tools = document.querySelector("[data-tools]");
  if (!tools) return;
  const filter = tools.querySelector("[data-filter]");
  const table = document.getElementById(filter.dataset.filter);
  const rows = Array.from(table.tBodies[0].rows);
  const box = (row) => row.querySelector("input[type=checkbox]");
  const source = document.querySelector("select[name=source]");

  function count() {
    tools.querySelector("[data-count]").textContent = rows.filter((row) => box(row).checked).length;
  }

  function isSource(row) {
    return source.value === box(row).value;
  }

  function show() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach((row) => {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    });
  }

  tools.hidden = false;
  filter.addEventListener("input", show);
  filter.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  tools.querySelectorAll("[data-tick]").forEach((button) => {
    button.addEventListener("click", () => {
      const wanted = button.dataset.tick === "all";
      rows.filter((row) => !row.hidden && !(wanted && isSource(row)) && !box(row).disabled).forEach((row) => {
        box(row).checked = wanted;
      });
      count();
    });
  });
  table.addEventListener("change", count);
  source.addEventListener("change", () => {
    rows.filter(isSource).forEach((row) => { box(row).checked = false; });
    count();
  });
  count();
})();

// The list of what waits, by keyboard: j and k move, x ticks, a presses the button that approves or ties.
(function () {
  "use strict";
  const form = document.querySelector("[data-list]");
  if (!form) return;
  const boxes = Array.from(form.querySelectorAll("input[name=item]"));
  const all = form.querySelector("[data-all]");
  let at = -1;

  all.hidden = false;
  form.querySelector("[data-keys]").hidden = false;
  all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input:not([type=checkbox]):not([type=radio]), select, textarea");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j" || event.key === "k") {
      at = Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), boxes.length - 1);
      boxes[at].focus();
    } else if (event.key === "x" && boxes[at]) {
      boxes[at].checked = !boxes[at].checked;
    } else if (event.key === "a") {
      const button = form.querySelector("[data-key=a]");
      if (button) button.click();
    } else {
      return;
    }
    event.preventDefault();
  });
})();
