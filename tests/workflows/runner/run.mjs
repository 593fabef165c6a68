// node run.mjs <REQUEST >REPORT, both JSON: runs the `run:` steps of one job with bash, as a runner of GitHub would.
// request {workflow, job, workspace, temp, github: {event_name, event, ...}, needs, inputs, secrets}
// -> report {group, conclusion, steps, outputs, summary}; a job whose `if:` says no has the conclusion "skipped".
// `uses:` steps are told, not run. What this cannot do (matrix, services, other shells) is an error, never left out quietly.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at, evaluate, plain, read, text, texts, truth } from "./workflow.mjs";

// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax: bash has pipefail only where it is named
const SHELLS = { "": ["-e"], bash: ["--noprofile", "--norc", "-eo", "pipefail"] };
const JOB_KEYS = new Set(["name", "if", "needs", "outputs", "permissions", "runs-on", "timeout-minutes", "concurrency", "environment", "env", "defaults", "steps"]);
const STEP_KEYS = new Set(["name", "id", "if", "env", "run", "uses", "with", "shell", "continue-on-error", "timeout-minutes"]);

function refuseOthers(mapping, known, where) {
  const others = Object.keys(plain(mapping)).filter((key) => !known.has(key));
  if (others.length) throw new Error(`${where}: this runner does not know ${others.join(", ")}`);
}

/** A file of NAME=VALUE and NAME<<END blocks -> its values. */
function assignments(file) {
  const found = {};
  const lines = readFileSync(file, "utf8").split("\n");
  while (lines.length) {
    const line = lines.shift();
    const [, name, sign, rest] = line.match(/^([^=<]+)(=|<<)(.*)$/) ?? [];
    if (sign === "=") found[name] = rest;
    if (sign === "<<") found[name] = lines.splice(0, lines.indexOf(rest)).join("\n"), lines.shift();
  }
  return found;
}

function runScript(script, shell, environment, workspace, temp) {
  if (!(shell in SHELLS)) throw new Error(`this runner has no shell ${shell}`);
  const file = join(temp, "script.sh");
  writeFileSync(file, script);
  // both streams in one, as in the log of a job
  const done = spawnSync("bash", ["-c", 'exec bash "$@" 2>&1', "bash", ...SHELLS[shell], file], { cwd: workspace, env: environment, encoding: "utf8" });
  return { exit: done.status, output: done.stdout };
}

/** The environment a runner gives to every step. */
function runnerEnvironment({ github, workspace, temp }) {
  const named = { EVENT_NAME: github.event_name, SHA: github.sha, REF: github.ref, REPOSITORY: github.repository, ACTOR: github.actor, WORKFLOW: github.workflow };
  const files = { EVENT_PATH: join(temp, "event.json"), STEP_SUMMARY: join(temp, "summary.md"), WORKSPACE: workspace, ACTION_PATH: github.action_path };
  writeFileSync(files.EVENT_PATH, JSON.stringify(github.event));
  writeFileSync(files.STEP_SUMMARY, "");
  const prefixed = Object.entries({ ...named, ...files }).map(([name, value]) => [`GITHUB_${name}`, value ?? ""]);
  return { ...process.env, ...Object.fromEntries(prefixed), CI: "true", GITHUB_ACTIONS: "true", RUNNER_OS: process.env.RUNNER_OS ?? "Linux", RUNNER_TEMP: temp };
}

async function runJob(request) {
  const { workspace, temp, github } = request;
  const { errors, jobs, document } = await read(request.workflow);
  if (errors.length) throw new Error(errors.join("\n"));
  const job = jobs.find((one) => one.id.value === request.job);
  const raw = at(document, "jobs", request.job);
  refuseOthers(raw, JOB_KEYS, request.job);
  for (const one of [document, raw]) {
    const defaults = at(one, "defaults", "run");
    if (defaults) refuseOthers(defaults, new Set(["shell"]), "defaults.run");
  }
  const fixed = runnerEnvironment(request);
  const { needs = {}, inputs = {} } = request;
  const contexts = { github, needs, inputs, vars: {}, secrets: request.secrets ?? {}, env: {}, steps: {}, runner: { os: "Linux", temp }, job: {} };
  const group = text(at(raw, "concurrency", "group") ?? at(document, "concurrency", "group"), contexts);
  const shell = plain(at(raw, "defaults", "run", "shell")) ?? plain(at(document, "defaults", "run", "shell")) ?? "";
  const shared = { ...texts(at(document, "env"), contexts), ...texts(at(raw, "env"), contexts) };
  const upstream = Object.values(needs).some((one) => one.result !== "success");
  if (job.if && !truth(evaluate(job.if.expression, { github, needs, inputs, vars: {} }, upstream))) {
    return { group, conclusion: "skipped", steps: [], outputs: {}, summary: "" };
  }
  const steps = [];
  let failed = false;
  let exported = {};
  for (const [number, step] of job.steps.entries()) {
    const own = at(raw, "steps", number);
    refuseOthers(own, STEP_KEYS, `${request.job}, step ${number + 1}`);
    contexts.env = { ...shared, ...exported };
    const told = { name: step.name ? text(step.name, contexts, failed) : step.id, outcome: "skipped" };
    steps.push(told);
    if (truth(evaluate(step.if.expression, contexts, failed))) {
      contexts.env = { ...contexts.env, ...texts(step.env, contexts, failed) };
      if (step.uses) {
        Object.assign(told, { outcome: "success", uses: step.uses.value, with: texts(at(own, "with"), contexts, failed) });
      } else {
        const files = Object.fromEntries(["GITHUB_OUTPUT", "GITHUB_ENV"].map((name) => [name, join(temp, `${name}.${number}`)]));
        Object.values(files).forEach((file) => writeFileSync(file, ""));
        const chosen = plain(at(own, "shell")) ?? shell;
        Object.assign(told, runScript(text(step.run, contexts, failed), chosen, { ...fixed, ...contexts.env, ...files }, workspace, temp));
        told.outcome = told.exit === 0 ? "success" : "failure";
        told.outputs = assignments(files.GITHUB_OUTPUT);
        exported = { ...exported, ...assignments(files.GITHUB_ENV) };
      }
    }
    const goesOn = step["continue-on-error"];
    const forgiven = goesOn === true || (goesOn?.isScalar && text(goesOn, contexts, failed) === "true");
    told.conclusion = told.outcome === "failure" && forgiven ? "success" : told.outcome;
    contexts.steps[step.id] = { outcome: told.outcome, conclusion: told.conclusion, outputs: told.outputs ?? {} };
    failed ||= told.conclusion === "failure";
  }
  const outputs = texts(at(raw, "outputs"), contexts, failed);
  return { group, conclusion: failed ? "failure" : "success", steps, outputs, summary: readFileSync(fixed.GITHUB_STEP_SUMMARY, "utf8") };
}

const request = JSON.parse(readFileSync(0, "utf8"));
mkdirSync(request.temp, { recursive: true });
process.stdout.write(JSON.stringify(await runJob(request)));
