// The filter over a long list of teams: every word must be in a team's entry. Without a script the list is whole.
(() => {
  const field = document.getElementById("filter");
  const entries = [...document.querySelectorAll("#teams > li")];
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  const texts = entries.map((entry) => plain(entry.textContent));
  const told = document.getElementById("filtered");
  const show = () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    let count = 0;
    entries.forEach((entry, n) => {
      entry.hidden = !words.every((word) => texts[n].includes(word));
      count += !entry.hidden;
    });
    told.textContent = words.length ? `${count} / ${entries.length}` : "";
  };
  field.closest("p").hidden = false;
  field.addEventListener("input", show);
  show();
})();
