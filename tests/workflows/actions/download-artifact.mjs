// actions/download-artifact: what a job of this run, or of the one that is named, has uploaded.
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { below, fail, inputs, put, state } from "./common.mjs";

const given = inputs("actions/download-artifact", ["name", "path", "run-id", "github-token"]);
const kept = join(state, "artifacts", given["run-id"] || process.env.GITHUB_RUN_ID, given.name);
const into = below(given.path || ".");
if (!existsSync(kept)) fail(`Unable to download artifact(s): Artifact not found for name: ${given.name}`);
cpSync(kept, into, { recursive: true });
put("GITHUB_OUTPUT", "download-path", into);
