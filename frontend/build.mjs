// Builds the pages' scripts and styles into src/catchall/web/static/: minified, named by their content, compressed.
// assets.json maps source names to built names; catchall.web.assets reads it.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, "../src/catchall/web/static");
const WIRE_BYTES_MAX = { "app.js": 60 * 1024, "app.css": 30 * 1024 };

const built = await build({
  entryPoints: [join(here, "src/app.ts"), join(here, "src/app.css")],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  write: false,
  outdir: output,
  logLevel: "warning",
});

const files = new Map(built.outputFiles.map((file) => [file.path.slice(output.length + 1), Buffer.from(file.contents)]));
files.set("favicon.svg", readFileSync(join(here, "src/favicon.svg")));

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
const names = {};
for (const [name, content] of files) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const dot = name.lastIndexOf(".");
  names[name] = `${name.slice(0, dot)}-${hash}${name.slice(dot)}`;
  const zipped = gzipSync(content, { level: 9 });
  if (zipped.length > (WIRE_BYTES_MAX[name] ?? Infinity)) {
    throw new Error(`${name} is ${zipped.length} bytes on the wire; the limit is ${WIRE_BYTES_MAX[name]}`);
  }
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  writeFileSync(join(output, names[name]), content);
  writeFileSync(join(output, `${names[name]}.gz`), zipped);
  writeFileSync(join(output, `${names[name]}.br`), brotliCompressSync(content, { params }));
  console.log(`${names[name]}: ${content.length} bytes, ${zipped.length} gzipped`);
}
writeFileSync(join(output, "assets.json"), JSON.stringify(names, null, 2) + "\n");
