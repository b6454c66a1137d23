// The link's code stands after the #, which no server sees: here it is written into the form, and leaves the address bar.
const code = document.getElementById("code");
if (code instanceof HTMLInputElement && location.hash.length > 1) {
  code.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  document.getElementById("password")?.focus();
}
