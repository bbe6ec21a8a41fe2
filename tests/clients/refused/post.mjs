// What every program here does: `PROGRAM BASE TRIES` reads cases from stdin, one a line, as
// `path TAB bytes TAB content type TAB header: value`, posts each that often, and prints a line of statuses for each.
import { readFileSync } from "node:fs";

const [base, tries] = process.argv.slice(2);
for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const [path, bytes, type, header] = line.split("\t");
  const [name, value] = header.split(": ");
  const statuses = [];
  for (let i = 0; i < Number(tries); i++) {
    try {
      const headers = { "Content-Type": type, [name]: value };
      const answer = await fetch(base + path, { method: "POST", headers, body: Buffer.alloc(Number(bytes), "x") });
      await answer.json();
      statuses.push(answer.status);
    } catch (error) {
      statuses.push(String(error.cause?.code ?? error).replaceAll(" ", "_"));
    }
  }
  console.log(statuses.join(" "));
}
