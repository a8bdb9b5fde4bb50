// Drawings as SVG: the world, a null vector as a flow of probability, and the triangle of one row.
"use strict";
(function (TI) {
  const { Num, range, dot, extremePoints, support } = TI;
  const NS = "http://www.w3.org/2000/svg";
  function svg(name, attributes, ...children) {
    const node = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }
  const picture = (width, height, label, ...children) => {
    const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
    node.append(svg("title", {}, label), ...children);
    return node;
  };
  const places = (n, width, height, radius) => range(n).map((s) => {
    const angle = (2 * Math.PI * s) / n - Math.PI / 2;
    return [width / 2 + radius * Math.cos(angle), height / 2 + radius * Math.sin(angle)];
  });
  let marker = 0;
  // An arrow that bends a little, so that two ways between two states are both seen.
  function arrow([x, y], [u, v], width, colour, dashed) {
    const id = `head-${marker++}`, length = Math.hypot(u - x, v - y) || 1, gap = 17;
    const [a, b] = [(u - x) / length, (v - y) / length];
    const [mx, my] = [(x + u) / 2 - b * 14, (y + v) / 2 + a * 14];
    const head = svg("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto" },
      svg("path", { d: "M0 0 L8 4 L0 8 z", fill: colour }));
    const line = svg("path", { d: `M${x + a * gap} ${y + b * gap} Q${mx} ${my} ${u - a * gap} ${v - b * gap}`, fill: "none", stroke: colour,
      "stroke-width": width, "stroke-dasharray": dashed ? "5 4" : "none", "marker-end": `url(#${id})` });
    return [head, line];
  }
  function node([x, y], text, fill, colour = "var(--text)") {
    const label = svg("text", { x, y: y + 5, "text-anchor": "middle" }, text);
    label.style.fill = colour;
    return [svg("circle", { cx: x, cy: y, r: 14, fill, stroke: "var(--text)" }), label];
  }

  function world(i) {
    const width = 320, height = 250, at = places(i.n, width, height, 92), drawn = [];
    range(i.n).forEach((s) => range(i.n).forEach((t) => {
      const most = range(i.m).filter((a) => i.available[s][a]).map((a) => i.kernel[s][a][t].number());
      const chance = Math.max(0, ...most);
      if (chance <= 0) return;
      if (s === t) {
        const [x, y] = at[s], [dx, dy] = [(x - width / 2) / 92, (y - height / 2) / 92];
        drawn.push(svg("circle", { cx: x + dx * 16, cy: y + dy * 16, r: 9, fill: "none", stroke: "var(--soft)", "stroke-width": 1 + chance }));
      } else drawn.push(...arrow(at[s], at[t], 0.8 + 1.6 * chance, "var(--soft)", chance < 1));
    }));
    const goals = new Set(i.rewards.flatMap((row) => support(row)));
    range(i.n).forEach((s) => drawn.push(...node(at[s], String(s), goals.has(s) ? "var(--good-ground)" : "var(--raised)")));
    return picture(width, height, `${i.n} states; solid arrows are sure moves, dashed ones may happen; states that pay are shaded`, ...drawn);
  }

  // What moves from one row to the other, between the states that lose and those that gain.
  function flows(first, second) {
    const change = second.map((x, s) => x.sub(first[s])), n = change.length, width = 440, height = 250;
    const at = places(n, width, height, 88), drawn = [], moved = [];
    const loses = range(n).filter((s) => change[s].sign() < 0).map((s) => [s, change[s].neg()]);
    const gains = range(n).filter((s) => change[s].sign() > 0).map((s) => [s, change[s]]);
    while (loses.length && gains.length) {
      const [from, give] = loses[0], [to, take] = gains[0], size = give.cmp(take) < 0 ? give : take;
      moved.push([from, to, size]);
      loses[0][1] = give.sub(size);
      gains[0][1] = take.sub(size);
      if (loses[0][1].isZero()) loses.shift();
      if (gains[0][1].isZero()) gains.shift();
    }
    const largest = Math.max(...moved.map(([, , size]) => size.number()));
    moved.forEach(([from, to, size]) => drawn.push(...arrow(at[from], at[to], 1.5 + (5 * size.number()) / largest, "var(--plus)")));
    range(n).forEach((s) => {
      drawn.push(...node(at[s], String(s), change[s].sign() > 0 ? "var(--good-ground)" : change[s].sign() < 0 ? "var(--bad-ground)" : "var(--raised)"));
      if (change[s].isZero()) return;
      const [x, y] = at[s], dx = (x - width / 2) / 88, dy = (y - height / 2) / 88;
      const label = svg("text", { x: x + dx * 24, y: y + dy * 26 + 5, "text-anchor": dx > 0.3 ? "start" : dx < -0.3 ? "end" : "middle" },
        (change[s].sign() > 0 ? "+" : "") + change[s].toString());
      label.style.fontWeight = "600";
      drawn.push(label);
    });
    return picture(width, height, `Probability that moves: ${moved.map(([a, b, x]) => `${x} from ${a} to ${b}`).join(", ")}`, ...drawn);
  }

  // The simplex of three states: level lines of the goals through a row, and all rows on them.
  function triangle(i, state, action) {
    const width = 320, height = 290, corner = [[30, 255], [290, 255], [160, 30]];
    const at = (p) => [0, 1].map((axis) => corner.reduce((total, c, s) => total + c[axis] * p[s].number(), 0));
    const row = i.kernel[state][action], drawn = [svg("polygon", { points: corner.map((c) => c.join()).join(" "), fill: "var(--raised)", stroke: "var(--text)" })];
    i.agent.M.forEach((m, g) => {
      const value = dot(m, row), ends = [];
      for (const [x, y] of [[0, 1], [1, 2], [2, 0]]) {
        const gap = m[y].sub(m[x]);
        if (gap.isZero()) continue;
        const share = value.sub(m[x]).div(gap);
        if (share.sign() < 0 || share.cmp(Num.ONE) > 0) continue;
        ends.push(at(range(3).map((s) => (s === y ? share : s === x ? Num.ONE.sub(share) : Num.ZERO))));
      }
      if (ends.length < 2) return;
      const far = ends.slice(1).sort((a, b) => Math.hypot(b[0] - ends[0][0], b[1] - ends[0][1]) - Math.hypot(a[0] - ends[0][0], a[1] - ends[0][1]))[0];
      drawn.push(svg("line", { x1: ends[0][0], y1: ends[0][1], x2: far[0], y2: far[1], stroke: "var(--minus)", "stroke-width": 1.5, "stroke-dasharray": `${4 + 3 * g} 3` }));
    });
    const members = extremePoints(i.system, [...i.agent.M.map((m) => dot(m, row)), Num.ONE]);
    const spots = members.map(at);
    if (spots.length > 1) drawn.push(svg("polygon", { points: spots.map((p) => p.join()).join(" "), fill: "var(--plus)", "fill-opacity": 0.35, stroke: "var(--plus)", "stroke-width": 5, "stroke-linejoin": "round" }));
    const [x, y] = at(row);
    drawn.push(svg("circle", { cx: x, cy: y, r: 6, fill: "var(--text)" }));
    corner.forEach(([cx, cy], s) => drawn.push(svg("text", { x: cx + [-20, 20, 0][s], y: cy + [20, 20, -10][s], "text-anchor": ["start", "end", "middle"][s] }, `state ${s}`)));
    const label = members.length === 1 ? "one point: this row alone has its values" : `a set with ${members.length} corners has the same values as the row`;
    return { node: picture(width, height, `The distributions over three states; dashed, the level lines of the goals; ${label}`, ...drawn), members, label };
  }

  Object.assign(TI, { pictures: { world, flows, triangle } });
})(globalThis.TI);
