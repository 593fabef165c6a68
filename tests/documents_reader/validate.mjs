// What html-validate finds in pages: `node validate.mjs PAGES.json` (name -> HTML) prints a line for each fault.
import { readFileSync } from "node:fs";
import { HtmlValidate } from "html-validate";

// A page is called what its incident is called, however long that is.
const rules = { "long-title": "off" };
const judge = new HtmlValidate({ extends: ["html-validate:recommended", "html-validate:document"], rules });
for (const [name, text] of Object.entries(JSON.parse(readFileSync(process.argv[2], "utf8")))) {
  const { results } = await judge.validateString(text, `${name}.html`);
  for (const { messages } of results)
    for (const { ruleId, line, message } of messages) console.log(`${name}:${line} ${ruleId}: ${message}`);
}
