// The parser imports its schema as plain JSON, which Node refuses without an attribute; this serves the file as a module.
import { readFile } from "node:fs/promises";

export async function load(url, context, next) {
  if (!url.endsWith(".json")) return next(url, context);
  return { format: "module", shortCircuit: true, source: `export default ${await readFile(new URL(url), "utf8")};` };
}
