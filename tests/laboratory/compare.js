// Reads cases as JSON lines from standard input and prints each that the laboratory's core answers otherwise.
"use strict";
const path = require("path");
const folder = process.argv[2];
for (const name of ["numbers", "algebra", "world", "verdict", "statements"]) require(path.join(folder, `${name}.js`));
const TI = globalThis.TI;
const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
let compared = 0, differ = 0;
const report = (what, seen, expected, given) => {
  differ++;
  if (differ <= 20) console.log(JSON.stringify({ what, seen, expected, instance: given.instance }));
};
for (const line of lines) {
  const given = JSON.parse(line);
  const instance = () => new TI.Instance(given.instance);
  if (given.answers) {
    for (const expected of given.answers) {
      compared++;
      const i = instance(), found = TI.identify(i, expected.scope, expected.class);
      const seen = { status: found.status, rows: found.rows, ranks: found.ranks };
      const wanted = { status: expected.status, rows: expected.rows, ranks: expected.ranks };
      if (!same(seen, wanted)) report([expected.class, expected.scope], seen, wanted, given);
      if (found.witness) {
        const { state, action, first, second } = found.witness, s = (row) => row.map(String).join();
        const row = i.kernel[state][action];
        const right = expected.scope === "uniform" ? TI.apply(i.agent.M, first) : TI.apply(i.agent.M, row);
        if (s(first) === s(second) || TI.misses(i, first, right) || TI.misses(i, second, right))
          report("witness", found.witness, null, given);
      }
    }
    continue;
  }
  if (!(given.id in TI.statements)) continue; // shown with words alone
  compared++;
  try {
    const i = instance(), found = TI.mark(given.id, i), lamps = TI.lamps(given.id, i).map((lamp) => lamp.on);
    if (!same(lamps, given.lamps)) report([given.id, "lamps"], lamps, given.lamps, given);
    else if (found.holds !== given.holds) report([given.id, "conclusion", found.text], found.holds, given.holds, given);
  } catch (problem) {
    report([given.id, problem.stack], null, null, given);
  }
}
console.log(JSON.stringify({ compared, differ }));
