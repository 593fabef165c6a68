// actions/create-github-app-token: the token that a test has made for the App, as $STANDIN_APP_TOKEN; none
// where it is suspended, uninstalled, or its key revoked.
import { fail, inputs, put } from "./common.mjs";

const names = ["client-id", "private-key", "owner", "repositories"];
const rights = ["actions", "contents", "issues", "pull-requests", "statuses"].map((one) => `permission-${one}`);
const given = inputs("actions/create-github-app-token", [...names, ...rights]);
if (!given["client-id"] || !given["private-key"]) fail("Input required and not supplied: client-id, private-key");
if (!process.env.STANDIN_APP_TOKEN) fail("This installation has been suspended - https://docs.github.com/rest");
put("GITHUB_OUTPUT", "token", process.env.STANDIN_APP_TOKEN);
