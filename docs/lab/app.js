// The page: editors that change one instance, and everything that follows from it, computed anew at each change.
"use strict";
(function (TI) {
  const { Num, Instance, range, identify, withRow, pictures, dot, rank, nullSpace } = TI;
  const $ = (id) => document.getElementById(id);
  const DATA = globalThis.LABORATORY;
  const GRAPHS = {
    "": null, path: (n) => range(n - 1).map((s) => [s, s + 1]), cycle: (n) => range(n).map((s) => [s, (s + 1) % n]),
    complete: (n) => range(n).flatMap((s) => range(s).map((t) => [s, t])), star: (n) => range(n - 1).map((s) => [0, s + 1]),
    grid: (n) => range(n).flatMap((s) => [...(s % 2 === 0 && s + 1 < n ? [[s, s + 1]] : []), ...(s + 2 < n ? [[s, s + 2]] : [])]),
    "K2,3": () => bipartite(2, 3), "K3,3": () => bipartite(3, 3), "K4,4": () => bipartite(4, 4),
  };
  const bipartite = (a, b) => range(a).flatMap((s) => range(b).map((t) => [s, a + t]));
  const SPECIAL = ["0", "1/4", "1/3", "1/2", "2/3", "3/4", "9/10", "99/100", "1/sqrt(2)", "1/sqrt(3)", "1/sqrt(6)"];
  let current = null, instance = null, task = null;

  // Small tools -------------------------------------------------------------------------------------------------
  function el(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value !== false && value !== null) node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  }
  const options = (select, pairs) => select.replaceChildren(...pairs.map(([value, text]) => el("option", { value }, text)));
  const memory = {
    get(key, otherwise) {
      try {
        return JSON.parse(localStorage.getItem(`laboratory:${key}`)) ?? otherwise;
      } catch {
        return otherwise; // private windows and some file:// pages keep nothing
      }
    },
    set(key, value) {
      try {
        localStorage.setItem(`laboratory:${key}`, JSON.stringify(value));
      } catch {
        /* the page works without */
      }
    },
  };
  const statement = (id) => DATA.statements.find((s) => s.id === id);
  const filled = (shape, value) => (shape.length ? range(shape[0]).map(() => filled(shape.slice(1), value)) : value);

  // Editors: tables of inputs over nested arrays of numbers -------------------------------------------------------
  function grid(caption, rows, names, change) {
    const columns = rows[0].map((_, j) => el("th", { scope: "col" }, names.columns ? names.columns(j) : String(j)));
    const body = rows.map((row, r) => el("tr", {}, el("th", { scope: "row" }, names.row(r)), ...row.map((value, c) => {
      const input = el("input", { value: value.toString(), "aria-label": `${caption}, ${names.row(r)}, ${names.columns ? names.columns(c) : c}`, autocomplete: "off", spellcheck: "false", inputmode: "text" });
      const cell = el("td", { class: value.isZero() ? "zero" : "" }, input);
      input.addEventListener("input", () => {
        try {
          const parsed = Num.parse(input.value);
          input.removeAttribute("aria-invalid");
          cell.className = parsed.isZero() ? "zero" : "";
          change(r, c, parsed);
          refresh();
        } catch (problem) {
          input.setAttribute("aria-invalid", "true");
          say(problem.message);
        }
      });
      return cell;
    })));
    return el("div", { class: "scroll" }, el("table", {}, el("caption", {}, caption), el("thead", {}, el("tr", {}, el("td"), ...columns)), el("tbody", {}, ...body)));
  }
  const say = (text) => ($("problem").textContent = text || "");
  const states = { row: (s) => `state ${s}` };
  const changed = (rows, r, c, value) => (rows[r][c] = value);
  const mutate = (fields) => (instance = instance.with(fields));

  function drawEditors() {
    $("states").value = instance.n;
    $("actions").value = instance.m;
    $("goals").value = instance.k;
    showDiscount();
    const kernels = range(instance.m).map((a) => {
      const rows = range(instance.n).map((s) => instance.kernel[s][a]);
      const table = grid(instance.m > 1 ? `Action ${a}: chance to go from a state (row) to a state (column)` : "Chance to go from a state (row) to a state (column)", rows, states, (s, t, x) => {
        instance.kernel[s][a][t] = x;
      });
      const ticks = instance.m === 1 ? [] : range(instance.n).map((s) => {
        const box = el("input", { type: "checkbox", "aria-label": `action ${a} can be taken in state ${s}` });
        box.checked = instance.available[s][a];
        box.addEventListener("change", () => {
          instance.available[s][a] = box.checked;
          refresh();
        });
        return el("label", {}, box, ` ${s} `);
      });
      return el("div", {}, table, ...(ticks.length ? [el("p", { class: "small" }, "Can be taken in: ", ...ticks)] : []));
    });
    $("kernel").replaceChildren(...kernels, el("button", { type: "button", onclick: normalise }, "Make every row sum to 1"));
    const tables = [
      grid("Rewards: what a goal pays on arrival", instance.rewards, { row: (g) => `goal ${g}` }, (g, s, x) => changed(instance.rewards, g, s, x)),
      grid("Continuation: 0 where arrival ends the episode", instance.continuation, { row: (g) => `goal ${g}` }, (g, s, x) => changed(instance.continuation, g, s, x)),
    ];
    if (instance.actionRewards) instance.actionRewards.forEach((rows, g) => tables.push(grid(`Rewards of actions, goal ${g}`, rows, states, (s, a, x) => changed(rows, s, a, x))));
    const own = instance.policy === null ? [] : Array.isArray(instance.policy[0][0]) ? instance.policy.map((rows, g) => [`Policy for goal ${g}`, rows]) : [["Policy", instance.policy]];
    own.forEach(([name, rows]) => tables.push(grid(`${name}: chance of each action (column)`, rows, states, (s, a, x) => changed(rows, s, a, x))));
    $("tables").replaceChildren(...tables);
    const shape = instance.policy === null ? "optimal" : Array.isArray(instance.policy[0][0]) ? "each" : isUniform() ? "uniform" : "shared";
    $("policy").value = shape;
    const [kind, most] = instance.kernelClass.split(":");
    $("class").value = kind;
    if (most) $("sparsity").value = most;
    const extras = Object.entries(instance.extra).flatMap(([name, values]) => extraTables(name, values));
    $("extra").replaceChildren(...extras);
    $("extra-box").hidden = !extras.length;
    options($("row"), instance.rows.map(([s, a], r) => [r, `state ${s}, action ${a}`]));
  }
  function extraTables(name, values) {
    if (!Array.isArray(values)) return [grid(name, [[values]], { row: () => "value" }, (r, c, x) => (instance.extra[name] = x))];
    if (!Array.isArray(values[0])) return [grid(name, [values], { row: () => "values" }, (r, c, x) => (values[c] = x))];
    if (!Array.isArray(values[0][0])) return [grid(name, values, { row: (r) => String(r) }, (r, c, x) => (values[r][c] = x))];
    return values.flatMap((part, g) => extraTables(`${name}, ${g}`, part));
  }
  const isUniform = () => instance.policy.every((row, s) => {
    const share = new Num(1n, BigInt(instance.available[s].filter(Boolean).length));
    return row.every((x, a) => x.eq(instance.available[s][a] ? share : Num.ZERO));
  });
  const uniform = () => instance.available.map((row) => row.map((yes) => (yes ? new Num(1n, BigInt(row.filter(Boolean).length)) : Num.ZERO)));
  function showDiscount() {
    $("discount").value = instance.discount.toString();
    $("discount").removeAttribute("aria-invalid");
    $("slider").value = Math.round(instance.discount.number() * 120);
    $("slider").setAttribute("aria-valuetext", instance.discount.toString());
    for (const button of $("special").children) button.setAttribute("aria-pressed", String(Num.parse(button.dataset.value).eq(instance.discount)));
  }
  function setDiscount(value) {
    mutate({ discount: value });
    showDiscount();
    refresh();
  }
  function normalise() {
    instance.kernel.forEach((rows) => rows.forEach((row, a) => {
      const weights = row.map((x) => (x.sign() > 0 ? x : Num.ZERO)), total = TI.sum(weights);
      rows[a] = total.isZero() ? weights.map(() => new Num(1n, BigInt(row.length))) : weights.map((x) => x.div(total));
    }));
    restart();
  }
  function restart() {
    instance = instance.with({});
    drawEditors();
    refresh();
  }

  // Other sizes: what is there stays, new states stay where they are, new goals pay in one state.
  function resize(n, m, k) {
    const at = (list, index, otherwise) => (index < list.length ? list[index] : otherwise);
    const kernel = range(n).map((s) => range(m).map((a) => {
      const old = at(instance.kernel, s, [])[a];
      const row = range(n).map((t) => (old && t < old.length ? old[t] : Num.ZERO));
      const total = TI.sum(row);
      return total.isZero() ? range(n).map((t) => (t === s ? Num.ONE : Num.ZERO)) : row.map((x) => x.div(total));
    }));
    const available = range(n).map((s) => range(m).map((a) => at(at(instance.available, s, []), a, true)));
    const fit = (rows, value) => range(k).map((g) => range(n).map((s) => at(at(rows, g, []), s, value(g, s))));
    const rewards = fit(instance.rewards, (g, s) => (s === g % n ? Num.ONE : Num.ZERO));
    const continuation = fit(instance.continuation, () => Num.ONE);
    const extra = {};
    for (const [name, values] of Object.entries(instance.extra)) extra[name] = resized(name, values, n, m, k);
    instance = instance.with({ n, m, k, kernel, available, rewards, continuation, extra, actionRewards: null });
    if (instance.policy !== null) instance = instance.with({ policy: uniform() });
    restart();
  }
  function resized(name, values, n, m, k) {
    if (name === "noise") return range(k).map((g) => range(n).map((s) => range(m).map((a) => values[g]?.[s]?.[a] ?? Num.ZERO)));
    if (name === "starts") return values.map((rows) => range(n * m).map((r) => range(n).map((t) => (t === r % n ? Num.ONE : Num.ZERO))));
    if (name === "other_rewards") return range(k).map((g) => range(n).map((s) => values[g]?.[s] ?? Num.ZERO));
    if (/^new /.test(name)) return range(n).map((s) => values[s] ?? Num.ZERO);
    if (name === "blocks") return range(n).map((s) => values[s] ?? Num.ZERO);
    if (name === "family") return range(n).map((r) => range(n).map((t) => values[r]?.[t] ?? (r === t ? Num.ONE : Num.ZERO)));
    if (name === "shift") return range(n).map((s) => range(n).map(() => Num.ZERO));
    if (name === "X" || name === "B") return values.filter((x) => x.number() < n);
    return values;
  }
  function useGraph(name) {
    const sizes = { "K2,3": 5, "K3,3": 6, "K4,4": 8 };
    const n = sizes[name] || instance.n, next = range(n).map(() => new Set());
    GRAPHS[name](n).forEach(([s, t]) => s !== t && (next[s].add(t), next[t].add(s)));
    const most = Math.max(1, ...next.map((set) => set.size));
    const kernel = range(n).map((s) => range(most).map((a) => {
      const to = [...next[s]].sort((x, y) => x - y)[a];
      return range(n).map((t) => (t === (to ?? s) ? Num.ONE : Num.ZERO));
    }));
    const available = range(n).map((s) => range(most).map((a) => a < Math.max(1, next[s].size)));
    if (n !== instance.n) resize(n, instance.m, instance.k);
    instance = instance.with({ n, m: most, kernel, available, actionRewards: null });
    if (instance.policy !== null) instance = instance.with({ policy: uniform() });
    resize(n, most, instance.k);
  }

  // What follows ---------------------------------------------------------------------------------------------------
  function refresh() {
    instance = instance.with({});
    say("");
    const problem = instance.problem();
    if (problem) {
      say(problem);
      dark();
      return;
    }
    try {
      showLamps();
      showVerdict();
      showAnswer();
      $("picture").replaceChildren(pictures.world(instance));
      showPolytope();
    } catch (trouble) {
      say(`This cannot be computed: ${trouble.message}`);
      dark();
    }
    document.body.dataset.ready = String(Math.round(performance.now()));
  }
  function dark() {
    for (const id of ["conclusion", "verdict"]) {
      $(id).className = "lamp";
      $(id).textContent = "waits for a world that can be";
    }
    for (const id of ["witness", "polytope", "matrix", "rows"]) $(id).replaceChildren();
    $("answer").value = "";
  }
  const sign = (on, yes, no) => el("span", { class: "sign" }, on ? `● ${yes}` : `○ ${no}`);
  function lamp(node, on, yes, no, text) {
    node.className = `lamp ${on ? "on" : "off"}`;
    node.replaceChildren(sign(on, yes, no), ` ${text}`);
  }
  function showLamps() {
    const here = statement(current), known = TI.statements[current];
    if (!known) {
      $("lamps").replaceChildren(...here.hypotheses.map((name) => el("li", {}, el("span", { class: "sign" }, "–"), el("span", {}, name))));
      $("conclusion").className = "lamp";
      $("conclusion").textContent = "This theorem's lamps are lit by the command alone; the world below is live.";
      return;
    }
    const found = TI.mark(current, instance, task);
    const solved = memory.get("solved", {});
    $("lamps").replaceChildren(...Object.keys(known.lamps).map((name) => {
      const on = !found.off.includes(name);
      const done = (solved[current] || []).includes(name);
      const button = el("button", { type: "button", "aria-pressed": String(task === name), "aria-label": `Task: break “${name}”`, onclick: () => choose(task === name ? null : name) }, done ? "broken ✓" : "break");
      return el("li", { class: on ? "on" : "off" }, sign(on, "on", "off"), el("span", {}, name), button);
    }));
    lamp($("conclusion"), found.holds, "holds", "fails", found.text);
    showTask(found, solved);
  }
  function choose(name) {
    task = name;
    showLamps();
    [...$("lamps").querySelectorAll("button")].find((b) => b.getAttribute("aria-label").includes(`“${name}”`))?.focus();
    showAnswer();
  }
  function showTask(found, solved) {
    const total = DATA.statements.reduce((sum, s) => sum + s.hypotheses.length, 0);
    if (task !== null && found.accepted) {
      solved[current] = [...new Set([...(solved[current] || []), task])];
      memory.set("solved", solved);
    }
    const count = Object.values(solved).flat().length;
    $("progress").textContent = `Broken so far: ${count} of ${total} assumptions, on this browser.`;
    if (task === null) {
      $("task").textContent = "Choose “break” beside an assumption: switch off exactly this lamp, and make the theorem fail.";
      return;
    }
    const others = found.off.filter((name) => name !== task);
    const say = found.accepted ? "Done: only this lamp is off, and the theorem fails. Hand it in below."
      : !found.off.includes(task) ? "Not yet: the lamp is still on."
      : others.length ? `Not yet: “${others[0]}” is off as well.` : "Not yet: the lamp is off, but the theorem still holds here.";
    $("task").replaceChildren(el("strong", {}, `Break “${task}”. `), say);
    if (found.accepted) document.querySelectorAll("#lamps li.off button").forEach((button) => (button.textContent = "broken ✓"));
  }
  const numbers = (caption, rows, names) => el("table", {}, el("caption", {}, caption),
    el("tbody", {}, ...rows.map((row, r) => el("tr", {}, el("th", { scope: "row" }, names(r)), ...row.map((x) => el("td", { class: "number" }, x.toString()))))));
  function showVerdict() {
    const scope = $("scope").value, found = identify(instance, scope);
    const yes = found.status === "IDENTIFIED";
    lamp($("verdict"), yes, found.status, found.status, `rank M = ${found.ranks.M}, rank [M;1] = ${found.ranks.ones}, ${instance.n} states, ${instance.k} goals`);
    $("matrix").replaceChildren(numbers("M: what each goal's values test, a column for each state", instance.agent.M, (g) => `goal ${g}`));
    $("rows").replaceChildren(el("table", {}, el("caption", {}, "Each row of the world"), el("tbody", {}, ...instance.rows.map(([s, a], r) =>
      el("tr", {}, el("th", { scope: "row" }, `state ${s}, action ${a}`), el("td", { class: "number" }, found.rows[r]))))));
    showWitness(found, scope);
  }
  function showWitness(found, scope) {
    const box = $("witness");
    if (!found.witness) {
      const free = nullSpace(instance.agent.M.concat([range(instance.n).map(() => Num.ONE)]), instance.n);
      const hint = free.length ? ` (The null vector (${free[0].join(", ")}) of [M;1] leads out of the class at every row.)` : "";
      box.replaceChildren(el("p", {}, found.status === "INCONSISTENT" ? "No row of the class has some of these values: the world is not of this class." : `There is no second world of this class with these values.${hint}`));
      return;
    }
    const { state, action, first, second } = found.witness;
    const world = (name, row) => el("div", {}, numbers(`${name}: state ${state}, action ${action}`, [row], () => "p"));
    const common = instance.agent.M.map((m) => [dot(m, first), dot(m, second)]);
    const parts = [el("div", { class: "pair" }, world("First", first), world("Second", second)), el("figure", {}, pictures.flows(first, second)),
      el("div", { class: "scroll" }, numbers("The values that both rows have, goal by goal: M p", common, (g) => `goal ${g}`))];
    if (scope === "instance" && instance.kernelClass !== "unconstrained") {
      const q = [first, second].map((row) => withRow(instance, state, action, row).agent.q);
      const same = instance.rows.every(([s, a]) => range(instance.k).every((g) => q[0][g][s][a].eq(q[1][g][s][a])));
      parts.unshift(el("p", {}, same ? `Two worlds that differ in this row alone; all ${instance.k * instance.rows.length} Q-values of the agent agree, exactly.` : "The two rows have the same values under these test functions."));
    } else parts.unshift(el("p", {}, "Two rows that these goals do not tell apart."));
    box.replaceChildren(...parts);
  }
  function showPolytope() {
    const box = $("polytope");
    if (instance.n !== 3) {
      box.replaceChildren(el("p", { class: "small" }, "Drawn for worlds with three states, whose rows fill a triangle. “States” above changes the size."));
      return;
    }
    const [s, a] = instance.rows[Number($("row").value) || 0], found = pictures.triangle(instance, s, a);
    box.replaceChildren(found.node, el("figcaption", { class: "small" }, `Dashed: the level lines of the goals. Dot: the row. It is ${found.label}.`));
  }
  function answer() {
    const off = TI.statements[current] ? TI.mark(current, instance, task).off : [];
    return { statement: current, drops: task ?? (off.length === 1 ? off[0] : ""), name: $("name").value.trim(), instance: instance.toDict() };
  }
  function showAnswer() {
    $("command-id").textContent = current;
    const irrational = !instance.discount.rational();
    $("save").disabled = $("copy").disabled = irrational;
    $("answer").value = irrational ? "" : JSON.stringify(answer());
    if (irrational) $("answer").placeholder = "An irrational discount can be looked at here; answers are handed in at rational ones.";
  }

  // Choosing -------------------------------------------------------------------------------------------------------
  function open(id, given) {
    current = id;
    task = null;
    const here = statement(id);
    $("theorem").value = id;
    document.title = `${id}: laboratory`;
    $("h-theorem").textContent = `${id}: ${here.title}`;
    $("plain").textContent = here.plain;
    $("formula").innerHTML = here.formulas.join("");
    $("words").textContent = here.words.length ? `Also needed, and beyond what a world can lack: ${here.words.join("; ")}.` : "";
    options($("preset"), here.presets.map((preset, p) => [p, preset.name]));
    instance = new Instance(given || here.presets[0].instance);
    drawEditors();
    refresh();
  }
  function start() {
    options($("theorem"), DATA.statements.map((s) => [s.id, `${s.id}: ${s.title}`]));
    for (const [id, most] of [["states", 8], ["actions", 7], ["goals", 8]]) options($(id), range(most).map((x) => [x + 1, String(x + 1)]));
    options($("graphs"), Object.keys(GRAPHS).map((name) => [name, name || "a graph …"]));
    $("special").replaceChildren(...SPECIAL.map((value) => el("button", { type: "button", "data-value": value, "aria-pressed": "false", onclick: () => setDiscount(Num.parse(value)) }, value.replace(/sqrt\((\d)\)/, "√$1"))));
    $("theorem").onchange = (event) => {
      history.replaceState(null, "", `?id=${event.target.value}`);
      open(event.target.value);
    };
    $("preset").onchange = (event) => {
      const preset = statement(current).presets[event.target.value];
      instance = new Instance(preset.instance);
      drawEditors();
      refresh();
    };
    $("states").onchange = (event) => resize(Number(event.target.value), instance.m, instance.k);
    $("actions").onchange = (event) => resize(instance.n, Number(event.target.value), instance.k);
    $("goals").onchange = (event) => resize(instance.n, instance.m, Number(event.target.value));
    $("graphs").onchange = (event) => event.target.value && useGraph(event.target.value);
    $("all-goals").onclick = () => {
      const unit = TI.identity(instance.n);
      resize(instance.n, instance.m, instance.n);
      instance = instance.with({ rewards: unit, continuation: unit.map((row) => row.map((x) => Num.ONE.sub(x))) });
      restart();
    };
    $("policy").onchange = (event) => {
      const kind = event.target.value;
      mutate({ policy: kind === "optimal" ? null : kind === "each" ? range(instance.k).map(uniform) : uniform() });
      restart();
      $("policy").value = kind;
    };
    $("discount").oninput = (event) => {
      try {
        const value = Num.parse(event.target.value);
        event.target.removeAttribute("aria-invalid");
        mutate({ discount: value });
        $("slider").value = Math.round(value.number() * 120);
        refresh();
      } catch (problem) {
        event.target.setAttribute("aria-invalid", "true");
        say(problem.message);
      }
    };
    $("slider").oninput = (event) => setDiscount(new Num(BigInt(event.target.value), 120n));
    const pickClass = () => {
      const kind = $("class").value;
      mutate({ kernelClass: kind === "sparse" ? `sparse:${$("sparsity").value || 1}` : kind });
      refresh();
    };
    $("class").onchange = $("sparsity").onchange = pickClass;
    $("scope").onchange = refresh;
    $("row").onchange = showPolytope;
    $("name").value = memory.get("name", "");
    $("name").oninput = () => {
      memory.set("name", $("name").value);
      showAnswer();
    };
    $("save").onclick = () => {
      const link = el("a", { href: URL.createObjectURL(new Blob([JSON.stringify(answer(), null, 1)], { type: "application/json" })), download: "answer.json" });
      link.click();
      URL.revokeObjectURL(link.href);
    };
    $("copy").onclick = () => {
      $("answer").select();
      document.execCommand("copy"); // navigator.clipboard is not there on file:// pages
    };
    $("open").onchange = async (event) => {
      try {
        const given = JSON.parse(await event.target.files[0].text());
        if (!statement(given.statement)) throw new Error(`it names the statement “${given.statement}”, which is not here`);
        open(given.statement, given.instance);
        task = given.drops || null;
        refresh();
      } catch (problem) {
        say(`This file is no answer: ${problem.message}`);
      }
    };
    const theme = memory.get("theme", null);
    const asked = new URLSearchParams(location.search);
    if (asked.get("theme") || theme) document.documentElement.dataset.theme = asked.get("theme") || theme;
    $("theme").onclick = () => {
      const isDark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      document.documentElement.dataset.theme = isDark ? "light" : "dark";
      memory.set("theme", document.documentElement.dataset.theme);
    };
    if (asked.has("embed")) document.body.classList.add("embed");
    const id = asked.get("id");
    open(statement(id) ? id : "X1");
  }
  TI.laboratory = { open, get instance() { return instance; }, get current() { return current; }, choose, answer };
  start();
})(globalThis.TI);
