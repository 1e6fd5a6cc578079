const [, , command = ""] = process.argv;

if (command === "generate" || command === "compile") await import("./generate-compile.ts");
else if (command === "review" || command === "demo") {
  process.argv.splice(2, 1);
  await (command === "review" ? import("./review.ts") : import("./demo.ts"));
} else await import("./warehouse.ts");
