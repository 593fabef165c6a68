// Routes that GitHub has and `emulate` lacks or has too thin, in memory. Those below /_standin are no routes of GitHub's:
// with them tests set what no API sets (runs, plans, tokens), and read what came.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const TABLE = JSON.parse(readFileSync(new URL("./permissions.json", import.meta.url), "utf8")).endpoints.map((row) => ({
  ...row, pattern: new RegExp(`^${row.path.replace(/\{(ref|branch)\}/g, ".+").replace(/\{\w+\}/g, "[^/]+")}$`),
}));
const UPGRADE = "Upgrade to GitHub Pro or make this repository public to enable this feature.";
export const NO_PULLS = "Actions may not open pull requests"; // a repository of this description has that setting

export function addedRoutes({ app, store, baseUrl, tokenMap }, emulate) {
  const { ApiError, notFound, lookupRepo, formatUser, formatRepo, assertAuthenticatedActor } = emulate;
  const gh = emulate.getGitHubStore(store);
  const states = new Map(), tokens = new Map(), log = [];
  let last = 0;
  const id = () => (last += 1);
  const seconds = (at = new Date()) => at.toISOString().replace(/\.\d+/, "");
  const refuse = (c, status, message) => c.json({ message, documentation_url: "https://docs.github.com/rest" }, status);

  // ---- what a token may do, and what it asked for
  const granted = (scopes, row) => {
    const held = scopes[row.permission] ?? (row.permission === "metadata" ? "read" : "none");
    return held === "write" || (held === "read" && row.access === "read");
  };
  app.use("*", async (c, next) => {
    const sent = (c.req.header("Authorization") ?? "").replace(/^(Bearer|token)\s+/i, "").trim();
    const path = new URL(c.req.url).pathname, method = c.req.method;
    if (path.startsWith("/_standin")) return next();
    const answer = judged(c, tokens.get(sent), method, path) ?? judgedRepository(c, method, path);
    log.push({ token: sent, method, path, refused: Boolean(answer) });
    if (tokens.get(sent)?.expires) c.header("github-authentication-token-expiration", tokens.get(sent).expires);
    return answer ?? next();
  });
  function judged(c, token, method, path) {
    if (!token) return null;
    if (token.state === "revoked") return refuse(c, 401, "Bad credentials");
    if (token.state === "suspended") return refuse(c, 403, "This installation has been suspended");
    if (!token.permissions) return null;
    if (path === "/installation/repositories") {
      const repositories = gh.repos.all().map((repo) => whole(repo));
      return c.json({ total_count: repositories.length, repository_selection: "selected", repositories });
    }
    const place = path.replace(/^\/repos\/[^/]+\/[^/]+/, "/repos/{owner}/{repo}");
    const asked = path.startsWith("/repos/{owner}") ? path : place;
    const rows = TABLE.filter((row) => row.method === method && row.pattern.test(asked));
    if (!rows.length && method === "GET") return null; // the table names no such request: reading is free
    if (path === "/graphql" || rows.some((row) => granted(token.permissions, row))) return null;
    c.header("x-accepted-github-permissions", rows.map((row) => `${row.permission}=${row.access}`).join("; "));
    return refuse(c, 403, "Resource not accessible by integration");
  }
  function judgedRepository(c, method, path) {
    const [, owner, name, rest = ""] = /^\/repos\/([^/]+)\/([^/]+)(\/.*)?$/.exec(path) ?? [];
    const repo = owner && lookupRepo(gh, owner, name);
    if (!repo) return null;
    if (repo.archived && method !== "GET" && rest) return refuse(c, 403, "Repository was archived so is read-only.");
    if (!repo.has_issues && /^\/issues(\/|$)/.test(rest)) return refuse(c, 410, "Issues has been disabled in this repository.");
    return null;
  }
  app.post("/_standin/tokens", async (c) => {
    const { login = "keeper", ...rights } = await c.req.json();
    const token = `ghs_${randomBytes(18).toString("hex")}`;
    tokenMap.set(token, { login, id: gh.users.findOneBy("login", login).id, scopes: [] });
    tokens.set(token, rights);
    return c.json({ token }, 201);
  });
  app.patch("/_standin/tokens/:token", async (c) => {
    const token = c.req.param("token");
    tokens.set(token, { ...tokens.get(token), ...(await c.req.json()) });
    return c.json(tokens.get(token));
  });
  app.get("/_standin/tokens/:token", (c) => {
    const token = c.req.param("token");
    return c.json({ known: tokens.has(token) || tokenMap.has(token), ...tokens.get(token) });
  });
  app.get("/_standin/log/:token", (c) => c.json(log.filter((one) => one.token === c.req.param("token"))));

  // ---- a repository, and what is kept of it here
  const found = (c) => {
    const repo = lookupRepo(gh, c.req.param("owner"), c.req.param("repo"));
    if (!repo) throw notFound();
    emulate.assertRepoRead(gh, c.get("authUser"), repo);
    const empty = {
      workflows: new Map(), listed: [], runs: new Map(), dispatches: [], statuses: new Map(), deployments: [], reactions: [],
      rulesets: [], environments: new Map(), plan: "team", actions: { enabled: true, allowed_actions: "all", sha_pinning_required: false },
      jobs: "read",
    };
    if (!states.has(repo.id)) states.set(repo.id, empty);
    return { repo, kept: states.get(repo.id), url: `${baseUrl}/repos/${repo.full_name}`, page: `${baseUrl}/${repo.full_name}` };
  };
  const writing = (c) => {
    const actor = assertAuthenticatedActor(gh, c.get("authUser"));
    const place = found(c);
    return { ...place, actor, who: formatUser(actor, baseUrl) };
  };
  const whole = (repo) => {
    const { owner, ...rest } = formatRepo(repo, gh, baseUrl);
    const names = ["followers_url", "following_url", "gists_url", "gravatar_id", "organizations_url", "received_events_url",
      "repos_url", "events_url", "starred_url", "subscriptions_url"];
    const urls = Object.fromEntries(names.map((name) => [name, `${owner.url}/${name}`]));
    return { ...rest, owner: { ...urls, site_admin: false, ...owner } };
  };
  const listed = (c, rows, shape) => {
    const { page, per_page } = emulate.parsePagination(c);
    emulate.setLinkHeader(c, rows.length, page, per_page);
    return rows.slice((page - 1) * per_page, page * per_page).map(shape);
  };
  const git = (repo, ...words) => {
    if (!repo.homepage?.startsWith("file://")) return null;
    const done = spawnSync("git", ["-C", fileURLToPath(repo.homepage), ...words], { encoding: "utf8" });
    return done.status ? null : done.stdout.trimEnd();
  };

  // ---- commit statuses
  const commitOf = (repo, ref) => {
    if (!repo.homepage?.startsWith("file://")) return /^[0-9a-f]{40}$/.test(ref) ? ref : null;
    return git(repo, "rev-parse", "--verify", "--quiet", `${ref}^{commit}`);
  };
  app.post("/repos/:owner/:repo/statuses/:sha", async (c) => {
    const { repo, kept, url, who } = writing(c);
    const body = await c.req.json(), sha = c.req.param("sha");
    if (!/^[0-9a-f]{40}$/.test(sha) || commitOf(repo, sha) !== sha) throw new ApiError(422, `No commit found for SHA: ${sha}`);
    if (!["error", "failure", "pending", "success"].includes(body.state)) throw new ApiError(422, "Validation Failed");
    if ((body.description ?? "").length > 140) throw new ApiError(422, "description is too long (maximum is 140 characters)");
    const at = seconds(), number = id();
    const one = {
      url: `${url}/statuses/${sha}`, avatar_url: who.avatar_url, id: number, node_id: `SC_${number}`, state: body.state,
      description: body.description ?? null, target_url: body.target_url ?? null, context: body.context ?? "default",
      created_at: at, updated_at: at, creator: who,
    };
    kept.statuses.set(sha, [one, ...(kept.statuses.get(sha) ?? [])]);
    return c.json(one, 201);
  });
  app.get("/repos/:owner/:repo/commits/:ref/statuses", (c) => {
    const { repo, kept } = found(c);
    const sha = commitOf(repo, c.req.param("ref"));
    if (!sha) throw new ApiError(422, `No commit found for SHA: ${c.req.param("ref")}`);
    return c.json(listed(c, kept.statuses.get(sha) ?? [], (one) => one));
  });
  app.get("/repos/:owner/:repo/commits/:ref/status", (c) => {
    const { repo, kept, url } = found(c);
    const sha = commitOf(repo, c.req.param("ref"));
    if (!sha) throw new ApiError(422, `No commit found for SHA: ${c.req.param("ref")}`);
    const newest = new Map();
    for (const one of kept.statuses.get(sha) ?? []) {
      const name = one.context.toLowerCase();
      if (!newest.has(name)) newest.set(name, one);
    }
    const statuses = [...newest.values()].map(({ creator, ...one }) => one), said = statuses.map((one) => one.state);
    const bad = said.some((one) => one === "failure" || one === "error");
    const state = bad ? "failure" : said.length && said.every((one) => one === "success") ? "success" : "pending";
    return c.json({
      state, statuses, sha, total_count: statuses.length, repository: whole(repo), commit_url: `${url}/commits/${sha}`,
      url: `${url}/commits/${sha}/status`,
    });
  });

  // ---- workflows: the files on the default branch of the repository beside, and those that a test lists
  const files = (repo, kept) => {
    const paths = git(repo, "ls-tree", "-r", "--name-only", repo.default_branch, ".github/workflows") ?? "";
    return [...new Set([...paths.split("\n").filter((path) => /\.ya?ml$/.test(path)), ...kept.listed])];
  };
  const workflow = (place, path) => {
    const { repo, kept, url, page } = place, file = path.split("/").pop();
    const number = 1000 + files(repo, kept).indexOf(path), at = repo.created_at;
    return {
      id: number, node_id: `W_${number}`, name: file, path, state: kept.workflows.get(file) ?? "active", created_at: at,
      updated_at: at, url: `${url}/actions/workflows/${number}`, html_url: `${page}/blob/${repo.default_branch}/${path}`,
      badge_url: `${page}/workflows/${file}/badge.svg`,
    };
  };
  const workflowOf = (c, place) => {
    const asked = c.req.param("workflow");
    const all = files(place.repo, place.kept).map((path) => workflow(place, path));
    const one = all.find((each) => String(each.id) === asked || each.path.endsWith(`/${asked}`));
    if (!one) throw notFound();
    return { ...one, file: one.path.split("/").pop() };
  };
  app.get("/repos/:owner/:repo/actions/workflows", (c) => {
    const place = found(c), all = files(place.repo, place.kept);
    return c.json({ total_count: all.length, workflows: listed(c, all, (path) => workflow(place, path)) });
  });
  app.get("/repos/:owner/:repo/actions/workflows/:workflow", (c) => {
    const { file, ...one } = workflowOf(c, found(c));
    return c.json(one);
  });
  for (const [word, state] of [["enable", "active"], ["disable", "disabled_manually"]]) {
    app.put(`/repos/:owner/:repo/actions/workflows/:workflow/${word}`, (c) => {
      const place = writing(c);
      place.kept.workflows.set(workflowOf(c, place).file, state);
      return c.body(null, 204);
    });
  }
  const run = (place, one) => {
    const { repo, url, page } = place, path = `.github/workflows/${one.file}`;
    const here = `${url}/actions/runs/${one.id}`, suite = one.id + 500000;
    const known = files(repo, place.kept).indexOf(path), number = 1000 + known;
    return {
      id: one.id, name: one.file, node_id: `WFR_${one.id}`, check_suite_id: suite, check_suite_node_id: `CS_${suite}`,
      head_branch: one.branch ?? repo.default_branch, head_sha: one.sha ?? "0".repeat(40), path, display_title: one.file,
      run_number: one.id, run_attempt: one.run_attempt ?? 1, event: one.event ?? "schedule", status: one.status,
      conclusion: one.conclusion ?? null, workflow_id: number, url: here, html_url: `${page}/actions/runs/${one.id}`,
      pull_requests: [], created_at: one.created_at, updated_at: one.updated_at ?? one.created_at,
      run_started_at: one.run_started_at ?? one.created_at, actor: one.actor, triggering_actor: one.actor, jobs_url: `${here}/jobs`,
      logs_url: `${here}/logs`, check_suite_url: `${url}/check-suites/${suite}`, artifacts_url: `${here}/artifacts`,
      cancel_url: `${here}/cancel`, rerun_url: `${here}/rerun`, previous_attempt_url: null,
      workflow_url: `${url}/actions/workflows/${number}`, head_commit: null, repository: whole(repo), head_repository: whole(repo),
      referenced_workflows: [],
    };
  };
  const span = (text) => {
    const [, word, at] = /^(>=|<=|>|<)?(.+)$/.exec(text), limit = Date.parse(at);
    const fits = { ">=": (x) => x >= limit, "<=": (x) => x <= limit, ">": (x) => x > limit, "<": (x) => x < limit };
    return fits[word] ?? ((x) => x === limit);
  };
  app.get("/repos/:owner/:repo/actions/workflows/:workflow/runs", (c) => {
    const place = found(c), fits = c.req.query("created") ? span(c.req.query("created")) : () => true;
    const status = c.req.query("status");
    const all = (place.kept.runs.get(workflowOf(c, place).file) ?? [])
      .filter((one) => fits(Date.parse(one.created_at)) && (!status || [one.status, one.conclusion].includes(status)))
      .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at) || b.id - a.id);
    return c.json({ total_count: all.length, workflow_runs: listed(c, all, (one) => run(place, one)) });
  });
  app.get("/repos/:owner/:repo/actions/runs/:run{[0-9]+}", (c) => {
    const place = found(c), number = Number(c.req.param("run"));
    const one = [...place.kept.runs.values()].flat().find((each) => each.id === number);
    if (!one) throw notFound();
    return c.json(run(place, one));
  });
  app.post("/repos/:owner/:repo/actions/workflows/:workflow/dispatches", async (c) => {
    const place = writing(c), { file, path, state } = workflowOf(c, place), body = await c.req.json();
    if (state !== "active") throw new ApiError(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow");
    const branch = body.ref.replace(/^refs\/heads\//, ""), onGit = place.repo.homepage?.startsWith("file://");
    const sha = onGit ? git(place.repo, "rev-parse", "--verify", "--quiet", `refs/heads/${branch}`) : "0".repeat(40);
    if (!sha) throw new ApiError(422, `No ref found for: ${body.ref}`);
    const text = onGit ? git(place.repo, "show", `${sha}:${path}`) : "workflow_dispatch:";
    if (!/\bworkflow_dispatch\b/.test(text ?? "")) throw new ApiError(422, "Workflow does not have 'workflow_dispatch' trigger");
    const one = { id: id() + 900000, file, branch, sha, inputs: body.inputs ?? {}, event: "workflow_dispatch",
      status: "queued", created_at: seconds(), actor: place.who };
    place.kept.runs.set(file, [...(place.kept.runs.get(file) ?? []), one]);
    place.kept.dispatches.push(one);
    return c.body(null, 204);
  });
  app.get("/_standin/repos/:owner/:repo/dispatches", (c) => c.json(found(c).kept.dispatches.map(({ actor, ...one }) => one)));
  app.put("/_standin/repos/:owner/:repo/runs/:file", async (c) => {
    const { kept } = found(c), file = c.req.param("file"), [actor] = gh.users.all();
    const rows = (await c.req.json()).map((one) => ({ actor: formatUser(actor, baseUrl), ...one, file, id: one.id ?? id() + 900000 }));
    kept.runs.set(file, rows);
    return c.json(rows.map((one) => one.id));
  });
  app.put("/_standin/repos/:owner/:repo/workflows", async (c) => {
    const { kept } = found(c);
    for (const [file, state] of Object.entries(await c.req.json())) {
      kept.listed.push(`.github/workflows/${file}`);
      kept.workflows.set(file, state);
    }
    return c.body(null, 204);
  });

  // ---- settings of Actions
  app.get("/repos/:owner/:repo/actions/permissions", (c) => {
    const { kept, url } = found(c), selected = { selected_actions_url: `${url}/actions/permissions/selected-actions` };
    return c.json(kept.actions.enabled ? { ...kept.actions, ...selected } : { enabled: false });
  });
  app.put("/repos/:owner/:repo/actions/permissions", async (c) => {
    const { kept } = writing(c);
    Object.assign(kept.actions, await c.req.json());
    return c.body(null, 204);
  });
  app.get("/repos/:owner/:repo/actions/permissions/workflow", (c) => {
    const { repo, kept } = found(c), may = repo.description !== NO_PULLS;
    return c.json({ default_workflow_permissions: kept.jobs, can_approve_pull_request_reviews: may });
  });
  app.put("/repos/:owner/:repo/actions/permissions/workflow", async (c) => {
    const { repo, kept } = writing(c), body = await c.req.json(), may = body.can_approve_pull_request_reviews;
    kept.jobs = body.default_workflow_permissions ?? kept.jobs;
    if (may === false) gh.repos.update(repo.id, { description: NO_PULLS });
    if (may === true && repo.description === NO_PULLS) gh.repos.update(repo.id, { description: null });
    return c.body(null, 204);
  });

  // ---- environments, and the names of secrets, which a test sets
  const environment = ({ url, page }, name, kept) => ({
    id: kept.number, node_id: `EN_${kept.number}`, name, url: `${url}/environments/${name}`,
    html_url: `${page}/deployments/activity_log?environments_filter=${name}`, created_at: kept.at, updated_at: kept.at,
    protection_rules: [], deployment_branch_policy: kept.policy ?? null,
  });
  const environmentOf = (c, { kept }) => {
    const one = kept.environments.get(c.req.param("environment"));
    if (!one) throw notFound();
    return one;
  };
  app.get("/repos/:owner/:repo/environments", (c) => {
    const place = found(c), all = [...place.kept.environments];
    return c.json({ total_count: all.length, environments: listed(c, all, ([name, one]) => environment(place, name, one)) });
  });
  app.get("/repos/:owner/:repo/environments/:environment", (c) => {
    const place = found(c);
    return c.json(environment(place, c.req.param("environment"), environmentOf(c, place)));
  });
  app.put("/repos/:owner/:repo/environments/:environment", async (c) => {
    const place = writing(c), name = c.req.param("environment"), body = await c.req.json().catch(() => ({}));
    const old = place.kept.environments.get(name) ?? { number: id(), at: seconds(), secrets: [] };
    place.kept.environments.set(name, { ...old, policy: body?.deployment_branch_policy ?? old.policy });
    return c.json(environment(place, name, place.kept.environments.get(name)));
  });
  const secrets = (c, names) => {
    const at = seconds();
    return c.json({ total_count: names.length, secrets: listed(c, names, (name) => ({ name, created_at: at, updated_at: at })) });
  };
  app.get("/repos/:owner/:repo/environments/:environment/secrets", (c) => secrets(c, environmentOf(c, found(c)).secrets));
  app.get("/repos/:owner/:repo/actions/secrets", (c) => secrets(c, found(c).kept.secrets ?? []));
  app.put("/_standin/repos/:owner/:repo/secrets", async (c) => {
    found(c).kept.secrets = await c.req.json();
    return c.body(null, 204);
  });
  app.put("/_standin/repos/:owner/:repo/environments/:environment/secrets", async (c) => {
    environmentOf(c, found(c)).secrets = await c.req.json();
    return c.body(null, 204);
  });

  // ---- rulesets
  app.put("/_standin/repos/:owner/:repo/plan", async (c) => {
    found(c).kept.plan = (await c.req.json()).plan;
    return c.body(null, 204);
  });
  const ruled = (place) => {
    if (place.repo.private && place.kept.plan === "free") throw new ApiError(403, UPGRADE);
    return place;
  };
  const described = ({ repo, url, page }, one) => ({
    source_type: "Repository", source: repo.full_name, ...one, current_user_can_bypass: "never",
    _links: { self: { href: `${url}/rulesets/${one.id}` }, html: { href: `${page}/rules/${one.id}` } },
  });
  const brief = (place, one) => {
    const { rules, conditions, bypass_actors, current_user_can_bypass, ...rest } = described(place, one);
    return rest;
  };
  const numbered = (c, { kept }) => {
    const one = kept.rulesets.find((each) => String(each.id) === c.req.param("ruleset"));
    if (!one) throw notFound();
    return one;
  };
  app.get("/repos/:owner/:repo/rulesets", (c) => {
    const place = ruled(found(c));
    return c.json(listed(c, place.kept.rulesets, (one) => brief(place, one)));
  });
  app.get("/repos/:owner/:repo/rulesets/:ruleset{[0-9]+}", (c) => {
    const place = ruled(found(c));
    return c.json(described(place, numbered(c, place)));
  });
  app.post("/repos/:owner/:repo/rulesets", async (c) => {
    const place = ruled(writing(c)), number = id(), at = seconds();
    const one = { target: "branch", bypass_actors: [], rules: [], ...(await c.req.json()), id: number, node_id: `RRS_${number}`,
      created_at: at, updated_at: at };
    place.kept.rulesets.push(one);
    return c.json(described(place, one), 201);
  });
  app.put("/repos/:owner/:repo/rulesets/:ruleset{[0-9]+}", async (c) => {
    const place = ruled(writing(c)), one = numbered(c, place);
    Object.assign(one, await c.req.json(), { updated_at: seconds() });
    return c.json(described(place, one));
  });
  app.delete("/repos/:owner/:repo/rulesets/:ruleset{[0-9]+}", (c) => {
    const place = ruled(writing(c)), one = numbered(c, place);
    place.kept.rulesets = place.kept.rulesets.filter((each) => each !== one);
    return c.body(null, 204);
  });
  const pattern = (text) => {
    const marks = { "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" };
    return new RegExp(`^${text.replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, (mark) => marks[mark] ?? `\\${mark}`)}$`);
  };
  const covers = (repo, one, branch) => {
    const fits = (text) => text === "~ALL" || (text === "~DEFAULT_BRANCH" && branch === repo.default_branch)
      || pattern(text).test(`refs/heads/${branch}`);
    const { include = [], exclude = [] } = one.conditions?.ref_name ?? {};
    return include.some(fits) && !exclude.some(fits);
  };
  app.get("/repos/:owner/:repo/rules/branches/:branch{.+}", (c) => {
    const { repo, kept } = ruled(found(c)), branch = c.req.param("branch");
    const holding = kept.rulesets.filter((one) => one.enforcement === "active" && one.target === "branch" && covers(repo, one, branch));
    const source = (one) => ({ ruleset_source_type: "Repository", ruleset_source: repo.full_name, ruleset_id: one.id });
    return c.json(listed(c, holding.flatMap((one) => one.rules.map((rule) => ({ ...rule, ...source(one) }))), (rule) => rule));
  });

  // ---- deployments
  const deployment = (place, one) => ({ ...one, statuses_url: `${place.url}/deployments/${one.id}/statuses`,
    repository_url: place.url, url: `${place.url}/deployments/${one.id}` });
  const deploymentOf = (c, { kept }) => {
    const one = kept.deployments.find(({ shown }) => String(shown.id) === c.req.param("deployment"));
    if (!one) throw notFound();
    return one;
  };
  app.get("/repos/:owner/:repo/deployments", (c) => {
    const place = found(c), asked = ["sha", "ref", "task", "environment"].map((name) => [name, c.req.query(name)]);
    const fits = ({ shown }) => asked.every(([name, value]) => value === undefined || value === "none" || shown[name] === value);
    return c.json(listed(c, place.kept.deployments.filter(fits), ({ shown }) => deployment(place, shown)));
  });
  app.post("/repos/:owner/:repo/deployments", async (c) => {
    const place = writing(c), body = await c.req.json(), sha = commitOf(place.repo, body.ref), number = id(), at = seconds();
    if (!sha) throw new ApiError(422, `No ref found for: ${body.ref}`);
    const environment = body.environment ?? "production";
    const shown = { id: number, node_id: `DE_${number}`, sha, ref: body.ref, task: body.task ?? "deploy",
      payload: body.payload ?? {}, original_environment: environment, environment, description: body.description ?? null,
      creator: place.who, created_at: at, updated_at: at, transient_environment: body.transient_environment ?? false,
      production_environment: body.production_environment ?? environment === "production" };
    place.kept.deployments.unshift({ shown, statuses: [] });
    return c.json(deployment(place, shown), 201);
  });
  app.get("/repos/:owner/:repo/deployments/:deployment", (c) => {
    const place = found(c);
    return c.json(deployment(place, deploymentOf(c, place).shown));
  });
  app.get("/repos/:owner/:repo/deployments/:deployment/statuses", (c) => {
    return c.json(listed(c, deploymentOf(c, found(c)).statuses, (one) => one));
  });
  app.post("/repos/:owner/:repo/deployments/:deployment/statuses", async (c) => {
    const place = writing(c), { shown, statuses } = deploymentOf(c, place), body = await c.req.json(), number = id(), at = seconds();
    const here = deployment(place, shown);
    const one = { id: number, node_id: `DES_${number}`, state: body.state, creator: place.who, description: body.description ?? "",
      environment: body.environment ?? shown.environment, target_url: body.log_url ?? body.target_url ?? "",
      log_url: body.log_url ?? "", environment_url: body.environment_url ?? "", created_at: at, updated_at: at,
      deployment_url: here.url, repository_url: place.url, url: `${here.url}/statuses/${number}` };
    statuses.unshift(one);
    return c.json(one, 201);
  });

  // ---- reactions to issues and comments; the same one of the same person twice is one
  for (const [kind, place] of [["issue", "issues/:number{[0-9]+}"], ["comment", "issues/comments/:number{[0-9]+}"]]) {
    const to = (c, { repo, kept }) => {
      const number = Number(c.req.param("number"));
      const there = kind === "issue" ? gh.issues.findBy("repo_id", repo.id).some((one) => one.number === number) : gh.comments.get(number);
      if (!there) throw notFound();
      return { number, here: kept.reactions.filter((one) => one.kind === kind && one.number === number) };
    };
    app.get(`/repos/:owner/:repo/${place}/reactions`, (c) => {
      const { here } = to(c, found(c)), content = c.req.query("content");
      return c.json(listed(c, here.filter((one) => !content || one.shown.content === content), (one) => one.shown));
    });
    app.post(`/repos/:owner/:repo/${place}/reactions`, async (c) => {
      const where = writing(c), { number, here } = to(c, where), { content } = await c.req.json(), mark = id();
      const old = here.find((one) => one.shown.content === content && one.shown.user.login === where.who.login);
      if (old) return c.json(old.shown, 200);
      const shown = { id: mark, node_id: `REA_${mark}`, user: where.who, content, created_at: seconds() };
      where.kept.reactions.push({ kind, number, shown });
      return c.json(shown, 201);
    });
    app.delete(`/repos/:owner/:repo/${place}/reactions/:reaction`, (c) => {
      const where = writing(c), { here } = to(c, where);
      const one = here.find((each) => String(each.shown.id) === c.req.param("reaction"));
      if (!one) throw notFound();
      where.kept.reactions = where.kept.reactions.filter((each) => each !== one);
      return c.body(null, 204);
    });
  }
}
