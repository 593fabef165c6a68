// Starts `emulate` with what it lacks and GitHub has: closing as duplicate, the list of all comments, who can be assigned,
// who edited a text (GraphQL), who closed a pull request, one open pull request a branch, the setting that forbids them,
// and trees and commits in a real repository beside it, signed; and without its limit of 5,000 requests, which long tests
// would meet.
// Each change must find its place exactly once, so that another version of the package is noticed.
import { register } from "node:module";

register("./hook.mjs", import.meta.url);
await import("./node_modules/emulate/dist/index.js");
