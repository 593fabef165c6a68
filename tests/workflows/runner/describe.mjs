// node describe.mjs FILE... -> a JSON list of {file, errors, document} on stdout.
import { plain, read } from "./workflow.mjs";

const described = [];
for (const file of process.argv.slice(2)) {
  const { errors, document } = await read(file);
  described.push({ file, errors, document: plain(document) });
}
process.stdout.write(JSON.stringify(described));
