// The theme's button, and the buttons that copy a command.
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const now =
        root.style.colorScheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
      root.style.colorScheme = now === "dark" ? "light" : "dark";
      try {
        localStorage.setItem("theme", root.style.colorScheme);
      } catch {}
    });
  }
  for (const block of document.querySelectorAll("pre[data-copy]")) {
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = "copy";
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(block.querySelector("code").textContent);
        copy.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(block.querySelector("code"));
        copy.textContent = "selected";
      }
      setTimeout(() => {
        copy.textContent = "copy";
      }, 1500);
    });
    block.append(copy);
  }
})();
