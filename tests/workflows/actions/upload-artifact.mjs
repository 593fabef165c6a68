// actions/upload-artifact: one file or folder, kept for the other jobs of the run; a name can be taken once.
import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { below, fail, inputs, put, state } from "./common.mjs";

const given = inputs("actions/upload-artifact", ["name", "path", "if-no-files-found", "retention-days"]);
const from = below(given.path);
const kept = join(state, "artifacts", process.env.GITHUB_RUN_ID, given.name);
if (/[*?[\]!\n]/.test(given.path)) fail("the stand-in for actions/upload-artifact takes one file or folder");
const files = existsSync(from) ? (statSync(from).isDirectory() ? readdirSync(from).map((one) => join(from, one)) : [from]) : [];
const shown = files.filter((one) => !basename(one).startsWith("."));
if (!shown.length && given["if-no-files-found"] === "error") fail(`No files were found with the provided path: ${from}`);
if (existsSync(kept)) fail(`an artifact with the name ${given.name} is already there`);
if (shown.length) {
  mkdirSync(kept, { recursive: true });
  for (const one of shown) cpSync(one, join(kept, basename(one)), { recursive: true });
  put("GITHUB_OUTPUT", "artifact-id", "1");
}
