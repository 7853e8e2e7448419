// What every page does: theme, copying, keys, and renewing itself when the campaign moves on.
"use strict";

const RENEW_EVERY_MS = 2000;

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function changeTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  document.dispatchEvent(new Event("themechange"));
}

async function copy(button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy by hand";
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.copy !== undefined) copy(button);
  if (button?.dataset.themeButton !== undefined) changeTheme();
});

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input, select, textarea");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("find")?.focus();
  }
  const neighbour = { j: "next", k: "prev" }[event.key];
  if (neighbour) document.querySelector(`main a[rel="${neighbour}"]`)?.click();
});

// Every part with an id and `data-live` is replaced by what the server makes of it now.
async function renew() {
  const address = location.href;
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (location.href !== address) return;
  for (const part of document.querySelectorAll("[data-live]")) {
    const renewed = fresh.getElementById(part.id);
    if (renewed && renewed.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) {
      part.replaceWith(document.adoptNode(renewed));
    }
  }
  document.dispatchEvent(new Event("renewed"));
}

{
  let isWaiting = false;
  let last = 0;
  let isFirst = true;
  const soon = () => {
    if (isWaiting) return;
    isWaiting = true;
    setTimeout(async () => {
      isWaiting = false;
      if (document.hidden) return;
      last = Date.now();
      try { await renew(); } catch { /* the server is gone; the lamp says so */ }
    }, Math.max(0, last + RENEW_EVERY_MS - Date.now()));
  };
  const events = new EventSource("/live");
  events.addEventListener("moved", () => {
    document.body.classList.remove("cut-off");
    if (!isFirst) soon();
    isFirst = false;
  });
  events.addEventListener("error", () => document.body.classList.add("cut-off"));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
}
