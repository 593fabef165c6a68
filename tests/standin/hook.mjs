// See start.mjs.
const ADDED = new URL("./added.mjs", import.meta.url).href;
const GIVEN = "ApiError, notFound, lookupRepo, formatUser, formatRepo, assertRepoRead, assertAuthenticatedActor, "
  + "parsePagination, setLinkHeader, getGitHubStore";
const GITHUB = [
  [
    'import { createHmac, generateKeyPair } from "crypto";',
    `import { addedRoutes } from ${JSON.stringify(ADDED)};\nimport { createHmac, generateKeyPair } from "crypto";`,
  ],
  [ // before all others, so that those of the same path are ours
    "    usersRoutes(ctx);\n",
    `    addedRoutes(ctx, { ${GIVEN} });\n    usersRoutes(ctx);\n`,
  ],
  [
    'body.state_reason === "not_planned" ||',
    'body.state_reason === "not_planned" || body.state_reason === "duplicate" ||',
  ],
  [ // else it takes the list of all comments, `issues/comments`, for an issue
    'app.get("/repos/:owner/:repo/issues/:issue_number", (c) => {',
    'app.get("/repos/:owner/:repo/issues/:issue_number{[0-9]+}", (c) => {',
  ],
  [
    'function issuesRoutes({ app, store, webhooks, baseUrl }) {\n  const gh = getGitHubStore(store);\n',
    `function issuesRoutes({ app, store, webhooks, baseUrl }) {
  const gh = getGitHubStore(store);
  const assignable = (c) => {
    const repo = lookupRepo(gh, c.req.param("owner"), c.req.param("repo"));
    if (!repo) throw notFound();
    return gh.users.all().filter((user) => isOrgMember(gh, user.id, repo.owner_id));
  };
  app.get("/repos/:owner/:repo/assignees", (c) => c.json(assignable(c).map((user) => formatUser(user, baseUrl))));
  const texts = new Map(); // what GraphQL's userContentEdits tells: by issue, who gave it which text
  const edited = (issue, actor, text) => texts.set(issue.id, [...(texts.get(issue.id) || []), {
    editedAt: new Date().toISOString(), diff: text, editor: { __typename: "User", login: actor.login },
  }]);
  app.post("/graphql", async (c) => {
    const { query, variables } = await c.req.json();
    if (!query.includes("userContentEdits")) return c.json({ errors: [{ message: "the stand-in knows one query" }] });
    const repo = lookupRepo(gh, variables.owner, variables.name);
    const issue = repo && findIssueForRepo(gh, repo.id, variables.number);
    const nodes = issue ? [...(texts.get(issue.id) || [])].reverse() : [];
    return c.json({ data: { repository: repo ? { issue: issue ? { userContentEdits: { nodes } } : null } : null } });
  });
  app.get("/repos/:owner/:repo/assignees/:login", (c) => {
    const login = c.req.param("login").toLowerCase();
    if (!assignable(c).some((user) => user.login.toLowerCase() === login)) throw notFound();
    return c.body(null, 204);
  });
`,
  ],
  [ // one milestone of a title
    `    const title = typeof body.title === "string" ? body.title.trim() : "";
    if (!title) throw new ApiError(422, "Validation failed");
    let state = "open";`,
    `    const title = typeof body.title === "string" ? body.title.trim() : "";
    if (!title) throw new ApiError(422, "Validation failed");
    if (gh.milestones.findBy("repo_id", repo.id).some((one) => one.title === title)) {
      throw new ApiError(422, "Validation Failed: a milestone of that title already_exists");
    }
    let state = "open";`,
  ],
  [ // a timeline is an issue's or a pull request's
    `    const issue = findIssueForRepo(gh, repo.id, issueNumber);
    if (!issue || issue.is_pull_request) throw notFound();
    const { page, per_page } = parsePagination(c);
    let events =`,
    `    const issue = findIssueForRepo(gh, repo.id, issueNumber) || findPrIssue(gh, repo.id, issueNumber);
    if (!issue) throw notFound();
    const { page, per_page } = parsePagination(c);
    let events =`,
  ],
  [ // and it tells who closed a pull request
    `        issuePatch.closed_by_id = actor.id;
      } else {
        patch.closed_at = null;`,
    `        issuePatch.closed_by_id = actor.id;
        if (!wasClosed) insertIssueEvent(gh, repo, pullNumber, "closed", actor.id);
      } else {
        patch.closed_at = null;`,
  ],
  [ // one open pull request for a branch; and the setting of new repositories, told by the repository's description
    `    const prBody = typeof body.body === "string" || body.body === null ? body.body : null;
    const draft`,
    `    const prBody = typeof body.body === "string" || body.body === null ? body.body : null;
    if (repo.description === "Actions may not open pull requests") {
      throw new ApiError(403, "GitHub Actions is not permitted to create or approve pull requests.");
    }
    if (gh.pullRequests.findBy("repo_id", repo.id).some((one) => one.state === "open" && one.head_ref === headRef)) {
      throw new ApiError(422, \`A pull request already exists for \${headRaw}.\`);
    }
    const draft`,
  ],
  [ // GitHub answers 201
    `const json = formatIssue(issue, gh, baseUrl);
    if (!json) throw notFound();
    return c.json(json);
  });
  app.delete("/repos/:owner/:repo/issues/:issue_number/assignees"`,
    `const json = formatIssue(issue, gh, baseUrl);
    if (!json) throw notFound();
    return c.json(json, 201);
  });
  app.delete("/repos/:owner/:repo/issues/:issue_number/assignees"`,
  ],
  [ // trees and commits lie in the bare repository that the homepage names; GitHub signs for an App that names no author
    'function branchesAndGitRoutes({ app, store, webhooks, baseUrl }) {\n  const gh = getGitHubStore(store);\n',
    `function branchesAndGitRoutes({ app, store, webhooks, baseUrl }) {
  const gh = getGitHubStore(store);
  const bare = async (c) => {
    const repo = lookupRepo(gh, c.req.param("owner"), c.req.param("repo"));
    if (!repo) throw notFound();
    if (!repo.homepage?.startsWith("file://")) return {};
    const { spawnSync } = await import("node:child_process");
    const mayDo = c.req.method === "GET" ? assertRepoContentsRead : assertRepoContentsWrite;
    const actor = mayDo(gh, c.get("authUser"), repo);
    const folder = fileURLToPath(repo.homepage);
    const git = (words, input = "", index = "") => {
      const env = { ...process.env, ...(index ? { GIT_INDEX_FILE: index } : {}) };
      const done = spawnSync("git", ["-C", folder, ...words], { input, env, encoding: "utf8" });
      if (done.status) throw new ApiError(422, \`git \${words[0]}: \${done.stderr}\`);
      return done.stdout.replace(/\\n$/, "");
    };
    return { repo, actor, folder, git, url: \`\${baseUrl}/repos/\${repo.full_name}/git\` };
  };
  app.get("/repos/:owner/:repo/commits/:sha{[0-9a-f]+}", async (c, next) => {
    const { repo, git, url } = await bare(c);
    if (!git) return next();
    const sha = c.req.param("sha");
    const raw = git(["cat-file", "commit", sha]);
    const signature = /^gpgsig (.*\\n(?: .*\\n)*)/m.exec(raw)?.[1].replace(/^ /gm, "") ?? null;
    const payload = raw.replace(/^gpgsig .*\\n(?: .*\\n)*/m, "");
    const hash = createHash("sha256").update(payload).digest("hex");
    const verified = Boolean(signature?.includes(hash));
    const person = (role) => {
      const [name, email, at] = git(["show", "-s", \`--format=%\${role}n%n%\${role}e%n%\${role}I\`, sha]).split("\\n");
      return { name, email, date: new Date(at).toISOString().replace(".000", "") };
    };
    const [author, committer] = [person("a"), person("c")];
    const account = (who) => {
      const login = who.email === "noreply@github.com" ? "web-flow" : who.email.replace("@users.noreply.github.com", "");
      const known = gh.users.findOneBy("login", login === "web-flow" ? "keeper" : login);
      return known ? { ...formatUser(known, baseUrl), login } : {}; // GitHub says null, too
    };
    const page = (id) => \`\${baseUrl}/\${repo.full_name}/commit/\${id}\`;
    const parents = git(["show", "-s", "--format=%P", sha]).split(" ").filter(Boolean);
    const place = \`\${baseUrl}/repos/\${repo.full_name}/commits/\${sha}\`;
    const tree = git(["show", "-s", "--format=%T", sha]);
    return c.json({
      sha, node_id: "C_1", url: place, html_url: page(sha), comments_url: \`\${place}/comments\`,
      commit: {
        url: \`\${url}/commits/\${sha}\`, author, committer, message: git(["show", "-s", "--format=%B", sha]), comment_count: 0,
        tree: { sha: tree, url: \`\${url}/trees/\${tree}\` },
        verification: {
          verified, reason: signature ? (verified ? "valid" : "invalid") : "unsigned", signature,
          payload: signature ? payload : null, verified_at: verified ? committer.date : null,
        },
      },
      author: account(author), committer: account(committer),
      parents: parents.map((one) => ({ sha: one, url: \`\${url}/commits/\${one}\`, html_url: page(one) })),
    });
  });
  app.post("/repos/:owner/:repo/git/trees", async (c, next) => {
    const { folder, git, url } = await bare(c);
    if (!git) return next();
    const body = await parseJsonBody(c);
    const index = join(folder, \`index-\${randomBytes(8).toString("hex")}\`);
    try {
      if (body.base_tree) git(["read-tree", body.base_tree], "", index);
      const rows = body.tree.map((one) => {
        if (one.sha === null) return \`0 \${"0".repeat(40)}\\t\${one.path}\\n\`;
        return \`\${one.mode} \${one.sha || git(["hash-object", "-w", "--stdin"], one.content)}\\t\${one.path}\\n\`;
      });
      git(["update-index", "--index-info"], rows.join(""), index);
      const sha = git(["write-tree"], "", index);
      const tree = git(["ls-tree", sha]).split("\\n").filter(Boolean).map((row) => {
        const [mode, type, id, path] = row.split(/[ \\t]/);
        return { path, mode, type, sha: id, url: \`\${url}/\${type}s/\${id}\` };
      });
      return c.json({ sha, url: \`\${url}/trees/\${sha}\`, tree, truncated: false }, 201);
    } finally {
      (await import("node:fs")).rmSync(index, { force: true });
    }
  });
  app.post("/repos/:owner/:repo/git/commits", async (c, next) => {
    const { repo, actor, git, url } = await bare(c);
    if (!git) return next();
    const body = await parseJsonBody(c);
    const type = git(["cat-file", "-t", body.tree]);
    if (type !== "tree") throw new ApiError(422, "Tree SHA is not a tree");
    for (const one of body.parents) git(["cat-file", "-e", \`\${one}^{commit}\`]);
    const seconds = Math.floor(Date.now() / 1e3);
    const date = new Date(seconds * 1e3).toISOString().replace(".000", "");
    const author = { name: actor.login, email: \`\${actor.login}@users.noreply.github.com\`, date, ...body.author };
    const isApp = actor.login === "keeper" && !body.author && !body.committer;
    const committer = isApp ? { name: "GitHub", email: "noreply@github.com", date } : { ...author, ...body.committer };
    const who = (one) => \`\${one.name} <\${one.email}> \${seconds} +0000\`;
    const parents = body.parents.map((one) => \`parent \${one}\\n\`).join("");
    const head = \`tree \${body.tree}\\n\${parents}author \${who(author)}\\ncommitter \${who(committer)}\\n\`;
    const payload = \`\${head}\\n\${body.message}\`;
    const hash = createHash("sha256").update(payload).digest("hex");
    const signature = isApp ? \`-----BEGIN PGP SIGNATURE-----\\n\\n\${hash}\\n-----END PGP SIGNATURE-----\\n\` : null;
    const header = isApp ? \`gpgsig \${signature.split("\\n").join("\\n ")}\\n\` : "";
    const raw = \`\${head}\${header}\\n\${body.message}\`;
    const sha = git(["hash-object", "-t", "commit", "-w", "--stdin"], raw);
    const page = (id) => \`\${baseUrl}/\${repo.full_name}/commit/\${id}\`;
    return c.json({
      sha, node_id: "C_1", url: \`\${url}/commits/\${sha}\`, html_url: page(sha), author, committer, message: body.message,
      tree: { sha: body.tree, url: \`\${url}/trees/\${body.tree}\` },
      parents: body.parents.map((one) => ({ sha: one, url: \`\${url}/commits/\${one}\`, html_url: page(one) })),
      verification: {
        verified: isApp, reason: isApp ? "valid" : "unsigned", signature, payload: isApp ? payload : null,
        verified_at: isApp ? date : null,
      },
    }, 201);
  });
`,
  ],
  [ // commits of that repository are told of below
    'app.get("/repos/:owner/:repo/commits/:ref{.+}", (c) => {\n',
    `app.get("/repos/:owner/:repo/commits/:ref{.+}", (c, next) => {
    if (lookupRepo(gh, c.req.param("owner"), c.req.param("repo"))?.homepage?.startsWith("file://")) return next();
`,
  ],
  [ // dates are compared as instants; as texts, the milliseconds of a date put it before its own second
    "list.filter((i) => i.updated_at >= sinceQ)",
    "list.filter((i) => Date.parse(i.updated_at) >= Date.parse(sinceQ))",
  ],
  [
    "list.filter((x) => x.updated_at >= since)",
    "list.filter((x) => Date.parse(x.updated_at) >= Date.parse(since))",
  ],
  [ // who edited the text
    `      patch.body = body.body === null ? null : String(body.body);
    }
    const oldState = issue.state;`,
    `      patch.body = body.body === null ? null : String(body.body);
      edited(issue, actor, patch.body);
    }
    const oldState = issue.state;`,
  ],
];

const CORE = [["counter = { remaining: 5e3,", "counter = { remaining: 1e9,"]];

export async function load(url, context, next) {
  const loaded = await next(url, context);
  const changes = url.endsWith("/emulate/dist/dist-PJSQGLE7.js") ? GITHUB : url.endsWith("/emulate/dist/index.js") ? CORE : [];
  if (!changes.length) return loaded;
  let source = loaded.source.toString();
  for (const [old, changed] of changes) {
    if (source.split(old).length !== 2) throw new Error(`emulate has changed: ${old}`);
    source = source.replace(old, () => changed);
  }
  return { ...loaded, source };
}
