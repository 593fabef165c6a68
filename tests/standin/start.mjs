// Starts `emulate` with what it lacks and GitHub has: routes of added.mjs, and changes of hook.mjs; docs/reliability.md lists
// both. It has no limit of 5,000 requests, which long tests would meet.
// Each change must find its place exactly once, so that another version of the package is noticed.
import { register } from "node:module";

register("./hook.mjs", import.meta.url);
await import("./node_modules/emulate/dist/index.js");
