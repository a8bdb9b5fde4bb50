// A world, goals and an agent: what `Instance` is in the package, with the same JSON.
"use strict";
(function (TI) {
  const { Num, sum, dot, max, range, parse, show, solve, identity } = TI;

  class ModelError extends Error {}

  class Instance {
    constructor(given) {
      this.kernel = parse(given.kernel); // [s][a][s']
      this.discount = Num.of(given.discount);
      this.rewards = parse(given.rewards); // [g][s]
      this.n = this.kernel.length;
      this.m = this.kernel[0].length;
      this.k = this.rewards.length;
      this.available = given.available || this.kernel.map((row) => row.map(() => true));
      this.continuation = given.continuation ? parse(given.continuation) : this.rewards.map((r) => r.map(() => Num.ONE));
      this.actionRewards = given.action_rewards ? parse(given.action_rewards) : null;
      this.policy = given.policy ? parse(given.policy) : null;
      this.kernelClass = given.kernel_class || "stochastic";
      this.extra = {};
      for (const [name, values] of Object.entries(given.extra || {})) this.extra[name] = parse(values);
    }

    toDict() {
      const extra = {};
      for (const [name, values] of Object.entries(this.extra)) extra[name] = show(values);
      return {
        kernel: show(this.kernel), discount: this.discount.toString(), available: this.available,
        rewards: show(this.rewards), continuation: show(this.continuation),
        action_rewards: this.actionRewards && show(this.actionRewards), policy: this.policy && show(this.policy),
        kernel_class: this.kernelClass, extra,
      };
    }

    with(changes) {
      const copy = Object.assign(Object.create(Instance.prototype), this, changes);
      delete copy.cachedAgent;
      return copy;
    }

    // The first thing that is wrong, in one line, or null: which place, its value, what is expected.
    problem() {
      const unit = (x) => x.sign() >= 0 && x.cmp(Num.ONE) <= 0;
      if (this.discount.sign() < 0 || this.discount.cmp(Num.ONE) >= 0)
        return `The discount is ${this.discount}; expected at least 0 and below 1.`;
      for (const s of range(this.n)) {
        if (!this.available[s].some(Boolean)) return `State ${s} has no action; tick one.`;
        for (const a of range(this.m)) {
          const row = this.kernel[s][a];
          const bad = row.findIndex((x) => x.sign() < 0);
          if (bad >= 0) return `The chance of state ${s}, action ${a} to reach ${bad} is ${row[bad]}; expected at least 0.`;
          if (this.available[s][a] && !sum(row).eq(Num.ONE))
            return `The row of state ${s}, action ${a} sums to ${sum(row)}; expected 1.`;
        }
      }
      for (const g of range(this.k)) {
        const bad = this.continuation[g].findIndex((x) => !unit(x));
        if (bad >= 0) return `The continuation of goal ${g} in state ${bad} is ${this.continuation[g][bad]}; expected 0 to 1.`;
      }
      const tables = this.policy === null ? [] : Array.isArray(this.policy[0][0]) ? this.policy : [this.policy];
      for (const table of tables)
        for (const s of range(this.n)) {
          if (!table[s].every(unit) || !sum(table[s]).eq(Num.ONE))
            return `The policy of state ${s} is ${table[s].join(", ")}; expected chances that sum to 1.`;
          if (table[s].some((x, a) => !this.available[s][a] && !x.isZero())) return `The policy of state ${s} takes an action that is not there.`;
        }
      if (!/^(unconstrained|stochastic|supported|deterministic|sparse:[1-9]\d*)$/.test(this.kernelClass))
        return `The class is “${this.kernelClass}”; expected unconstrained, stochastic, supported, sparse:N or deterministic.`;
      return null;
    }

    get agent() {
      if (!this.cachedAgent) this.cachedAgent = agentOf(this);
      return this.cachedAgent;
    }

    // The available rows (s, a), in the package's order.
    get rows() {
      return range(this.n).flatMap((s) => range(this.m).filter((a) => this.available[s][a]).map((a) => [s, a]));
    }

    // [M;1]
    get system() {
      return [...this.agent.M, range(this.n).map(() => Num.ONE)];
    }

    policyOf(goal) {
      return Array.isArray(this.policy[0][0]) ? this.policy[goal] : this.policy;
    }
  }

  const unconditional = (i) => i.policy !== null && !Array.isArray(i.policy[0][0]);

  // m = r + gamma C V under one policy: (I - gamma C P_pi) m = r + gamma C rho_pi.
  function testFunction(i, goal, policy) {
    const { n } = i, gamma = i.discount;
    const matrix = identity(n), right = i.rewards[goal].slice();
    for (const s of range(n)) {
      const weight = gamma.mul(i.continuation[goal][s]);
      if (weight.isZero()) continue;
      range(i.m).forEach((a) => {
        const chance = policy[s][a];
        if (chance.isZero()) return;
        const factor = weight.mul(chance);
        i.kernel[s][a].forEach((p, t) => {
          if (!p.isZero()) matrix[s][t] = matrix[s][t].sub(factor.mul(p));
        });
        if (i.actionRewards) right[s] = right[s].add(factor.mul(i.actionRewards[goal][s][a]));
      });
    }
    const found = solve(matrix, right.map((x) => [x]));
    if (!found) throw new ModelError("the discount is 1 on a way that never ends");
    return found.map((row) => row[0]);
  }

  function qOf(i, goal, m) {
    return range(i.n).map((s) => range(i.m).map((a) => {
      if (!i.available[s][a]) return null;
      const value = dot(i.kernel[s][a], m);
      return i.actionRewards ? value.add(i.actionRewards[goal][s][a]) : value;
    }));
  }

  const sure = (i, choice) => choice.map((b) => range(i.m).map((a) => (a === b ? Num.ONE : Num.ZERO)));

  // Howard's policy iteration, in exact numbers: it ends at the optimal values.
  function optimal(i, goal) {
    let choice = i.available.map((row) => row.findIndex(Boolean));
    for (;;) {
      const m = testFunction(i, goal, sure(i, choice));
      const q = qOf(i, goal, m);
      let changed = false;
      const next = choice.map((a, s) => {
        let best = a;
        q[s].forEach((value, b) => {
          if (value !== null && value.cmp(q[s][best]) > 0) best = b;
        });
        changed = changed || best !== a;
        return best;
      });
      if (!changed) return { m, q, policy: sure(i, choice) };
      choice = next;
    }
  }

  function agentOf(i) {
    const each = range(i.k).map((goal) => {
      if (i.policy === null) return optimal(i, goal);
      const policy = i.policyOf(goal), m = testFunction(i, goal, policy);
      return { m, q: qOf(i, goal, m), policy };
    });
    const q = each.map((e) => e.q);
    const values = i.rows.map(([s, a]) => q.map((table, g) => (i.actionRewards ? table[s][a].sub(i.actionRewards[g][s][a]) : table[s][a])));
    return { M: each.map((e) => e.m), q, policies: each.map((e) => e.policy), values };
  }

  // The M that the same agent would form from other Q-values (noise): V is its own mean or maximum of Q.
  function testMatrixFrom(i, q, policy) {
    return range(i.k).map((g) => range(i.n).map((s) => {
      let v;
      if (policy === null) v = max(q[g][s].filter((x) => x !== null));
      else {
        const table = Array.isArray(policy[0][0]) ? policy[g] : policy;
        v = sum(range(i.m).filter((a) => i.available[s][a]).map((a) => table[s][a].mul(q[g][s][a])));
      }
      return i.rewards[g][s].add(i.discount.mul(i.continuation[g][s]).mul(v));
    }));
  }

  Object.assign(TI, { Instance, ModelError, unconditional, testFunction, testMatrixFrom, sure });
})(globalThis.TI);
