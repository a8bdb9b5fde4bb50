// For each statement: its hypotheses as predicates of an instance, under the names that the package gives them, and
// its conclusion. The package is the oracle: a test compares every answer given here with those of `proofs_checks`.
"use strict";
(function (TI) {
  const {
    Num, range, sum, dot, max, min, same, rank, determinant, nullSpace, solve, transpose, multiply, apply, pick, identity,
    combinations, extremePoints, nonnegativeSolution, recession, identify, withRow, support, unconditional, testFunction,
    testMatrixFrom, misses, solveVector, Instance, IDENTIFIED,
  } = TI;
  const { ZERO, ONE } = Num;
  const said = (holds, text) => ({ holds, text });
  const flat = (table) => table.flat(Infinity);
  const columns = (matrix) => transpose(matrix);
  const key = (row) => row.join(",");
  const distinct = (matrix) => new Set(columns(matrix).map(key)).size === matrix[0].length;
  const different = (table) => new Set(flat(table).map(String)).size === flat(table).length;
  const availableRows = (i) => i.rows.map(([s, a]) => i.kernel[s][a]);
  const allRows = (i) => i.kernel.flat();
  const isSure = (row) => row.some((x) => x.eq(ONE));
  const deterministic = (i) => availableRows(i).every(isSure);
  const kind = (i) => i.kernelClass.split(":")[0];
  const cell = (i, name) => flat(i.extra[name])[0];
  const numbers = (i, name) => flat(i.extra[name]).map((x) => Number(x.number()));
  const uniformly = (i, kernelClass) => {
    const verdict = identify(i, "uniform", kernelClass);
    return said(verdict.status === IDENTIFIED, `${verdict.status}, rank ${verdict.rank} of ${i.n}`);
  };
  const fullRank = (i) => {
    const found = rank(i.agent.M);
    return said(found === i.n, `rank M is ${found} with ${i.n} states`);
  };
  const spans = (i) => rank(i.rewards) === i.n;
  const optimal = (i) => i.policy === null;
  const alike = (table) => table.every((row) => same(row, table[0]));
  const zeroOrOne = (x) => x.isZero() || x.eq(ONE);
  const complement = (i) => same(i.continuation, i.rewards.map((row) => row.map((x) => ONE.sub(x))));
  const noRepeats = (table) => {
    const values = flat(table).filter((x) => !zeroOrOne(x)).map(String);
    return new Set(values).size === values.length;
  };
  const reach = (edges, start) => {
    const seen = new Set(start), queue = [...start];
    while (queue.length) {
      const s = queue.pop();
      edges[s].forEach((yes, t) => yes && !seen.has(t) && (seen.add(t), queue.push(t)));
    }
    return seen;
  };
  const edgesOf = (i, taken) => range(i.n).map((s) => range(i.n).map((t) =>
    range(i.m).some((a) => (!taken || taken[s][a]) && !i.kernel[s][a][t].isZero())));
  // Fewest steps from each state, over edges.
  const steps = (edges) => edges.map((_, start) => {
    const found = edges.map(() => Infinity), queue = [start];
    found[start] = 0;
    for (const s of queue) edges[s].forEach((yes, t) => yes && found[t] === Infinity && ((found[t] = found[s] + 1), queue.push(t)));
    return found;
  });

  const table = {};

  // L1 -----------------------------------------------------------------------------------------------------------
  const otherRewards = (i, rewards) => i.with({ rewards });
  const added = (a, b) => a.map((row, g) => row.map((x, s) => x.add(b[g][s])));
  table.L1 = {
    lamps: { "the policies do not follow the rewards": (i) => i.policy !== null },
    conclude(i) {
      const other = i.extra.other_rewards;
      const whole = otherRewards(i, added(i.rewards, other)).agent.M;
      const holds = same(whole, added(i.agent.M, otherRewards(i, other).agent.M));
      return said(holds, holds ? "M adds up when rewards do" : "the M of the sum of two rewards is not the sum of their M");
    },
  };

  // T1 -----------------------------------------------------------------------------------------------------------
  function limit(i, start) {
    const free = nullSpace(i.agent.M, i.n), rows = i.rows;
    return rows.map(([s, a], position) => {
      const from = start[s * i.m + a];
      return solveVector([...i.agent.M, ...free], [...i.agent.values[position], ...free.map((v) => dot(v, from))]);
    });
  }
  table.T1 = {
    lamps: { "rank M = n (for a limit that forgets where it started)": (i) => rank(i.agent.M) === i.n },
    conclude(i) {
      // The closed form M^+ Q starts at zero; the package's tolerance, a multiple of the condition number, tells
      // something only where M has full rank.
      const zero = allRows(i).map((row) => row.map(() => ZERO));
      const starts = rank(i.agent.M) === Math.min(i.k, i.n) ? [...i.extra.starts, zero] : i.extra.starts;
      const holds = starts.every((start) => same(limit(i, start), availableRows(i)));
      const sums = limit(i, i.extra.starts[0]).map((row) => sum(row).toString()).join(", ");
      return said(holds, holds ? "both starts end at the true kernel" : `a start does not end at the truth; row sums ${sums}`);
    },
  };

  // T2a ----------------------------------------------------------------------------------------------------------
  table.T2a = {
    lamps: {
      "the world is deterministic": deterministic,
      "rows are judged among deterministic ones": (i) => i.kernelClass === "deterministic",
      "generic rewards (tested by: no two states pay alike for every goal)": (i) => distinct(i.rewards),
    },
    conclude(i) {
      const verdict = identify(i, "instance"), apart = distinct(i.agent.M);
      return said(apart && verdict.status === IDENTIFIED, `columns of M ${apart ? "differ" : "are not all different"}; ${verdict.status}`);
    },
  };

  // T2b ----------------------------------------------------------------------------------------------------------
  const power = (vector, norm) => (norm === 0 ? max(vector.map((x) => x.abs())) : sum(vector.map((x) => x.abs().pow(norm))));
  const least = (list) => (list.length ? min(list) : ZERO);
  function constantPower(i, norm) {
    if (norm === 0) return max(flat(i.continuation));
    return max(range(i.n).map((s) => {
      const weights = i.continuation.map((row) => row[s].pow(norm));
      if (i.policy === null) {
        const count = Math.min(i.available[s].filter(Boolean).length, i.k);
        return sum(weights.sort((a, b) => b.cmp(a)).slice(0, count));
      }
      return sum(range(i.m).map((a) => max(range(i.k).map((g) => weights[g].mul(i.policyOf(g)[s][a])))));
    }));
  }
  const noisyQ = (i) => i.agent.q.map((q, g) => q.map((row, s) => row.map((x, a) => (x === null ? null : x.add(i.extra.noise[g][s][a])))));
  const valuesOf = (i, q, s, a) => range(i.k).map((g) => (i.actionRewards ? q[g][s][a].sub(i.actionRewards[g][s][a]) : q[g][s][a]));
  const noiseRow = (i, s, a) => range(i.k).map((g) => i.extra.noise[g][s][a]);
  function noiseIsBelow(i) {
    const norm = Number(cell(i, "norm").n), eps = max(i.rows.map(([s, a]) => power(noiseRow(i, s, a), norm)));
    const shown = columns(i.agent.M), gaps = [...combinations(i.n, 2)].map(([x, y]) => power(shown[x].map((v, g) => v.sub(shown[y][g])), norm));
    const distance = least(gaps), constant = constantPower(i, norm), gamma = i.discount, two = new Num(2n);
    if (norm < 2) return distance.cmp(two.mul(ONE.add(gamma.mul(constant))).mul(eps)) > 0;
    const left = distance.sub(new Num(4n).mul(eps).mul(ONE.add(gamma.mul(gamma).mul(constant)))), factor = new Num(8n).mul(gamma).mul(eps);
    return left.sign() > 0 && left.mul(left).cmp(factor.mul(factor).mul(constant)) > 0;
  }
  table.T2b = {
    lamps: { "the world is deterministic": deterministic, "the columns are more than 2 (1 + gamma c_p) eps apart": noiseIsBelow },
    conclude(i) {
      if (!deterministic(i)) return said(false, "a row is no column");
      const norm = Number(cell(i, "norm").n), q = noisyQ(i), shown = columns(testMatrixFrom(i, q, i.policy));
      const wrong = i.rows.filter(([s, a]) => {
        const right = valuesOf(i, q, s, a);
        const far = shown.map((column) => power(column.map((x, g) => x.sub(right[g])), norm));
        const truth = i.kernel[s][a].findIndex((x) => x.eq(ONE));
        return far.some((x, t) => t !== truth && x.cmp(far[truth]) <= 0);
      });
      return said(!wrong.length, wrong.length ? `another column is as near for ${wrong.map(([s, a]) => `state ${s}, action ${a}`).join("; ")}` : "the true column is the nearest everywhere");
    },
  };

  // T2c ----------------------------------------------------------------------------------------------------------
  table.T2c = {
    lamps: {
      "three states or more": (i) => i.n >= 3,
      "one goal": (i) => i.k === 1,
      "the columns of M differ (so for almost every reward)": (i) => distinct(i.agent.M),
    },
    conclude(i) {
      const m = i.agent.M[0], ends = [min(m), max(m)], verdict = identify(i, "instance", "stochastic");
      const wrong = i.rows.filter(([s, a], position) => {
        const column = i.kernel[s][a].findIndex((x) => x.eq(ONE));
        const claimed = column >= 0 && ends.some((end) => end.eq(m[column]));
        return claimed !== (verdict.rows[position] === IDENTIFIED);
      });
      return said(!wrong.length, `M = (${m.join(", ")}); ${wrong.length ? `other than stated: ${wrong.map(([s, a]) => `state ${s}, action ${a}`).join("; ")}` : "just the sure moves to the ends are identified"}`);
    },
  };

  // T2d ----------------------------------------------------------------------------------------------------------
  const symmetric = (edges) => edges.every((row, s) => row.every((yes, t) => yes === edges[t][s]));
  function endOfAPath(edges, goal) {
    const n = edges.length, both = edges.map((row, s) => row.map((yes, t) => s !== t && (yes || edges[t][s])));
    const degree = both.map((row) => row.filter(Boolean).length);
    const path = reach(both, [0]).size === n && n >= 2 && key(degree.slice().sort((a, b) => a - b)) === key([1, 1, ...range(n - 2).map(() => 2)]);
    return path && degree[goal] === 1;
  }
  table.T2d = {
    lamps: {
      "the world is deterministic": deterministic,
      "every edge can be walked both ways": (i) => symmetric(edgesOf(i)),
      "the graph is connected": (i) => range(i.n).every((s) => reach(edgesOf(i), [s]).size === i.n),
      "the agent is optimal": optimal,
      "the discount is positive": (i) => i.discount.sign() > 0,
      "one indicator goal, ending on arrival or not": (i) => i.k === 1 && i.rewards[0].every(zeroOrOne) && sum(i.rewards[0]).eq(ONE)
        && (i.continuation[0].every((x) => x.eq(ONE)) || complement(i)),
    },
    conclude(i) {
      const edges = edgesOf(i), goal = Math.max(0, i.rewards[0].findIndex((x) => !x.isZero())), m = i.agent.M[0];
      const far = steps(edges).map((row) => row[goal]);
      const stated = range(i.n).every((s) => far[s] === Infinity || m[s].eq(i.discount.pow(far[s]).mul(m[goal])));
      const seen = identify(i, "uniform", "deterministic").status === IDENTIFIED, end = endOfAPath(edges, goal);
      return said(stated && seen === end, `M ${stated ? "is" : "is not"} a power of the discount; identified: ${seen}, end of a path: ${end}`);
    },
  };

  // P1 -----------------------------------------------------------------------------------------------------------
  table.P1 = {
    lamps: {
      "no two states are equally far from the centre (so for almost every centre, if the embedding is injective)": (i) =>
        new Set(i.rewards[0].map(String)).size === i.n,
    },
    conclude(i) {
      // Rewards stand for their exponentials: sums of these vanish only if the coefficients of equal powers do.
      const each = identity(i.n).map((unit) => testFunction(i.with({ rewards: [unit] }), 0, i.policyOf(0)));
      const equal = [...combinations(i.n, 2)].filter(([x, y]) => {
        const total = new Map();
        i.rewards[0].forEach((p, s) => total.set(String(p), (total.get(String(p)) || ZERO).add(each[s][x].sub(each[s][y]))));
        return [...total.values()].every((c) => c.isZero());
      });
      return said(!equal.length, equal.length ? `equal columns of M: ${equal.map((e) => e.join(" and ")).join("; ")}` : "all columns of M differ");
    },
  };

  // T3a, T3b, T3c ------------------------------------------------------------------------------------------------
  table.T3a = {
    lamps: {
      "generic rewards (tested by: no reward repeats)": (i) => different(i.rewards),
      "k >= n - 1 for stochastic kernels, k >= n for all": (i) => i.k >= i.n - (i.kernelClass === "stochastic" ? 1 : 0),
    },
    conclude: (i) => uniformly(i),
  };
  table.T3b = {
    lamps: {
      "one unconditional policy": unconditional,
      "the rewards span: rank R = n": spans,
      "one continuation for all goals, or indicator goals that end": (i) => alike(i.continuation)
        || (flat(i.rewards).every(zeroOrOne) && i.rewards.every((row) => sum(row).eq(ONE)) && complement(i)),
    },
    conclude: fullRank,
  };
  // Exceptional: a rank, of M or [M;1], is less than at the discounts nearby, for the policies that are taken there.
  function ordinary(i) {
    if (i.discount.isZero()) return true;
    const here = rank(i.agent.M), ones = rank(i.system);
    if (here === i.n) return true;
    const step = new Num(1n, 10n ** 9n + 7n).mul(min([i.discount, ONE.sub(i.discount)]));
    return [i.discount.sub(step), i.discount.add(step)].every((discount) => {
      const near = i.with({ discount });
      return rank(near.agent.M) <= here && rank(near.system) <= ones;
    });
  }
  table.T3c = {
    lamps: { "the rewards span: rank R = n": spans, "the discount is none of the finitely many exceptional ones": ordinary },
    conclude: fullRank,
  };

  // T3d ----------------------------------------------------------------------------------------------------------
  const shownMatrix = (i) => testMatrixFrom(i, noisyQ(i), i.extra.estimated || i.policy);
  function pseudoInverse(matrix) {
    const chosen = [];
    matrix.forEach((row) => rank([...chosen, row]) > chosen.length && chosen.push(row));
    if (!chosen.length) return transpose(matrix).map((row) => row.map(() => ZERO));
    const gg = multiply(chosen, transpose(chosen));
    const f = transpose(solve(gg, multiply(chosen, transpose(matrix))));
    const left = solve(multiply(transpose(f), f), transpose(f));
    return multiply(transpose(chosen), solve(gg, left));
  }
  function nearestInSimplex(matrix, values) {
    const n = matrix[0].length;
    for (let size = 1; size <= n; size++)
      for (const chosen of combinations(n, size)) {
        const some = pick(matrix, chosen), gram = multiply(transpose(some), some);
        const system = [...gram.map((row) => [...row, ONE]), [...range(size).map(() => ONE), ZERO]];
        if (determinant(system).isZero()) continue;
        const found = solveVector(system, [...apply(transpose(some), values), ONE]);
        const row = range(n).map(() => ZERO);
        chosen.forEach((j, k) => (row[j] = found[k]));
        const gradient = apply(transpose(matrix), apply(matrix, row).map((x, g) => x.sub(values[g])));
        if (row.every((x) => x.sign() >= 0) && gradient.every((x) => x.add(found[size]).sign() >= 0)) return row;
      }
    throw new TI.ModelError("no support satisfies the optimality conditions");
  }
  const isqrt = (x) => {
    if (x < 2n) return x;
    let y = 1n << BigInt((x.toString(2).length + 1) >> 1);
    for (;;) {
      const next = (y + x / y) >> 1n;
      if (next >= y) return y;
      y = next;
    }
  };
  function rootBelow(x) {
    const exactly = new Num(isqrt(x.n), isqrt(x.d));
    return exactly.mul(exactly).eq(x) ? exactly : new Num(isqrt((x.n * 10n ** 30n) / x.d), 10n ** 15n);
  }
  const over = (i) => cell(i, "one over the norm");
  const normOf = (i) => (over(i).isZero() ? 0 : over(i).eq(ONE) ? 1 : 2);
  function columnConstant(i) {
    if (over(i).isZero()) return max(flat(i.continuation));
    const norm = normOf(i);
    const total = max(range(i.n).map((s) => {
      const weights = i.continuation.map((row) => row[s].pow(norm));
      if (i.policy === null) return sum(weights.sort((a, b) => b.cmp(a)).slice(0, i.m));
      return sum(range(i.m).map((a) => max(range(i.k).map((g) => weights[g].mul(i.policyOf(g)[s][a])))));
    }));
    return norm === 1 ? total : rootBelow(total);
  }
  const positiveDefinite = (matrix) => range(matrix.length).every((size) => determinant(matrix.slice(0, size + 1).map((row) => row.slice(0, size + 1))).sign() > 0);
  table.T3d = {
    lamps: {
      "Mhat has rank n (in the simplex: [Mhat;1])": (i) => {
        const matrix = shownMatrix(i);
        return i.kernelClass === "stochastic" ? rank(matrix.map((row) => row.map((x) => x.sub(row[i.n - 1])))) === i.n - 1 : rank(matrix) === i.n;
      },
      "noise of at most eps in every row": (i) => {
        const norm = normOf(i), eps = cell(i, "eps");
        const largest = max(range(i.n).flatMap((s) => range(i.m).map((a) => power(noiseRow(i, s, a), norm))));
        return largest.cmp(norm === 2 ? eps.mul(eps) : eps) <= 0;
      },
      "the policy is known, or optimal": (i) => !("estimated" in i.extra),
      "closed form, or least squares in the simplex and the 2-norm": (i) => i.kernelClass === "unconstrained" || over(i).eq(new Num(1n, 2n)),
    },
    conclude(i) {
      const beta = ONE.add(i.discount.mul(columnConstant(i))).mul(cell(i, "eps")), matrix = shownMatrix(i), n = i.n, norm = normOf(i);
      let basis = identity(n);
      if (i.kernelClass === "stochastic") basis = basis.map((row) => row.slice(0, n - 1).map((x) => x.sub(row[n - 1])));
      const seen = basis[0].length ? multiply(matrix, basis) : null;
      const inverse = seen ? multiply(basis, pseudoInverse(seen)) : null;
      const sizes = seen ? inverse.map((row) => row.map((x) => x.abs())) : [[ZERO]];
      const bound = norm === 1 ? max(columns(sizes).map(sum)) : max(sizes.map(sum));
      const closed = i.kernelClass === "unconstrained" ? pseudoInverse(matrix) : null, q = noisyQ(i);
      for (const [s, a] of i.rows) {
        const values = valuesOf(i, q, s, a);
        const row = closed ? apply(closed, values) : nearestInSimplex(matrix, values);
        const size = power(row.map((x, t) => x.sub(i.kernel[s][a][t])), norm);
        if (norm !== 2) {
          if (size.cmp(bound.mul(beta)) > 0) return said(false, `state ${s}, action ${a}: an error of ${size}, above ${bound.mul(beta)}`);
        } else if (!size.isZero()) {
          const gram = multiply(transpose(seen), seen).map((line, x) => line.map((v, y) => size.mul(v).sub(beta.mul(beta).mul(dot(columns(basis)[x], columns(basis)[y])))));
          if (positiveDefinite(gram)) return said(false, `state ${s}, action ${a}: a squared error of ${size}, above the bound`);
        }
      }
      return said(true, "all rows are within the bound");
    },
  };

  // T5a, T5b -----------------------------------------------------------------------------------------------------
  const largestSupport = (i) => Math.max(...allRows(i).map((row) => support(row).length));
  const sparsity = (i) => (kind(i) === "sparse" ? Number(i.kernelClass.split(":")[1]) : largestSupport(i));
  table.T5a = {
    lamps: {
      "the support is known": (i) => i.kernelClass === "supported",
      "generic rewards (tested by: no reward repeats)": (i) => different(i.rewards),
      "k >= N - 1": (i) => i.k >= largestSupport(i) - 1,
    },
    conclude: (i) => uniformly(i),
  };
  table.T5b = {
    lamps: {
      "at most N successors": (i) => kind(i) === "sparse",
      "generic rewards (tested by: no reward repeats)": (i) => different(i.rewards),
      "k >= 2N - 1, or k >= n - 1": (i) => i.k >= Math.min(2 * sparsity(i), i.n) - 1,
    },
    conclude: (i) => uniformly(i),
  };

  // S1, S2, S3 ---------------------------------------------------------------------------------------------------
  const points = (i, position) => extremePoints(i.system, [...i.agent.values[position], ONE]);
  const members = (i, position) => (i.kernelClass === "deterministic" ? points(i, position).filter(isSure) : points(i, position));
  table.S1 = {
    lamps: { "the row is known to be a distribution, and nothing else is known": (i) => i.kernelClass === "stochastic" },
    conclude(i) {
      const verdict = identify(i, "instance");
      const wrong = i.rows.filter(([s, a], position) => {
        const p = i.kernel[s][a], claimed = recession(i.system, p.map((x) => x.isZero())) === null;
        const judged = verdict.rows[position] === IDENTIFIED, counted = points(i, position).length === 1;
        let corner = counted;
        const end = p.findIndex((x) => x.eq(ONE));
        if (end >= 0) {
          const others = range(i.n).filter((j) => j !== end);
          corner = !others.length || nonnegativeSolution(pick(i.system, others), i.system.map((row) => row[end])) === null;
        }
        return !(claimed === judged && judged === counted && counted === corner);
      });
      return said(!wrong.length, wrong.length ? `condition and verdict differ: ${wrong.map(([s, a]) => `state ${s}, action ${a}`).join("; ")}` : `${i.rows.length} rows agree`);
    },
  };
  const belongs = (i, found, truth) => (i.kernelClass === "deterministic" ? found.some((p) => same(p, truth))
    : nonnegativeSolution([...transpose(found), found.map(() => ONE)], [...truth, ONE]) !== null);
  const memberOfClass = (i) => i.kernelClass === "stochastic" || deterministic(i);
  table.S2 = {
    lamps: {
      "the true rows belong to the class": (i) => i.kernelClass === "stochastic" || allRows(i).every((row) => max(row).eq(ONE)),
      "no Q-value errs by more than eps": (i) => max(flat(i.extra.noise).map((x) => x.abs())).cmp(cell(i, "eps")) <= 0,
    },
    conclude(i) {
      let first = i, last = i, several = false;
      for (const position of range(i.rows.length)) {
        const [s, a] = i.rows[position], found = members(i, position);
        if (!found.length || !belongs(i, found, i.kernel[s][a])) return said(false, `state ${s}, action ${a}: the truth is not among ${found.length} members`);
        first = withRow(first, s, a, found[0]);
        last = withRow(last, s, a, found[found.length - 1]);
        several = several || found.length > 1;
        const reached = range(i.n).filter((j) => found.some((p) => p[j].sign() > 0));
        const spread = rank(found.map((p) => p.map((x, j) => x.sub(found[0][j]))));
        if (i.kernelClass === "stochastic" && spread !== reached.length - rank(pick(i.system, reached)))
          return said(false, `state ${s}, action ${a}: dimension ${spread} is not as stated`);
      }
      const sameQ = (other) => i.rows.every(([s, a]) => range(i.k).every((g) => other.agent.q[g][s][a].eq(i.agent.q[g][s][a])));
      if (!sameQ(first) || !sameQ(last)) return said(false, "members do not give the same Q");
      if ((identify(i, "instance").status === "NOT_IDENTIFIED") !== several) return said(false, "the verdict and the members disagree");
      const q = noisyQ(i), matrix = testMatrixFrom(i, q, i.policy);
      const largest = max(i.rows.map(([s, a]) => max(apply(matrix, i.kernel[s][a]).map((x, g) => {
        return x.sub(valuesOf(i, q, s, a)[g]).abs();
      }))));
      const allowed = ONE.add(i.discount).mul(cell(i, "eps"));
      return said(largest.cmp(allowed) <= 0, `the truth misses by ${largest}, allowed ${allowed}`);
    },
  };
  const inClass = (i, row) => {
    const k = kind(i);
    return k === "deterministic" ? isSure(row) : k === "sparse" ? support(row).length <= Number(i.kernelClass.split(":")[1]) : true;
  };
  function* worlds(i, found, position = 0) {
    if (position === i.rows.length) yield i;
    else for (const p of found[position]) yield* worlds(withRow(i, ...i.rows[position], p), found, position + 1);
  }
  const newGoal = (i, world) => new Instance({ kernel: world.kernel, discount: i.discount, available: i.available,
    rewards: [flat(i.extra["new rewards"])], continuation: i.extra["new continuation"] ? [flat(i.extra["new continuation"])] : null });
  const state = (i) => {
    const { q } = i.agent;
    return q[0].map((row) => max(row.filter((x) => x !== null)));
  };
  table.S3 = {
    lamps: { "the true rows belong to the class": (i) => availableRows(i).every((row) => inClass(i, row)) },
    conclude(i) {
      const found = range(i.rows.length).map((position) => members(i, position)), w = flat(i.extra["new rewards"]);
      if (found.some((list) => !list.length)) return said(false, "a row has no member: the truth is not in the set");
      for (const position of range(i.rows.length)) {
        const [s, a] = i.rows[position], one = new Set(found[position].map((p) => String(dot(p, w)))).size === 1;
        const reached = range(i.n).filter((j) => found[position].some((p) => p[j].sign() > 0)), system = pick(i.system, reached);
        const claimed = rank([...system, reached.map((j) => w[j])]) === rank(system);
        if (i.kernelClass === "stochastic" && one !== claimed) return said(false, `state ${s}, action ${a}: one value: ${one}`);
      }
      const list = [...worlds(i, found)], values = list.map((world) => state(newGoal(i, world))), truth = state(newGoal(i, i));
      const end = (choose) => range(i.n).map((s) => choose(values.map((v) => v[s])));
      const lower = end(min), upper = end(max);
      if (!values.some((v) => same(v, lower)) || !values.some((v) => same(v, upper))) return said(false, "no world is the worst, or the best, in all states");
      const inside = truth.every((x, s) => x.cmp(lower[s]) >= 0 && x.cmp(upper[s]) <= 0);
      return said(inside, inside ? `${list.length} worlds; the true values lie between the ends` : "the true values are not between the ends");
    },
  };

  // G1, G2, G3 ---------------------------------------------------------------------------------------------------
  const takenBy = (i) => (unconditional(i) ? i.policy.map((row) => row.map((x) => x.sign() > 0)) : i.available);
  // Vertex-disjoint paths from X to goals: augmenting paths over split states; each goal ends one path.
  function disjointPaths(i) {
    const n = i.n, edges = edgesOf(i, takenBy(i)), size = 2 * n + i.k + 2, source = size - 2, sink = size - 1;
    const capacity = range(size).map(() => range(size).map(() => 0));
    range(n).forEach((s) => (capacity[2 * s][2 * s + 1] = 1));
    edges.forEach((row, s) => row.forEach((yes, t) => yes && (capacity[2 * s + 1][2 * t] = n)));
    i.rewards.forEach((row, g) => row.forEach((x, s) => !x.isZero() && (capacity[2 * s + 1][2 * n + g] = n)));
    range(i.k).forEach((g) => (capacity[2 * n + g][sink] = 1));
    numbers(i, "X").forEach((x) => (capacity[source][2 * x] = n));
    for (let count = 0; ; count++) {
      const from = range(size).map(() => -1), queue = [source];
      from[source] = source;
      for (const node of queue) range(size).forEach((next) => capacity[node][next] > 0 && from[next] < 0 && ((from[next] = node), queue.push(next)));
      if (from[sink] < 0) return count;
      for (let node = sink; node !== source; node = from[node]) {
        capacity[from[node]][node]--;
        capacity[node][from[node]]++;
      }
    }
  }
  const columnsRank = (i) => rank(pick(i.agent.M, [...new Set(numbers(i, "X"))]));
  table.G1 = {
    lamps: {
      "a generic kernel, the discount being fixed (tested by: no probability repeats, other than 0 and 1)": (i) => noRepeats(i.kernel),
      "a discount above 0": (i) => i.discount.sign() > 0,
      "one unconditional policy": unconditional,
      "one action in each state, or a generic policy (tested by: no probability repeats, other than 0 and 1)": (i) => !unconditional(i) || noRepeats(i.policy),
      "goals that pay in one state each, and one continuation, nowhere 0, in all other states": (i) =>
        i.rewards.every((row) => row.filter((x) => !x.isZero()).length === 1) && range(i.n).every((s) => {
          const ways = new Set(range(i.k).filter((g) => i.rewards[g][s].isZero()).map((g) => String(i.continuation[g][s])));
          return ways.size <= 1 && !ways.has("0");
        }),
    },
    conclude(i) {
      const found = columnsRank(i), paths = disjointPaths(i);
      return said(found === paths, `rank ${found} of the columns X, ${paths} disjoint paths`);
    },
  };
  const mod = (x, p) => ((x % p) + p) % p;
  function inverseMod(x, p) {
    let [a, b, u, v] = [mod(x, p), p, 1n, 0n];
    while (b) {
      const q = a / b;
      [a, b, u, v] = [b, a - q * b, v, u - q * v];
    }
    if (a !== 1n) throw new TI.ModelError(`${p} divides a denominator`);
    return mod(u, p);
  }
  function rrefMod(matrix, width, p) {
    const rows = matrix.map((row) => row.slice()), pivots = [];
    for (let j = 0; j < width && pivots.length < rows.length; j++) {
      const i = pivots.length, found = range(rows.length).slice(i).find((k) => rows[k][j] !== 0n);
      if (found === undefined) continue;
      [rows[i], rows[found]] = [rows[found], rows[i]];
      const scale = inverseMod(rows[i][j], p);
      rows[i] = rows[i].map((x) => mod(x * scale, p));
      rows.forEach((row, k) => k !== i && row[j] && (rows[k] = row.map((x, c) => mod(x - row[j] * rows[i][c], p))));
      pivots.push(j);
    }
    return { rows, pivots };
  }
  // [M;1] modulo a prime under the policy that takes each state's one action; `weights` are those of the world.
  function modularSystem(i, p, kernel, gamma) {
    const residue = (x) => mod(x.n * inverseMod(x.d, p), p), n = i.n;
    const test = range(i.k).map((g) => {
      const ways = i.continuation[g].map(residue), pays = i.rewards[g].map(residue);
      const system = range(n).map((s) => [...range(n).map((t) => mod((s === t ? 1n : 0n) - gamma * ways[s] * kernel[s][t], p)), pays[s]]);
      const { rows, pivots } = rrefMod(system, n, p);
      if (pivots.length < n) throw new TI.ModelError(`a system is singular modulo ${p}`);
      return rows.map((row) => row[n]);
    });
    return [...test, range(n).map(() => 1n)];
  }
  const policyRow = (i, s) => i.kernel[s][0];
  function modularRanks(i) {
    const p = cell(i, "prime").n, residue = (x) => mod(x.n * inverseMod(x.d, p), p);
    const system = modularSystem(i, p, range(i.n).map((s) => policyRow(i, s).map(residue)), residue(i.discount));
    return allRows(i).map((row) => {
      const chosen = support(row);
      return rrefMod(system.map((line) => chosen.map((j) => line[j])), chosen.length, p).pivots.length;
    });
  }
  function genericSystem(i) {
    const p = 2n ** 61n - 1n;
    let seed = 88172645463325252n;
    const draw = () => {
      seed ^= (seed << 13n) & 0xffffffffffffffffn;
      seed ^= seed >> 7n;
      seed ^= (seed << 17n) & 0xffffffffffffffffn;
      return mod(seed, p - 1n) + 1n;
    };
    const kernel = range(i.n).map((s) => {
      const weights = policyRow(i, s).map((x) => (x.isZero() ? 0n : draw())), total = weights.reduce((a, b) => a + b, 0n);
      const scale = inverseMod(total, p);
      return weights.map((x) => mod(x * scale, p));
    });
    return [p, modularSystem(i, p, kernel, draw())];
  }
  table.G2 = {
    lamps: {
      "a drawn kernel (tested by: no probability repeats, other than 0 and 1)": (i) => noRepeats(i.kernel),
      "a large prime: above 2^31": (i) => cell(i, "prime").cmp(new Num(2n ** 31n)) > 0,
      "the prime divides no denominator": (i) => {
        try {
          modularRanks(i);
          return true;
        } catch (refusal) {
          if (refusal instanceof TI.ModelError) return false;
          throw refusal;
        }
      },
    },
    conclude(i) {
      let ranks;
      try {
        ranks = modularRanks(i);
      } catch (refusal) {
        if (refusal instanceof TI.ModelError) return said(false, refusal.message);
        throw refusal;
      }
      const [p, drawn] = genericSystem(i);
      const wrong = allRows(i).flatMap((row, at) => {
        const chosen = support(row), found = ranks[at], exact = rank(pick(i.system, chosen));
        const generic = rrefMod(drawn.map((line) => chosen.map((j) => line[j])), chosen.length, p).pivots.length === chosen.length;
        return found !== exact || (found === chosen.length) !== generic ? [`row ${at}: rank ${found} modulo the prime, ${exact} over the rationals, of ${chosen.length}`] : [];
      });
      return said(!wrong.length, wrong.join("; ") || `${ranks.length} rows agree`);
    },
  };
  function beforeTheCut(i) {
    const cut = new Set(numbers(i, "B")), edges = edgesOf(i, unconditional(i) ? takenBy(i) : null);
    const open = edges.map((row) => row.map((yes, t) => yes && !cut.has(t)));
    return [...reach(open, numbers(i, "X").filter((x) => !cut.has(x)))];
  }
  table.G3 = {
    lamps: {
      "one unconditional policy": unconditional,
      "every path from X to where a goal pays meets B": (i) => beforeTheCut(i).every((s) => i.rewards.every((row) => row[s].isZero())),
      "one continuation for all goals, in the states before B": (i) => alike(pick(i.continuation, beforeTheCut(i))),
    },
    conclude(i) {
      const found = columnsRank(i), bound = flat(i.extra.B).length;
      return said(found <= bound, `rank ${found} of the columns X; B has ${bound} states`);
    },
  };

  // X1, X2 -------------------------------------------------------------------------------------------------------
  const sureMoves = (i) => range(i.n).map((s) => range(i.n).map((t) => i.kernel[s].some((row) => row[t].eq(ONE))));
  const similarity = (i) => steps(sureMoves(i)).map((row) => row.map((d) => (d === Infinity ? ZERO : i.discount.pow(d))));
  const WALKING = "no other action is better than walking";
  const walkingIsBest = (i) => {
    const powers = similarity(i);
    return i.rows.every(([s, a]) => isSure(i.kernel[s][a]) || range(i.n).every((g) =>
      g === s || i.discount.mul(dot(powers[g], i.kernel[s][a])).cmp(powers[g][s]) <= 0));
  };
  table.X1 = {
    lamps: {
      "sure moves along the edges of an undirected graph": (i) => {
        const sure = sureMoves(i);
        return sure.every((row) => row.some(Boolean)) && symmetric(sure);
      },
      [WALKING]: (i) => walkingIsBest(i),
      "every state is a goal, which pays 1 on arrival and ends there": (i) => allGoals(i),
      "the agent is optimal for each goal": optimal,
      "the discount is no root of det gamma^d(i,j)": (i) => !determinant(similarity(i)).isZero(),
    },
    conclude(i) {
      const powers = same(i.agent.M, similarity(i)), verdict = identify(i, "uniform", "unconstrained");
      return said(powers && verdict.status === IDENTIFIED, `M ${powers ? "=" : "is not"} gamma^d; ${verdict.status}, rank ${verdict.rank} of ${i.n}`);
    },
  };
  table.X2 = {
    lamps: { "the policies do not depend on the discount": (i) => i.policy !== null },
    conclude(i) {
      const policies = i.agent.policies, grid = range(7).map((j) => new Num(BigInt(j + 1), 8n));
      const wrong = [...grid, i.discount].filter((discount) => {
        const at = i.with({ discount });
        return !same(at.agent.M, policies.map((policy, g) => testFunction(at, g, policy)));
      });
      if (wrong.length) return said(false, `at ${wrong[0]} the agent is another`);
      const at = (discount) => rank(i.with({ discount }).agent.M), usual = Math.max(...grid.map(at));
      const less = i.discount.isZero() && at(i.discount) < usual;
      return said(!less, less ? `rank ${at(i.discount)} at discount 0, ${usual} elsewhere` : "one policy at all discounts: M is a matrix of rational functions");
    },
  };

  // X3 -----------------------------------------------------------------------------------------------------------
  const bothWays = (i) => {
    const there = steps(sureMoves(i));
    return there.map((row, s) => row.map((d, t) => d + there[t][s]));
  };
  // x A x >= 0 for all x: eliminate; a zero on the diagonal needs a zero row.
  function isNonnegative(matrix) {
    if (!matrix.length) return true;
    const [first, ...others] = matrix, pivot = first[0];
    if (pivot.sign() < 0 || (pivot.isZero() && first.some((x) => !x.isZero()))) return false;
    return isNonnegative(others.map((row) => row.slice(1).map((x, j) => (row[0].isZero() ? x : x.sub(row[0].mul(first[j + 1]).div(pivot))))));
  }
  function ofNegativeType(i) {
    const both = bothWays(i), n = i.n;
    if (both.some((row) => row.includes(Infinity))) return false;
    const d = (s, t) => both[s][t], last = n - 1;
    const gram = range(last).map((s) => range(last).map((t) => new Num(BigInt(d(s, last) + d(last, t) - d(s, t) - d(last, last)))));
    return isNonnegative(gram);
  }
  const allGoals = (i) => same(i.rewards, identity(i.n)) && complement(i) && (!i.actionRewards || flat(i.actionRewards).every((x) => x.isZero()));
  table.X3 = {
    lamps: {
      "sure moves along the edges of a connected undirected graph": (i) => {
        const sure = sureMoves(i);
        return sure.every((row) => row.some(Boolean)) && symmetric(sure) && bothWays(i).every((row) => !row.includes(Infinity));
      },
      [WALKING]: walkingIsBest,
      "every state is a goal, which pays 1 on arrival and ends there": allGoals,
      "the agent is optimal for each goal": optimal,
      "the metric is of negative type": ofNegativeType,
    },
    conclude(i) {
      const M = i.agent.M, square = M.length === i.n, even = square && same(M, transpose(M));
      const definite = square && positiveDefinite(M), verdict = identify(i, "uniform", "unconstrained");
      return said(even && definite && verdict.status === IDENTIFIED, `M ${even ? "symmetric" : "not symmetric"}, leading minors ${definite ? "" : "not "}all positive; ${verdict.status}`);
    },
  };

  // PA -----------------------------------------------------------------------------------------------------------
  const advantages = (i) => i.agent.q.map((q, g) => q.map((row, s) => {
    const shown = row.filter((x) => x !== null);
    const v = i.policy === null ? max(shown) : sum(range(i.m).filter((a) => row[a] !== null).map((a) => i.policyOf(g)[s][a].mul(row[a])));
    return row.map((x) => (x === null ? ZERO : x.sub(v)));
  }));
  // P + X - gamma P X, the world that shows the same advantages.
  function reshaped(i) {
    const columnsOfX = transpose(i.extra.shift);
    const kernel = i.kernel.map((rows, s) => rows.map((row, a) => (i.available[s][a]
      ? row.map((p, t) => p.add(i.extra.shift[s][t]).sub(i.discount.mul(dot(row, columnsOfX[t])))) : row)));
    if (flat(kernel).some((x) => x.sign() < 0)) throw new TI.ModelError("the shift leads to a negative chance: make it smaller");
    if (i.extra.shift.some((row) => !sum(row).isZero())) throw new TI.ModelError("the rows of the shift do not sum to 0");
    return i.with({ kernel });
  }
  function tangentDimension(i) {
    const rows = i.rows, n = i.n, width = rows.length * n + i.k * n, equations = [];
    rows.forEach(([s, a], r) => {
      const line = () => range(width).map(() => ZERO);
      const whole = line();
      range(n).forEach((t) => (whole[r * n + t] = ONE));
      equations.push(whole);
      range(i.k).forEach((g) => {
        const one = line();
        range(n).forEach((t) => {
          one[r * n + t] = i.agent.M[g][t];
          one[rows.length * n + g * n + t] = i.discount.mul(i.kernel[s][a][t]).sub(s === t ? ONE : ZERO);
        });
        equations.push(one);
      });
    });
    return width - rank(equations);
  }
  table.PA = {
    lamps: {
      "the goals never end: C = 1": (i) => flat(i.continuation).every((x) => x.eq(ONE)),
      "rank [M;1] = n": (i) => rank(i.system) === i.n,
    },
    conclude(i) {
      const alikeIn = same(advantages(i), advantages(reshaped(i))), free = tangentDimension(i);
      return said(alikeIn && free === i.n * (i.n - 1), `the same advantages: ${alikeIn}; ${free} parameters free, n (n - 1) = ${i.n * (i.n - 1)}`);
    },
  };

  // K1, AR, BQ, ST, AG -------------------------------------------------------------------------------------------
  const withOnes = (matrix) => [...matrix, matrix[0].map(() => ONE)];
  const uniformPolicy = (i) => i.available.map((row) => row.map((yes) => (yes ? new Num(1n, BigInt(row.filter(Boolean).length)) : ZERO)));
  const chain = (i, policy) => i.kernel.map((rows, s) => range(i.n).map((t) => sum(rows.map((row, a) => row[t].mul(policy[s][a])))));
  table.K1 = {
    lamps: {
      "one unconditional policy": unconditional,
      "the goal never ends: C = 1": (i) => flat(i.continuation).every((x) => x.eq(ONE)),
      "the discounts differ": (i) => different(i.extra.discounts),
    },
    conclude(i) {
      const discounts = flat(i.extra.discounts), matrix = chain(i, unconditional(i) ? i.policy : uniformPolicy(i));
      const powers = [i.rewards];
      range(i.n - 1).forEach((t) => powers.push(powers[t].map((row) => apply(matrix, row))));
      const space = powers.flat(), d = rank(space), ones = rank(withOnes(space)), count = discounts.length;
      const seen = discounts.flatMap((discount) => i.with({ discount }).agent.M);
      const found = [rank(seen), rank(withOnes(seen))], wanted = [Math.min(count, d), ones > d ? Math.min(count, d) + 1 : Math.min(count + 1, d)];
      return said(key(found) === key(wanted), `${count} discounts: ranks ${found.join(" and ")}, claimed ${wanted.join(" and ")}`);
    },
  };

  const oneClass = (i) => rank(chain(i, i.policy).map((row, s) => row.map((x, t) => (s === t ? ONE : ZERO).sub(x)))) === i.n - 1;
  // R + h of Poisson's equation h + gain = P (r + h), with h = 0 in the first state.
  function averageTest(i, rewards, policy) {
    if (flat(i.continuation).some((x) => !x.eq(ONE))) throw new TI.ModelError("a goal may end; without a discount, goals go on for ever");
    const matrix = chain(i, policy), system = matrix.map((row, s) => row.map((x, t) => (t === 0 ? ONE : (s === t ? ONE : ZERO).sub(x))));
    if (rank(system) < i.n) throw new TI.ModelError("the policy has several recurrent classes");
    return rewards.map((r) => {
      const found = solveVector(system, apply(matrix, r));
      return r.map((x, s) => (s === 0 ? x : x.add(found[s])));
    });
  }
  table.AR = {
    lamps: {
      "one unconditional policy": unconditional,
      "one recurrent class under the policy": (i) => i.policy !== null && (!unconditional(i) || oneClass(i)),
      "the rewards span with the constants: rank [R;1] = n": (i) => rank(withOnes(i.rewards)) === i.n,
    },
    conclude(i) {
      if (i.policy === null || (unconditional(i) && !oneClass(i))) return said(false, "the gain depends on the start");
      if (!unconditional(i)) {
        const found = rank(withOnes(range(i.k).flatMap((g) => averageTest(i, [i.rewards[g]], i.policy[g]))));
        return said(found === i.n, `rank [M;1] ${found} of ${i.n}, each goal by its own policy`);
      }
      const found = rank(withOnes(averageTest(i, i.rewards, i.policy))), wanted = rank(withOnes(i.rewards));
      return said(found === i.n && found === wanted, `rank [M;1] ${found} of ${i.n}, rank [R;1] ${wanted}`);
    },
  };

  const blockOf = (i) => numbers(i, "blocks");
  const firstOf = (labels) => labels.map((block) => labels.indexOf(block));
  const constantOn = (rows, labels) => rows.every((row) => firstOf(labels).every((first, s) => row[first].eq(row[s])));
  function blockRows(i) {
    const labels = blockOf(i), count = Math.max(...labels) + 1;
    return i.kernel.map((rows) => rows.map((row) => range(count).map((b) => sum(row.filter((_, t) => labels[t] === b)))));
  }
  function lumpable(i) {
    const first = firstOf(blockOf(i)), rows = blockRows(i);
    return first.every((f, s) => same(rows[f], rows[s]) && i.available[f].every((yes, a) => yes === i.available[s][a]));
  }
  const policyTables = (i) => (unconditional(i) ? [i.policy] : i.policy);
  table.BQ = {
    lamps: {
      "the partition is lumpable": lumpable,
      "goals are constant on the blocks": (i) => constantOn(i.rewards, blockOf(i)) && constantOn(i.continuation, blockOf(i)),
      "the policy is constant on the blocks, or optimal": (i) => i.policy === null
        || policyTables(i).every((rows) => constantOn(transpose(rows), blockOf(i))),
    },
    conclude(i) {
      const labels = blockOf(i), count = Math.max(...labels) + 1;
      if (!constantOn(i.rewards, labels) || !lumpable(i)) {
        const merged = constantOn(i.agent.M, labels);
        return said(merged, `columns of M ${merged ? "agree" : "differ"} inside the blocks`);
      }
      const first = range(count).map((b) => labels.indexOf(b)), rows = blockRows(i);
      const cut = (rowsOf) => rowsOf && first.map((s) => rowsOf[s]);
      const policy = i.policy === null ? null : unconditional(i) ? cut(i.policy) : i.policy.map(cut);
      const small = new Instance({ kernel: cut(rows), discount: i.discount, available: cut(i.available), rewards: pick(i.rewards, first), continuation: pick(i.continuation, first), policy });
      const alikeM = same(i.agent.M, pick(small.agent.M, labels)), whole = rank(i.system), bar = rank(small.system);
      const indicators = range(count).map((b) => labels.map((x) => (x === b ? ONE : ZERO)));
      const seen = rank([...i.system, ...indicators]) === whole;
      return said(alikeM && whole === bar && seen === (bar === count), `M ${alikeM ? "is" : "is not"} the quotient's; rank ${whole}, of the quotient ${bar}, ${count} blocks; blocks are seen: ${seen}`);
    },
  };

  // Whether the (n - 1)-th singular value on vectors with sum zero, squared, is larger than a number: by minors.
  function exceeds(matrix, square) {
    const n = matrix[0].length, moved = matrix.map((row) => row.slice(1).map((x) => x.sub(row[0])));
    const form = range(n - 1).map((x) => range(n - 1).map((y) =>
      sum(moved.map((row) => row[x].mul(row[y]))).sub(square.mul(new Num(x === y ? 2n : 1n)))));
    return positiveDefinite(form);
  }
  table.ST = {
    lamps: {
      "every value is known up to the bound": (i) => max(flat(i.extra.noise).map((x) => x.abs())).cmp(cell(i, "bound")) <= 0,
    },
    conclude(i) {
      const truth = i.agent.M, seen = testMatrixFrom(i, noisyQ(i), i.policy), step = i.discount.mul(cell(i, "bound"));
      const square = step.mul(step).mul(new Num(BigInt(i.k * i.n)));
      const right = rank(withOnes(truth)) === i.n, answered = exceeds(seen, square), owed = exceeds(truth, square.mul(new Num(4n)));
      const inside = max(flat(seen.map((row, g) => row.map((x, s) => x.sub(truth[g][s]).abs())))).cmp(step) <= 0;
      return said(inside && (right || !answered) && (answered || !owed), `M moves within the bound: ${inside}; said ${answered}, owed ${owed}, right ${right}`);
    },
  };

  table.AG = {
    lamps: {
      "the family spans": (i) => rank(i.extra.family) === i.n,
      "the goals' parameters differ (so for almost every draw)": (i) => different(i.extra.parameters),
    },
    conclude(i) {
      const found = [rank(i.agent.M), rank(i.system)], wanted = [Math.min(i.k, i.n), Math.min(i.k + 1, i.n)], apart = distinct(i.agent.M);
      return said(key(found) === key(wanted) && apart, `${i.k} goals: ranks ${found.join(" and ")}, claimed ${wanted.join(" and ")}; columns of M ${apart ? "differ" : "are not all different"}`);
    },
  };

  // G4, CX -------------------------------------------------------------------------------------------------------
  function demandsOf(i) {
    if (i.kernelClass === "stochastic") return [range(i.n)];
    const seen = new Map(availableRows(i).map((row) => [key(support(row)), support(row)]));
    return [...seen.values()];
  }
  const reachedBy = (matrix, goals, demand) => rank([...pick(goals.map((g) => matrix[g]), demand), demand.map(() => ONE)]) - 1;
  const suffices = (i, goals) => demandsOf(i).every((d) => reachedBy(i.agent.M, goals, d) === d.length - 1);
  function smallestSize(k, good) {
    for (let size = 0; size <= k; size++) for (const goals of combinations(k, size)) if (good(goals)) return size;
    return null;
  }
  table.G4 = {
    lamps: { "all candidates together suffice": (i) => suffices(i, range(i.k)) },
    conclude(i) {
      if (!suffices(i, range(i.k))) return said(false, "all candidates together do not suffice");
      const wanted = smallestSize(i.k, (goals) => suffices(i, goals)), demands = demandsOf(i), chosen = [];
      while (!suffices(i, chosen)) {
        const gains = range(i.k).map((g) => demands.reduce((total, d) => total + reachedBy(i.agent.M, [...chosen, g], d), 0));
        chosen.push(gains.indexOf(Math.max(...gains)));
      }
      const large = demands.filter((d) => d.length > 1), greedy = chosen.length;
      const harmonic = sum(range(large.length).map((j) => new Num(1n, BigInt(j + 1))));
      const within = new Num(BigInt(greedy)).cmp(harmonic.mul(new Num(BigInt(wanted)))) <= 0;
      const best = large.length !== 1 || (greedy === wanted && wanted === large[0].length - 1);
      return said(within && best, `${large.length} demands: the smallest set has ${wanted} goals, greedy takes ${greedy}`);
    },
  };
  const triplesOf = (i) => columns(i.rewards).slice(1).map((column) => range(i.k).filter((g) => column[g].eq(ONE)));
  table.CX = {
    lamps: {
      "the sets are triples that hold every element": (i) => triplesOf(i).every((t) => t.length === 3)
        && i.rewards.every((row) => row[0].mul(new Num(BigInt(i.k))).eq(new Num(3n))),
    },
    conclude(i) {
      const sets = [...new Map(triplesOf(i).map((t) => [key(t), t])).values()], size = Math.floor(i.k / 3);
      if (size === 0) throw new TI.ModelError("fewer than three elements");
      let cover = false;
      if (size <= sets.length) for (const chosen of combinations(sets.length, size)) cover = cover || new Set(chosen.flatMap((j) => sets[j])).size === i.k;
      const verdict = identify(i, "instance", `sparse:${size}`);
      return said((verdict.status === IDENTIFIED) !== cover, `exact cover: ${cover}; ${verdict.status}`);
    },
  };

  // Marking: what `verify` asks of a counterexample.
  function lamps(id, i) {
    return Object.entries(table[id].lamps).map(([name, holds]) => ({ name, on: holds(i) }));
  }
  const conclude = (id, i) => table[id].conclude(i);
  function mark(id, i, drops) {
    const found = lamps(id, i), off = found.filter((lamp) => !lamp.on).map((lamp) => lamp.name), outcome = conclude(id, i);
    return { off, holds: outcome.holds, text: outcome.text, accepted: off.length === 1 && (!drops || off[0] === drops) && !outcome.holds };
  }

  Object.assign(TI, { statements: table, lamps, conclude, mark, similarity, memberOfClass });
})(globalThis.TI);
