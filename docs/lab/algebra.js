// Linear algebra and linear programs in exact numbers; worlds here are small, so elimination is plain.
"use strict";
(function (TI) {
  const { Num, range, dot, same } = TI;

  // Reduced row echelon form: { rows, pivots }.
  function rref(matrix, width) {
    const rows = matrix.map((row) => row.slice());
    const columns = width === undefined ? (rows[0] || []).length : width;
    const pivots = [];
    for (let j = 0, i = 0; j < columns && i < rows.length; j++) {
      const found = range(rows.length).slice(i).find((k) => !rows[k][j].isZero());
      if (found === undefined) continue;
      [rows[i], rows[found]] = [rows[found], rows[i]];
      const scale = rows[i][j].inv();
      rows[i] = rows[i].map((x) => (x.isZero() ? x : x.mul(scale)));
      for (let k = 0; k < rows.length; k++) {
        const factor = rows[k][j];
        if (k !== i && !factor.isZero())
          rows[k] = rows[k].map((x, c) => (rows[i][c].isZero() ? x : x.sub(factor.mul(rows[i][c]))));
      }
      pivots.push(j);
      i++;
    }
    return { rows, pivots };
  }
  const rank = (matrix) => (matrix.length ? rref(matrix).pivots.length : 0);

  function nullSpace(matrix, n) {
    const { rows, pivots } = rref(matrix, n);
    return range(n).filter((j) => !pivots.includes(j)).map((free) => {
      const vector = range(n).map(() => Num.ZERO);
      vector[free] = Num.ONE;
      pivots.forEach((p, i) => (vector[p] = rows[i][free].neg()));
      return vector;
    });
  }

  // One solution of A X = B (B: list of columns' rows), or null where there is none; free variables are zero.
  function solve(matrix, right) {
    const n = matrix[0].length, width = right[0].length;
    const { rows, pivots } = rref(matrix.map((row, i) => row.concat(right[i])), n);
    if (rows.slice(pivots.length).some((row) => row.slice(n).some((x) => !x.isZero()))) return null;
    const result = range(n).map(() => range(width).map(() => Num.ZERO));
    pivots.forEach((p, i) => (result[p] = rows[i].slice(n)));
    return result;
  }
  const solveVector = (matrix, right) => {
    const found = solve(matrix, right.map((x) => [x]));
    return found && found.map((row) => row[0]);
  };

  const transpose = (matrix, n) => range(matrix.length ? matrix[0].length : n || 0).map((j) => matrix.map((row) => row[j]));
  const multiply = (a, b) => {
    const columns = transpose(b);
    return a.map((row) => columns.map((column) => dot(row, column)));
  };
  const apply = (matrix, vector) => matrix.map((row) => dot(row, vector));
  const pick = (matrix, columns) => matrix.map((row) => columns.map((j) => row[j]));
  const identity = (n) => range(n).map((i) => range(n).map((j) => (i === j ? Num.ONE : Num.ZERO)));

  function determinant(matrix) {
    const rows = matrix.map((row) => row.slice());
    let result = Num.ONE;
    for (let j = 0; j < rows.length; j++) {
      const found = range(rows.length).slice(j).find((k) => !rows[k][j].isZero());
      if (found === undefined) return Num.ZERO;
      if (found !== j) {
        [rows[j], rows[found]] = [rows[found], rows[j]];
        result = result.neg();
      }
      result = result.mul(rows[j][j]);
      for (let k = j + 1; k < rows.length; k++) {
        const factor = rows[k][j].div(rows[j][j]);
        if (!factor.isZero()) rows[k] = rows[k].map((x, c) => x.sub(factor.mul(rows[j][c])));
      }
    }
    return result;
  }

  // A point x >= 0 with A x = b, or null: phase one of the simplex method under Bland's rule, which never cycles.
  function nonnegativeSolution(matrix, right) {
    const n = matrix.length ? matrix[0].length : 0;
    const rows = matrix.map((row, i) => {
      const flip = right[i].sign() < 0;
      return row.concat([right[i]]).map((x) => (flip ? x.neg() : x));
    });
    const basis = rows.map((_, i) => n + i); // artificial variables, whose columns need not be kept
    let cost = range(n + 1).map((j) => TI.sum(rows.map((row) => row[j])));
    for (;;) {
      if (cost[n].isZero()) break;
      const entering = range(n).find((j) => cost[j].sign() > 0);
      if (entering === undefined) return null;
      let leaving = -1, least = null;
      rows.forEach((row, i) => {
        if (row[entering].sign() <= 0) return;
        const ratio = row[n].div(row[entering]);
        const order = least === null ? -1 : ratio.cmp(least);
        if (order < 0 || (order === 0 && basis[i] < basis[leaving])) [leaving, least] = [i, ratio];
      });
      const pivot = rows[leaving][entering];
      rows[leaving] = rows[leaving].map((x) => x.div(pivot));
      const reduce = (row) => {
        const factor = row[entering];
        return factor.isZero() ? row : row.map((x, j) => x.sub(factor.mul(rows[leaving][j])));
      };
      for (let i = 0; i < rows.length; i++) if (i !== leaving) rows[i] = reduce(rows[i]);
      cost = reduce(cost);
      basis[leaving] = entering;
    }
    const point = range(n).map(() => Num.ZERO);
    basis.forEach((j, i) => j < n && (point[j] = rows[i][n]));
    return point;
  }

  // v != 0 with A v = 0 and v >= 0 where `off` is true, or null.
  function recession(matrix, off) {
    const n = off.length;
    const on = range(n).filter((j) => !off[j]), outside = range(n).filter((j) => off[j]);
    const spread = (columns, values) => {
      const vector = range(n).map(() => Num.ZERO);
      columns.forEach((j, i) => (vector[j] = vector[j].add(values[i])));
      return vector;
    };
    const inside = nullSpace(pick(matrix, on), on.length);
    if (inside.length) return spread(on, inside[0]);
    if (!outside.length) return null;
    const table = matrix.map((row) => [...outside.map((j) => row[j]), ...on.map((j) => row[j]), ...on.map((j) => row[j].neg())]);
    table.push([...outside.map(() => Num.ONE), ...on.map(() => Num.ZERO), ...on.map(() => Num.ZERO)]);
    const found = nonnegativeSolution(table, [...matrix.map(() => Num.ZERO), Num.ONE]);
    if (!found) return null;
    const o = outside.length, s = on.length;
    return spread([...outside, ...on], [
      ...found.slice(0, o), ...range(s).map((i) => found[o + i].sub(found[o + s + i])),
    ]);
  }

  function* combinations(n, size, start = 0, chosen = []) {
    if (chosen.length === size) yield chosen.slice();
    else for (let i = start; i < n; i++) yield* combinations(n, size, i + 1, [...chosen, i]);
  }

  // All extreme points of { p >= 0 : A p = b }: the positive entries have independent columns.
  function extremePoints(matrix, right) {
    const n = matrix[0].length, points = [];
    for (let size = 1; size <= Math.min(matrix.length, n); size++) {
      for (const columns of combinations(n, size)) {
        const part = pick(matrix, columns);
        const { rows, pivots } = rref(part.map((row, i) => [...row, right[i]]));
        if (pivots.length !== size || pivots.includes(size)) continue;
        const weights = range(size).map((i) => rows[i][size]);
        if (weights.some((x) => x.sign() <= 0)) continue;
        const point = range(n).map(() => Num.ZERO);
        columns.forEach((j, i) => (point[j] = weights[i]));
        points.push(point);
      }
    }
    return points;
  }

  Object.assign(TI, {
    rref, rank, nullSpace, solve, solveVector, transpose, multiply, apply, pick, identity, determinant,
    nonnegativeSolution, recession, combinations, extremePoints, same,
  });
})(globalThis.TI);
