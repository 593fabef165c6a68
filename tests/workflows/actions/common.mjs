// What the stand-ins of GitHub's actions share: inputs as the runner gives them, outputs as it takes them, and a note of
// each call for the tests in $STANDIN_STATE/used.jsonl.
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

export const state = process.env.STANDIN_STATE;
export const workspace = process.env.GITHUB_WORKSPACE;

export function fail(words) {
  console.log(`::error::${words}`);
  process.exit(1);
}

// All inputs of the step by name; one that this stand-in does not honour is refused, so that no test rests on it.
export function inputs(action, honoured) {
  const given = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (name.startsWith("INPUT_")) given[name.slice(6).toLowerCase()] = value.trim();
  }
  const unknown = Object.keys(given).filter((name) => !honoured.includes(name) && given[name] !== "");
  if (unknown.length) fail(`the stand-in for ${action} does not honour ${unknown.join(", ")}`);
  mkdirSync(state, { recursive: true });
  const shown = Object.fromEntries(Object.entries(given).filter(([name]) => !/token/.test(name)));
  appendFileSync(join(state, "used.jsonl"), `${JSON.stringify({ job: process.env.GITHUB_JOB, action, with: shown })}\n`);
  return given;
}

export function put(file, name, value) {
  appendFileSync(process.env[file], `${name}=${value}\n`);
}

export function run(program, words, env = {}) {
  const done = spawnSync(program, words, { env: { ...process.env, ...env }, encoding: "utf8" });
  if (done.status !== 0) fail(`${program} ${words.join(" ")}: ${done.stderr}`);
  return done.stdout.trim();
}

export function below(place) {
  return place.startsWith("/") ? place : join(workspace, place);
}
