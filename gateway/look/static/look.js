// What every page has: times in the reader's own zone, and a theme that changes without loading the page again.
const wording = document.documentElement.lang;
const forms = {
  second: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  hour: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
};

export function localise(root = document) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const when = new Date(time.dateTime);
    const year = when.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
    time.title ||= time.textContent;
    time.textContent = new Intl.DateTimeFormat(wording, { ...forms[time.dataset.form ?? "second"], ...year }).format(when);
  }
}

function chooseTheme(event) {
  const link = event.target.closest("[data-theme-choice]");
  if (!link) return;
  event.preventDefault();
  const theme = link.dataset.themeChoice;
  document.documentElement.dataset.theme = theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `fidox_theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  for (const other of document.querySelectorAll("[data-theme-choice]")) {
    if (other === link) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  }
}

localise();
document.addEventListener("click", chooseTheme);
// On a phone the navigation is a strip; the page one is on should be in sight.
document.querySelector(".side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
