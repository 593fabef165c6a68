// Reading a workflow with GitHub's parser and evaluating its expressions with GitHub's evaluator.
import { register } from "node:module";
import { readFileSync } from "node:fs";

register("./hook.mjs", import.meta.url);
const { parseWorkflow, convertWorkflowTemplate, NoOperationTraceWriter } = await import("@actions/workflow-parser");
const { Lexer, Parser, Evaluator, data } = await import("@actions/expressions");
const { reviver } = await import("@actions/expressions/data/reviver");

/** A workflow file -> its errors as text, the jobs as GitHub understands them, and the whole document as tokens. */
export async function read(file) {
  const { context, value } = parseWorkflow({ name: file, content: readFileSync(file, "utf8") }, new NoOperationTraceWriter());
  const template = value && (await convertWorkflowTemplate(context, value));
  return { errors: context.errors.getErrors().map((one) => one.message), jobs: template?.jobs ?? [], document: value };
}

/** A token -> plain JSON; an expression keeps its `${{ }}`. */
export function plain(token) {
  if (!token) return null;
  if (token.isScalar) return token.isExpression ? (token.source ?? `\${{ ${token.expression} }}`) : (token.value ?? null);
  const inner = Array.from({ length: token.count }, (_, at) => token.get(at));
  return "key" in (inner[0] ?? {}) || token.templateTokenType === 2
    ? Object.fromEntries(inner.map(({ key, value }) => [plain(key), plain(value)]))
    : inner.map(plain);
}

/** The token under a path of keys and indexes, or undefined. */
export function at(token, ...path) {
  for (const step of path) {
    if (!token) return undefined;
    if (typeof step === "number") token = token.get(step);
    else token = Array.from({ length: token.count }, (_, n) => token.get(n)).find(({ key }) => key.toString() === step)?.value;
  }
  return token;
}

/** The status functions over a job that has failed or not. */
function statusFunctions(failed) {
  const values = { always: true, success: !failed, failure: failed, cancelled: false };
  return Object.entries(values).map(([name, value]) => ({ name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(value) }));
}

/** An expression under contexts ({github: ..., steps: ...}) -> GitHub's value. A context or function not given is an error. */
export function evaluate(expression, contexts, failed = false) {
  const functions = statusFunctions(failed);
  const tree = new Parser(new Lexer(expression).lex().tokens, Object.keys(contexts), functions).parse();
  const values = JSON.parse(JSON.stringify(contexts), reviver);
  return new Evaluator(tree, values, new Map(functions.map((one) => [one.name, one]))).evaluate();
}

/** What a scalar becomes when the job runs. */
export function text(token, contexts, failed) {
  if (!token) return "";
  return token.isExpression ? evaluate(token.expression, contexts, failed).coerceString() : token.toString();
}

/** What a mapping of scalars (env, with) becomes when the job runs. */
export function texts(token, contexts, failed) {
  const pairs = Array.from({ length: token?.count ?? 0 }, (_, n) => token.get(n));
  return Object.fromEntries(pairs.map(({ key, value }) => [text(key, contexts, failed), text(value, contexts, failed)]));
}

export function truth(value) {
  return !["", "false", "0", "NaN"].includes(value.coerceString());
}
