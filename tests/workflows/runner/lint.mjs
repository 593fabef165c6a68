// node lint.mjs FILE...: what GitHub's language service finds in workflows and actions, one line each; ends with 1 then.
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";

register("./hook.mjs", import.meta.url);
const { validate } = await import("@actions/languageservice");
const { TextDocument } = await import("vscode-languageserver-textdocument");

// its lists of what events carry lack merge_group
const WRONG = new Set(["validate.yml: Context access might be invalid: merge_group"]);

for (const file of process.argv.slice(2)) {
  const document = TextDocument.create(pathToFileURL(resolve(file)).href, "yaml", 1, readFileSync(file, "utf8"));
  for (const { range, message } of await validate(document)) {
    if (WRONG.has(`${basename(file)}: ${message}`)) continue;
    console.log(`${file}:${range.start.line + 1}: ${message}`);
    process.exitCode = 1;
  }
}
