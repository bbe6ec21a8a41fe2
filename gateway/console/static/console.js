// What several pages have: copying a secret, and asking before something is done that cannot be undone.
// Without script a secret can be selected, and the server asks on a page of its own.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue; // a page of plain http on another machine
  button.hidden = false;
  button.addEventListener("click", async () => {
    const said = button.textContent;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = said; }, 2000);
  });
}

// A secret's page came of a form: loading it again would make another one.
const once = document.querySelector("[data-once]");
if (once) history.replaceState(null, "", once.dataset.once);

const dialog = document.getElementById("confirm");
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-confirm]");
  if (!form || !dialog) return;
  event.preventDefault();
  dialog.querySelector("[data-question]").textContent = form.dataset.confirm;
  dialog.onclose = () => {
    if (dialog.returnValue !== "yes") return;
    const said = Object.assign(document.createElement("input"), { type: "hidden", name: "confirmed", value: "1" });
    form.append(said);
    form.submit();
  };
  dialog.returnValue = "";
  dialog.showModal();
});

for (const select of document.querySelectorAll("select[data-submit]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}
