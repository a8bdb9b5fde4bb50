// Exact numbers (n + m sqrt(r)) / d with BigInt: fractions, and one square root where a discount needs it.
"use strict";
(function (TI) {
  const abs = (x) => (x < 0n ? -x : x);
  function gcd(a, b) {
    a = abs(a);
    b = abs(b);
    while (b) [a, b] = [b, a % b];
    return a;
  }

  class Num {
    constructor(n, d = 1n, m = 0n, r = 0n) {
      if (d === 0n) throw new RangeError("a denominator is 0");
      if (d < 0n) [n, d, m] = [-n, -d, -m];
      const common = gcd(gcd(n, m), d);
      if (common > 1n) [n, d, m] = [n / common, d / common, m / common];
      this.n = n;
      this.d = d;
      this.m = m;
      this.r = m === 0n ? 0n : r;
    }

    static of(value) {
      if (value instanceof Num) return value;
      return typeof value === "string" ? Num.parse(value) : new Num(BigInt(value));
    }

    // "3", "-1/24", "0.25", "sqrt(2)/2", "1/sqrt(2)": what people type, and what the package writes.
    static parse(text) {
      const given = String(text).trim().replace(/\s+/g, "").replace(/√(\d+)/g, "sqrt($1)").replace("−", "-");
      const root = /^(-?)(\d+)?\*?sqrt\((\d+)\)(?:\/(\d+))?$/.exec(given);
      if (root) {
        const times = BigInt(root[1] + (root[2] || "1"));
        return Num.root(BigInt(root[3])).mul(new Num(times, BigInt(root[4] || "1")));
      }
      const under = /^(-?\d+)\/sqrt\((\d+)\)$/.exec(given);
      if (under) return new Num(BigInt(under[1])).div(Num.root(BigInt(under[2])));
      const fraction = /^([+-]?\d+)\/(\d+)$/.exec(given);
      if (fraction) return new Num(BigInt(fraction[1]), BigInt(fraction[2]));
      const decimal = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(given);
      if (decimal) {
        const places = decimal[3] || "";
        return new Num(BigInt(decimal[1] + decimal[2] + places), 10n ** BigInt(places.length));
      }
      throw new SyntaxError(`“${text}” is no number; write 3, -1/2, 0.25 or 1/sqrt(2)`);
    }

    static root(square) {
      let outside = 1n;
      for (let i = 2n; i * i <= square; i++) {
        while (square % (i * i) === 0n) {
          square /= i * i;
          outside *= i;
        }
      }
      return square === 1n ? new Num(outside) : new Num(0n, 1n, outside, square);
    }

    field(other) {
      if (this.r && other.r && this.r !== other.r) throw new RangeError("two different square roots meet");
      return this.r || other.r;
    }
    add(o) {
      if (!this.m && !o.m) return new Num(this.n * o.d + o.n * this.d, this.d * o.d);
      return new Num(this.n * o.d + o.n * this.d, this.d * o.d, this.m * o.d + o.m * this.d, this.field(o));
    }
    neg() {
      return new Num(-this.n, this.d, -this.m, this.r);
    }
    sub(o) {
      return this.add(o.neg());
    }
    mul(o) {
      if (!this.m && !o.m) return new Num(this.n * o.n, this.d * o.d);
      const r = this.field(o);
      return new Num(this.n * o.n + this.m * o.m * r, this.d * o.d, this.n * o.m + this.m * o.n, r);
    }
    inv() {
      if (!this.m) return new Num(this.d, this.n);
      const norm = this.n * this.n - this.m * this.m * this.r;
      return new Num(this.n * this.d, norm, -this.m * this.d, this.r);
    }
    div(o) {
      return this.mul(o.inv());
    }
    sign() {
      const a = this.n > 0n ? 1 : this.n < 0n ? -1 : 0;
      const b = this.m > 0n ? 1 : this.m < 0n ? -1 : 0;
      if (a === b || b === 0) return a;
      if (a === 0) return b;
      return this.n * this.n > this.m * this.m * this.r ? a : b;
    }
    isZero() {
      return this.n === 0n && this.m === 0n;
    }
    eq(o) {
      return this.n === o.n && this.d === o.d && this.m === o.m && this.r === o.r;
    }
    cmp(o) {
      return this.sub(o).sign();
    }
    abs() {
      return this.sign() < 0 ? this.neg() : this;
    }
    pow(k) {
      let result = Num.ONE;
      for (let i = 0; i < k; i++) result = result.mul(this);
      return result;
    }
    rational() {
      return this.m === 0n;
    }
    number() {
      // Long numerators overflow a float: keep 60 binary digits of the quotient.
      const shift = 1n << 60n;
      const q = (x) => Number((x * shift) / this.d) / Number(shift);
      return q(this.n) + (this.m ? q(this.m) * Math.sqrt(Number(this.r)) : 0);
    }
    toString() {
      const over = (x) => (this.d === 1n ? `${x}` : `${x}/${this.d}`);
      if (!this.m) return over(this.n);
      const part = abs(this.m) === 1n ? "" : `${abs(this.m)}*`;
      const root = `${part}sqrt(${this.r})` + (this.d === 1n ? "" : `/${this.d}`);
      if (!this.n) return (this.m < 0n ? "-" : "") + root;
      return `${over(this.n)} ${this.m < 0n ? "-" : "+"} ${root}`;
    }
  }
  Num.ZERO = new Num(0n);
  Num.ONE = new Num(1n);

  const sum = (list) => list.reduce((a, b) => a.add(b), Num.ZERO);
  const dot = (a, b) => sum(a.map((x, i) => (x.isZero() || b[i].isZero() ? Num.ZERO : x.mul(b[i]))));
  const max = (list) => list.reduce((a, b) => (b.cmp(a) > 0 ? b : a));
  const min = (list) => list.reduce((a, b) => (b.cmp(a) < 0 ? b : a));
  const same = (a, b) => a.length === b.length && a.every((x, i) => (Array.isArray(x) ? same(x, b[i]) : x.eq(b[i])));
  const parse = (value) => (Array.isArray(value) ? value.map(parse) : Num.of(value));
  const show = (value) => (Array.isArray(value) ? value.map(show) : value.toString());
  const range = (n) => Array.from({ length: n }, (_, i) => i);

  Object.assign(TI, { Num, sum, dot, max, min, same, parse, show, range, gcd });
})((globalThis.TI = globalThis.TI || {}));
