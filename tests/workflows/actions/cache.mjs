// actions/cache: found by key, or by the newest whose key begins as one of restore-keys does; kept after a job that went
// well where the key was not there. `node cache.mjs` restores, `node cache.mjs save` keeps.
import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { below, inputs, put, state } from "./common.mjs";

const given = inputs("actions/cache", ["path", "key", "restore-keys"]);
const home = join(state, "cache");
const paths = given.path.split("\n").map((one) => one.trim()).filter(Boolean);
const place = (key, number) => join(home, encodeURIComponent(key), String(number));
mkdirSync(home, { recursive: true });
const age = (name) => -statSync(join(home, name)).mtimeMs;
const keys = readdirSync(home).sort((one, other) => age(one) - age(other)).map(decodeURIComponent);
if (process.argv[2] !== "save") {
  const begins = (given["restore-keys"] || "").split("\n").map((one) => one.trim()).filter(Boolean);
  const near = begins.map((start) => keys.find((key) => key.startsWith(start))).find(Boolean);
  const found = keys.includes(given.key) ? given.key : near;
  if (found !== undefined) {
    paths.forEach((path, number) => {
      if (existsSync(place(found, number))) cpSync(place(found, number), below(path), { recursive: true });
    });
  }
  put("GITHUB_OUTPUT", "cache-hit", found === undefined ? "" : found === given.key);
  put("GITHUB_OUTPUT", "cache-matched-key", found ?? "");
} else if (!keys.includes(given.key)) {
  paths.forEach((path, number) => {
    if (!existsSync(below(path))) return;
    mkdirSync(dirname(place(given.key, number)), { recursive: true });
    cpSync(below(path), place(given.key, number), { recursive: true });
  });
}
