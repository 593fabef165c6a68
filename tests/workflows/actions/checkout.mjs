// actions/checkout: the commit that is asked for, over HTTPS with the token, as deep as is asked for.
import { mkdirSync } from "node:fs";
import { below, inputs, put, run } from "./common.mjs";

const given = inputs("actions/checkout", ["repository", "ref", "token", "path", "fetch-depth", "persist-credentials"]);
const { GITHUB_REF, GITHUB_REPOSITORY, GITHUB_SERVER_URL, GITHUB_SHA, STANDIN_CERTIFICATE } = process.env;
const repository = given.repository || GITHUB_REPOSITORY;
const url = `${GITHUB_SERVER_URL}/${repository}`;
const header = `Authorization: Basic ${Buffer.from(`x-access-token:${given.token}`).toString("base64")}`;
const secret = {
  GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: `http.${GITHUB_SERVER_URL}/.extraheader`, GIT_CONFIG_VALUE_0: header,
  GIT_TERMINAL_PROMPT: "0",
};
const folder = below(given.path || ".");
const git = (...words) => run("git", ["-C", folder, ...words], secret);

mkdirSync(folder, { recursive: true });
git("init", "--quiet");
git("remote", "add", "origin", url);
git("config", "http.sslCAInfo", STANDIN_CERTIFICATE);

let ref = given.ref;
let commit = "";
if (!ref && repository === GITHUB_REPOSITORY) [ref, commit] = [GITHUB_REF, GITHUB_SHA]; // what the event is about
if (!ref) ref = git("ls-remote", "--symref", "origin", "HEAD").match(/ref: (\S+)/)[1];
if (/^[0-9a-f]{40}$/.test(ref)) [ref, commit] = ["", ref];
if (ref && !ref.startsWith("refs/")) {
  const known = git("ls-remote", "origin", `refs/heads/${ref}`, `refs/tags/${ref}`).match(/refs\/\S+/g) || [];
  ref = known.find((name) => name === `refs/heads/${ref}`) || known[0] || `refs/heads/${ref}`;
}
const branch = ref.startsWith("refs/heads/") ? ref.slice(11) : "";
const local = branch ? `refs/remotes/origin/${branch}` : ref.startsWith("refs/pull/") ? ref.replace("refs/", "refs/remotes/") : ref;
const whole = given["fetch-depth"] === "0";
if (whole) git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*");
const depth = whole ? [] : ["--no-tags", `--depth=${given["fetch-depth"]}`];
git("fetch", "--quiet", ...depth, "origin", local ? `+${commit || ref}:${local}` : commit);
git("checkout", "--quiet", "--force", ...(branch ? ["-B", branch, local] : ["--detach", local || commit]));
if (given["persist-credentials"] === "true") git("config", `http.${GITHUB_SERVER_URL}/.extraheader`, header);
put("GITHUB_OUTPUT", "ref", ref);
put("GITHUB_OUTPUT", "commit", git("rev-parse", "HEAD"));
