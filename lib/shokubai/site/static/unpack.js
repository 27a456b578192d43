// Puts plotly, which is most of the page, in the place of its compressed form, before anything else runs.
const packed = document.getElementById("plotly");
const bytes = Uint8Array.from(atob(packed.textContent), (character) => character.charCodeAt(0));
const plotly = document.createElement("script");
plotly.textContent = new TextDecoder().decode(inflate(bytes, new Uint8Array(Number(packed.dataset.bytes))));
packed.replaceWith(plotly);
