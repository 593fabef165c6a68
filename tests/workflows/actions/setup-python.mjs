// actions/setup-python: the interpreter of this machine, whatever version is asked for. An empty one is copied, so that
// each job has its own; the other one is shared, for its packages are never changed.
import { appendFileSync, cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { inputs, put } from "./common.mjs";

const given = inputs("actions/setup-python", ["python-version", "update-environment"]);
const own = join(process.env.RUNNER_TEMP, "..", "python");
const home = process.env.STANDIN_PYTHON_IS === "empty" ? own : process.env.STANDIN_PYTHON;
if (!existsSync(home)) cpSync(process.env.STANDIN_PYTHON, home, { recursive: true, verbatimSymlinks: true });
put("GITHUB_OUTPUT", "python-path", join(home, "bin/python"));
put("GITHUB_OUTPUT", "python-version", given["python-version"]);
if (given["update-environment"] !== "false") {
  put("GITHUB_ENV", "pythonLocation", home);
  appendFileSync(process.env.GITHUB_PATH, `${join(home, "bin")}\n`);
}
