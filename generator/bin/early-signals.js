// Until a command minds signals itself, an interrupt ends it at once, as it has changed nothing yet; to load its modules takes a second.
const SIGNALS = ["SIGINT", "SIGTERM"];

function end() {
  process.stderr.write(`${process.argv[2] ?? "user-info-updater"}: interrupted; nothing was changed\n`);
  process.exit(1);
}

function giveWay(event, listener) {
  if (!SIGNALS.includes(event) || listener === end) return;
  process.off("newListener", giveWay);
  // The other is added after this, and no signal comes between.
  queueMicrotask(() => {
    for (const signal of SIGNALS) process.off(signal, end);
  });
}

for (const signal of SIGNALS) process.on(signal, end);
process.on("newListener", giveWay);
