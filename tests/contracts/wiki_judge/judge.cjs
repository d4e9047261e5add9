// Reads one JSON string of wiki markup per line, answers each with one line: the document that Jira Cloud makes of it.
// Run from the folder where the packages are installed.
const { createRequire } = require("node:module");
const readline = require("node:readline");

const load = createRequire(`${process.cwd()}/`);
const { WikiMarkupTransformer } = load("@atlaskit/editor-wikimarkup-transformer");

const transformer = new WikiMarkupTransformer();

function judge(markup) {
  try {
    return transformer.parse(markup).toJSON();
  } catch (error) {
    return { error: String(error) };
  }
}

readline.createInterface({ input: process.stdin, crlfDelay: Infinity }).on("line", (line) => {
  process.stdout.write(`${JSON.stringify(judge(JSON.parse(line)))}\n`);
});
