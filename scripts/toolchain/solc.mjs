// solc --standard-json on npm's WebAssembly build: reads standard JSON on stdin, writes one line of
// JSON to stdout. npm's own `solcjs --standard-json` prints a banner and cuts the output at 64 KiB.
import { createRequire } from "node:module";
import { readFileSync, existsSync, writeSync } from "node:fs";
import { resolve, isAbsolute } from "node:path";

const require = createRequire(import.meta.url);
const flag = (name) => {
  const found = [];
  process.argv.forEach((value, i, all) => {
    if (value === name && all[i + 1]) found.push(...all[i + 1].split(","));
    if (value.startsWith(`${name}=`)) found.push(...value.slice(name.length + 1).split(","));
  });
  return found.map((path) => resolve(path));
};
if (!process.argv.includes("--standard-json")) {
  console.error("this solc answers --version and --standard-json only");
  process.exit(1);
}
const roots = [...flag("--base-path"), ...flag("--include-path")];
if (roots.length === 0) roots.push(process.cwd());
const allowed = [...roots, ...flag("--allow-paths")];

/** Resolve an import as solc does: under the base path, then each include path; never outside the allowed ones. */
const readImport = (name) => {
  for (const path of isAbsolute(name) ? [name] : roots.map((root) => resolve(root, name))) {
    if (!allowed.some((root) => path === root || path.startsWith(`${root}/`))) continue;
    if (existsSync(path)) return { contents: readFileSync(path, "utf8") };
  }
  return { error: `File not found: ${name}` };
};

const solc = require("solc");
const output = Buffer.from(`${solc.compile(readFileSync(0, "utf8"), { import: readImport })}\n`);
for (let sent = 0; sent < output.length; ) {
  try {
    sent += writeSync(1, output, sent);
  } catch (error) {
    if (error.code !== "EAGAIN") throw error;
  }
}
