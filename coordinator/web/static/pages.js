// SPDX-License-Identifier: Apache-2.0
// Keeps a page as new as the log: it hears that something was appended, loads its own address again and
// takes over the parts that differ.  Without it the page is the same, once loaded again.
"use strict";
(() => {
  const source = document.body.dataset.live;
  if (!source) return;
  const AT_MOST_EVERY = 1000, AFTER_AN_ERROR = 10000;
  const atLeastEvery = () => Number(document.body.dataset.every) || 60000;
  const news = document.getElementById("news");
  let loading = false, again = false, last = 0, timer = 0, tag = "";

  const soon = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(load, wait);
  };

  const load = () => {
    if (loading) { again = true; return; }
    loading = true;
    const request = new XMLHttpRequest();
    request.responseType = "document"; // parsed, never run; and no text of it ever becomes a script
    request.timeout = 15000;
    request.onloadend = () => {
      loading = false;
      last = Date.now();
      const page = request.status === 200 ? request.response : null;
      if (page) take(page);
      soon(again ? AT_MOST_EVERY : page ? atLeastEvery() : AFTER_AN_ERROR);
      again = false;
    };
    request.open("GET", location.href);
    request.send();
  };

  const take = (page) => {
    for (const part of document.querySelectorAll("[data-part]")) {
      const newer = page.getElementById(part.id);
      if (!newer || newer.isEqualNode(part)) continue;
      const focused = part.contains(document.activeElement) ? document.activeElement : null;
      const open = new Set([...part.querySelectorAll("details[open]")].map((each) => each.id));
      const adopted = document.importNode(newer, true);
      for (const each of adopted.querySelectorAll("details")) each.open ||= open.has(each.id);
      const told = part.dataset.told !== undefined && adopted.dataset.told !== part.dataset.told;
      if (told) adopted.classList.add("fresh");
      part.replaceWith(adopted);
      if (focused && focused.id) document.getElementById(focused.id)?.focus({ preventScroll: true });
      if (told) news.textContent = adopted.dataset.told;
    }
    document.body.dataset.every = page.body.dataset.every ?? "";
    document.title = page.title;
  };

  const heard = (event) => {
    if (event.data === tag) return;
    const first = tag === "";
    tag = event.data;
    if (!first) soon(Math.max(0, AT_MOST_EVERY - (Date.now() - last)));
  };

  const stream = new EventSource(source);
  stream.addEventListener("news", heard);
  stream.addEventListener("open", () => document.documentElement.classList.add("is-live"));
  stream.addEventListener("error", () => {
    document.documentElement.classList.remove("is-live");
    if (stream.readyState === EventSource.CLOSED) soon(AFTER_AN_ERROR);
  });
  addEventListener("pageshow", (event) => { if (event.persisted) load(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(0); });
  soon(atLeastEvery());
})();
