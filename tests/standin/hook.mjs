// See start.mjs.
const GITHUB = [
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
  app.get("/repos/:owner/:repo/assignees/:login", (c) => {
    const login = c.req.param("login").toLowerCase();
    if (!assignable(c).some((user) => user.login.toLowerCase() === login)) throw notFound();
    return c.body(null, 204);
  });
`,
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
