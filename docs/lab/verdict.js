// Does the agent determine each row within a class? The decisions of `identify`, in exact numbers.
"use strict";
(function (TI) {
  const { Num, range, sum, rank, nullSpace, recession, combinations, pick, solveVector, same, apply, min } = TI;
  const YES = "IDENTIFIED", NO = "NOT_IDENTIFIED", NONE = "INCONSISTENT";

  // v != 0 with entries that sum to zero, as two distributions whose difference is parallel to v.
  function split(vector) {
    const up = vector.map((x) => (x.sign() > 0 ? x : Num.ZERO)), down = vector.map((x) => (x.sign() < 0 ? x.neg() : Num.ZERO));
    const total = sum(up);
    return [up.map((x) => x.div(total)), down.map((x) => x.div(total))];
  }
  const unit = (n, s) => range(n).map((t) => (t === s ? Num.ONE : Num.ZERO));
  const spread = (n, columns, values) => {
    const vector = range(n).map(() => Num.ZERO);
    columns.forEach((j, i) => (vector[j] = values[i]));
    return vector;
  };
  const support = (row) => range(row.length).filter((j) => !row[j].isZero());

  // Two distributions with the same values on the columns allowed, or null.
  function uniformPair(system, allowed) {
    const found = nullSpace(pick(system, allowed), allowed.length);
    return found.length ? split(spread(system[0].length, allowed, found[0])) : null;
  }

  // v != 0 with [M;1] v = 0 and at most N positive and N negative entries: among circuits.
  function sparsePair(system, most) {
    const n = system[0].length;
    for (let size = 2; size <= Math.min(2 * most, n); size++)
      for (const columns of combinations(n, size)) {
        const basis = nullSpace(pick(system, columns), size);
        if (basis.length !== 1) continue;
        const positive = basis[0].filter((x) => x.sign() > 0).length, negative = basis[0].filter((x) => x.sign() < 0).length;
        if (Math.max(positive, negative) <= most) return split(spread(n, columns, basis[0]));
      }
    return null;
  }

  // Distributions on at most N states with given values and independent columns; stops after `enough`.
  function sparseMembers(system, right, most, enough) {
    const n = system[0].length, found = [];
    for (let size = 1; size <= Math.min(most, n); size++)
      for (const columns of combinations(n, size)) {
        const part = pick(system, columns);
        if (rank(part) < size) continue;
        const weights = solveVector(part, right);
        if (!weights || weights.some((x) => x.sign() < 0)) continue;
        const point = spread(n, columns, weights);
        if (found.some((other) => same(other, point))) continue;
        found.push(point);
        if (found.length >= enough) return found;
      }
    return found;
  }

  // Another member beside p, on the columns allowed: along a direction that leaves the face of p inside (S1).
  function otherMember(system, p, allowed) {
    const direction = recession(pick(system, allowed), allowed.map((j) => p[j].isZero()));
    if (!direction) return null;
    const v = spread(p.length, allowed, direction);
    const step = min(range(p.length).filter((j) => v[j].sign() < 0).map((j) => p[j].div(v[j].neg())));
    return p.map((x, j) => x.add(step.mul(v[j])));
  }

  function decideRow(i, position, scope, uniform) {
    const [s, a] = i.rows[position], p = i.kernel[s][a], n = i.n, all = range(n);
    const kind = i.kernelClass.split(":")[0];
    if (kind === "unconstrained") {
      const free = nullSpace(i.agent.M, n);
      if (!free.length) return [YES, null];
      const start = scope === "instance" ? p : all.map(() => new Num(1n, BigInt(n)));
      return [NO, [start, start.map((x, j) => x.add(free[0][j]))]];
    }
    if (kind === "deterministic") {
      const columns = all.map((j) => i.agent.M.map((row) => row[j]));
      if (scope === "uniform") return uniform;
      const equal = all.filter((j) => same(columns[j], i.agent.values[position]));
      if (equal.length === 1) return [YES, null];
      return equal.length ? [NO, [unit(n, equal[0]), unit(n, equal[1])]] : [NONE, null];
    }
    const allowed = kind === "supported" ? support(p) : all;
    const most = kind === "sparse" ? Math.min(Number(i.kernelClass.split(":")[1]), n) : n;
    if (scope === "uniform") {
      if (kind !== "supported") return uniform;
      const pair = uniformPair(i.system, allowed);
      return pair ? [NO, pair] : [YES, null];
    }
    if (kind !== "sparse" || most >= n) {
      const other = otherMember(i.system, p, allowed);
      return other ? [NO, [p, other]] : [YES, null];
    }
    const right = [...i.agent.values[position], Num.ONE];
    const own = support(p).length <= most ? [p] : [];
    const found = own.concat(sparseMembers(i.system, right, most, 2).filter((q) => !own.length || !same(q, p)));
    return found.length === 0 ? [NONE, null] : found.length === 1 ? [YES, null] : [NO, [found[0], found[1]]];
  }

  function uniformAnswer(i) {
    const kind = i.kernelClass.split(":")[0], n = i.n;
    if (kind === "deterministic") {
      const columns = range(n).map((j) => i.agent.M.map((row) => row[j]));
      for (const [x, y] of combinations(n, 2)) if (same(columns[x], columns[y])) return [NO, [unit(n, x), unit(n, y)]];
      return [YES, null];
    }
    if (kind === "stochastic" || kind === "sparse") {
      const most = kind === "sparse" ? Number(i.kernelClass.split(":")[1]) : n;
      const pair = most >= n ? uniformPair(i.system, range(n)) : rank(i.system) === n ? null : sparsePair(i.system, most);
      return pair ? [NO, pair] : [YES, null];
    }
    return null;
  }

  // { status, rows: [status], rank, ranks, witness: { state, action, first, second } or null }
  function identify(i, scope, kernelClass) {
    if (kernelClass) i = i.with({ kernelClass });
    const uniform = scope === "uniform" ? uniformAnswer(i) : null;
    const decided = range(i.rows.length).map((position) => decideRow(i, position, scope, uniform));
    const rows = decided.map(([status]) => status);
    const status = rows.includes(NONE) ? NONE : rows.includes(NO) ? NO : YES;
    const place = decided.findIndex(([, pair]) => pair !== null);
    const [state, action] = place < 0 ? [] : i.rows[place];
    const ranks = { M: rank(i.agent.M), ones: rank(i.system) };
    return {
      status, rows, ranks, rank: i.kernelClass === "unconstrained" ? ranks.M : ranks.ones,
      witness: place < 0 ? null : { state, action, first: decided[place][1][0], second: decided[place][1][1] },
    };
  }

  // The world with one row replaced.
  function withRow(i, state, action, row) {
    const kernel = i.kernel.map((rows, s) => (s === state ? rows.map((r, a) => (a === action ? row : r)) : rows));
    return i.with({ kernel });
  }

  const misses = (i, row, right) => apply(i.agent.M, row).some((x, g) => !x.eq(right[g]));

  Object.assign(TI, { identify, withRow, support, split, misses, IDENTIFIED: YES, NOT_IDENTIFIED: NO });
})(globalThis.TI);
