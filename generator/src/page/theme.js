// What a reader chose stays chosen; a browser that keeps nothing for files follows the system.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "dark" || theme === "light") document.documentElement.style.colorScheme = theme;
} catch {}
