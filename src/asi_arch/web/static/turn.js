// Following links and forms without loading everything anew: what differs is fetched and put in its place.
// The tree has a script and listeners of its own, so that it is always loaded and left as a whole.
"use strict";

{
  const PARTS = ["main", "pages", "activity"];
  const withoutHash = (address) => address.href.split("#")[0];
  const isTree = (page) => page.querySelector('script[src="/static/tree.js"]') !== null;
  let shown = withoutHash(location);
  let turns = 0;

  function keepPlace() {
    history.replaceState({ top: scrollY }, "");
  }

  function settle(hash, top) {
    const aim = hash && document.getElementById(hash.slice(1));
    if (aim) aim.scrollIntoView();
    else scrollTo(0, top);
  }

  async function fetched(address) {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.headers.get("Content-Type")?.startsWith("text/html")) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return PARTS.every((id) => page.getElementById(id)) && !isTree(page) ? { page, url: new URL(answer.url) } : null;
  }

  async function turn(address, isBack) {
    const mine = ++turns;
    document.body.setAttribute("aria-busy", "true");
    let found = null;
    try { found = await fetched(address); } catch { /* as without this script, which shows what is wrong */ }
    if (mine !== turns) return;
    document.body.removeAttribute("aria-busy");
    if (!found) {
      if (isBack) location.reload();
      else location.assign(address);
      return;
    }
    if (!isBack) {
      keepPlace();
      history.pushState({ top: 0 }, "", found.url.href.split("#")[0] + address.hash);
    }
    shown = withoutHash(location);
    document.title = found.page.title;
    for (const id of PARTS) document.getElementById(id).replaceWith(document.adoptNode(found.page.getElementById(id)));
    document.getElementById("find").value = "";
    document.getElementById("main").focus({ preventScroll: true });
    settle(location.hash, isBack ? history.state?.top ?? 0 : 0);
  }

  if (!isTree(document)) {
    history.scrollRestoration = "manual";
    addEventListener("pagehide", keepPlace);
    if (history.state?.top) settle("", history.state.top);

    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[href]");
      const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
      if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
      const address = new URL(link.href);
      if (address.origin !== location.origin || (address.hash && withoutHash(address) === shown)) return;
      event.preventDefault();
      turn(address, false);
    });

    document.addEventListener("submit", (event) => {
      const form = event.target;
      if (event.defaultPrevented || form.method !== "get" || !form.hasAttribute("action")) return;
      const address = new URL(form.getAttribute("action"), location.href);
      address.search = new URLSearchParams(new FormData(form, event.submitter));
      event.preventDefault();
      turn(address, false);
    });

    addEventListener("popstate", () => {
      if (withoutHash(location) !== shown) turn(new URL(location.href), true);
    });
  }
}
