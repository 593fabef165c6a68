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
