// Escape from a quadratic well: exit rates from the tables of the package, and paths driven by exact noise.
//
// U(x) = a x^2 / 2 with one rim at x = b, dX = -U'(X) dt + sigma dB_H, X(0) = 0. The names follow fbmsde/laws/fou_exits.py,
// whose interpolation is repeated here. A problem is {hurst, curvature, barrier, sigma, horizon}.

"use strict";

(function (root) {
  const FIRST_KNOWN = 2; // stationary standard deviations from which the limit of high barriers is evaluated

  // ---- functions of one number

  // Logarithm of the probability that a normal variable exceeds k > 0.
  function logTail(k) {
    if (k < 4) {
      let term = k;
      let sum = k;
      for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
        term *= (k * k) / (2 * n + 1);
        sum += term;
      }
      return Math.log(0.5 - (sum * Math.exp((-k * k) / 2)) / Math.sqrt(2 * Math.PI));
    }
    let tail = k; // the continued fraction 1 / (k + 1 / (k + 2 / (k + 3 / ...))), from its end
    for (let n = 60; n > 0; n--) tail = k + n / tail;
    return (-k * k) / 2 - Math.log(Math.sqrt(2 * Math.PI) * tail);
  }

  // Variance at time t over the stationary one, for curvature 1: H int_0^t u^(2H-1) (e^-u + e^(u-2t)) du over V.
  function varianceShare(hurst, variance, t) {
    const s = 2 * hurst;
    let decaying = 1 / s;
    let term = decaying;
    for (let n = 1; term > 1e-17 * decaying; n++) {
      term *= t / (s + n);
      decaying += term;
    }
    let growing = 1 / s;
    let power = 1;
    for (let n = 1, more = 1; n < t || more > 1e-17 * growing; n++) {
      power *= t / n;
      more = power / (s + n);
      growing += more;
    }
    return (hurst * Math.pow(t, s) * (decaying * Math.exp(-t) + growing * Math.exp(-2 * t))) / variance;
  }

  // ---- interpolation

  // The place of x among nodes: {left, share}, held inside of the first and the last interval.
  function placeAmong(nodes, x) {
    let left = 0;
    while (left < nodes.length - 2 && x >= nodes[left + 1]) left++;
    return { left, share: (x - nodes[left]) / (nodes[left + 1] - nodes[left]) };
  }

  // The cubic with the given values and slopes at the ends of the interval that holds x.
  function hermite(nodes, values, slopes, x) {
    const { left, share } = placeAmong(nodes, x);
    const width = nodes[left + 1] - nodes[left];
    const rest = 1 - share;
    return (
      values[left] * rest * rest * (1 + 2 * share) +
      values[left + 1] * share * share * (3 - 2 * share) +
      width * share * rest * (slopes[left] * rest - slopes[left + 1] * share)
    );
  }

  // A cubic spline whose slopes are a matrix times the values.
  function spline(nodes, matrix, values, x) {
    const slopes = matrix.map((row) => row.reduce((sum, weight, j) => sum + weight * values[j], 0));
    return hermite(nodes, values, slopes, x);
  }

  // The slopes of the monotone interpolation of Fritsch and Butland.
  function monotoneSlopes(nodes, values) {
    const widths = nodes.slice(1).map((x, j) => x - nodes[j]);
    const rises = widths.map((width, j) => (values[j + 1] - values[j]) / width);
    const end = (h0, h1, m0, m1) => {
      const slope = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1);
      if (Math.sign(slope) !== Math.sign(m0)) return 0;
      return Math.sign(m0) !== Math.sign(m1) && Math.abs(slope) > 3 * Math.abs(m0) ? 3 * m0 : slope;
    };
    const slopes = nodes.map((_, j) => {
      const [before, after] = [rises[j - 1], rises[j]];
      if (!(before * after > 0)) return 0;
      const first = 2 * widths[j] + widths[j - 1];
      const second = widths[j] + 2 * widths[j - 1];
      return (first + second) / (first / before + second / after);
    });
    const last = rises.length - 1;
    slopes[0] = end(widths[0], widths[1], rises[0], rises[1]);
    slopes[last + 1] = end(widths[last], widths[last - 1], rises[last], rises[last - 1]);
    return slopes;
  }

  // Sum of weights times values, NaN if a value that counts is missing.
  function weighted(weights, values) {
    let sum = 0;
    for (let j = 0; j < weights.length; j++) {
      if (weights[j] > 1e-9) sum += values[j] === null ? NaN : weights[j] * values[j];
    }
    return sum;
  }

  // The weights of linear interpolation between nodes.
  function linearWeights(nodes, x) {
    const { left, share } = placeAmong(nodes, x);
    return nodes.map((_, j) => (j === left ? 1 - share : j === left + 1 ? share : 0));
  }

  // ---- laws

  function makeLaw(tables) {
    const nodes = { ...tables.nodes, clock: tables.nodes.times.map(Math.log) };
    const [firstTime, lastTime] = [nodes.times[0], nodes.times[nodes.times.length - 1]];
    const kept = new Map();

    // The place of H in what is written down for each H that the page offers.
    function entry(hurst) {
      const j = Math.round((hurst - tables.hursts[0]) * 100);
      if (!(Math.abs(tables.hursts[j] - hurst) < 1e-9)) throw new RangeError(`no tables for H = ${hurst}`);
      return j;
    }

    // The barrier in stationary standard deviations.
    function deviations({ hurst, curvature, barrier, sigma }) {
      return (barrier / sigma) * Math.pow(curvature, hurst) / Math.sqrt(tables.variances[entry(hurst)]);
    }

    // Logarithm of Pickands' rate in units of the curvature: P_2H Gamma(2H+1)^(-1/2H) k^(1/H) Psi(k).
    function logPickands(hurst, k) {
      const j = entry(hurst);
      const clock = (Math.log(k) - Math.log(2 * tables.variances[j]) / 2) / hurst; // Gamma(2H+1) = 2 V at a = sigma = 1
      return clock + logTail(k) + tables.pickands[j];
    }

    // Variances at the times of a run over the stationary one. They are kept, for the next barrier needs them again.
    function sharesAt(hurst, times) {
      const key = `${hurst} ${times.length} ${times[times.length - 1]}`;
      if (kept.size > 100) kept.clear();
      if (!kept.has(key)) {
        const variance = tables.variances[entry(hurst)];
        kept.set(key, times.map((t) => varianceShare(hurst, variance, t)));
      }
      return kept.get(key);
    }

    // Why the table says nothing about this H and this barrier; empty if it does.
    function outside(hurst, k) {
      const check = (name, value, ends) => {
        const [low, high] = [ends[0], ends[ends.length - 1]];
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) return "";
        return `outside the table: ${name} = ${Number(value.toPrecision(3))}, the table covers ${low} to ${high}`;
      };
      return check("H", hurst, nodes.hursts) || check("barrier / standard deviation", k, nodes.barriers);
    }

    // Hazard and its relative error at times in units of 1 / a, NaN where nodes are missing.
    function hazards(hurst, k, times) {
      const row = nodes.logRatios.map((planes) => {
        const there = planes.map((values) => spline(nodes.barriers, nodes.barrierSlopes, values, k));
        return spline(nodes.hursts, nodes.hurstSlopes, there, hurst);
      });
      const slopes = monotoneSlopes(nodes.clock, row);
      const shares = sharesAt(hurst, times);
      const along = linearWeights(nodes.barriers, k);
      const across = linearWeights(nodes.hursts, hurst);
      const errors = nodes.errors.map((planes) => weighted(across, planes.map((values) => weighted(along, values))));
      return times.map((t, j) => {
        const logTime = Math.log(Math.min(Math.max(t, firstTime), lastTime));
        const place = placeAmong(nodes.clock, logTime);
        const early = place.left === 0 ? 1 - place.share : 0;
        const between = Math.hypot(nodes.between, nodes.early * 4 * early * (1 - early));
        const known = weighted([1 - place.share, place.share], [errors[place.left], errors[place.left + 1]]);
        const error = Math.hypot(known, between);
        const base = logPickands(hurst, k / Math.sqrt(shares[j]));
        const value = Math.exp(hermite(nodes.clock, row, slopes, logTime) + base);
        return { value: Number.isNaN(error) ? NaN : value, error };
      });
    }

    // Times from 2 / a on, evenly spaced in their logarithm, and the last one.
    function clock(end) {
      const stop = Math.min(end, lastTime);
      const step = Math.log(stop / nodes.after) / nodes.steps;
      return Array.from({ length: nodes.steps + 1 }, (_, j) =>
        j === nodes.steps ? stop : nodes.after * Math.exp(step * j)
      );
    }

    // The exits between 2 / a and the horizon: {value, error, survival} or {outside, survival}. The survival holds the
    // times and the share of paths still inside, of those inside at 2 / a, as far as the table reaches.
    function rate(problem) {
      const { hurst, curvature, horizon } = problem;
      const k = deviations(problem);
      const none = { times: [], inside: [] };
      const why = outside(hurst, k);
      if (why) return { outside: why, survival: none };
      const end = horizon * curvature;
      if (!(end > nodes.after)) return { outside: `outside the table: it begins at a t = ${nodes.after}`, survival: none };
      const times = clock(end);
      const found = hazards(hurst, k, times);
      if (end > lastTime && (hurst === 0.5 || (hurst < 0.5 && k >= 3.5))) {
        times.push(end); // the hazard no longer changes
        found.push(found[found.length - 1]);
      }
      const missing = found.findIndex((at) => Number.isNaN(at.value));
      const known = missing < 0 ? found.length : missing;
      const inside = [1];
      let exits = 0;
      let exposure = 0;
      let errors = 0;
      for (let j = 0, hazard = 0; j + 1 < known; j++) {
        const step = ((found[j].value + found[j + 1].value) / 2) * (times[j + 1] - times[j]);
        const left = -Math.exp(-hazard) * Math.expm1(-step);
        exits += left;
        exposure += (left * (times[j + 1] - times[j])) / step;
        errors += left * found[j].error;
        hazard += step;
        inside.push(Math.exp(-hazard));
      }
      const survival = { times: times.slice(0, known).map((t) => t / curvature), inside: inside.slice(0, known) };
      const whole = known === times.length && times[times.length - 1] >= end;
      if (!whole && !(known && inside[known - 1] < nodes.gone)) {
        const from = Number((known < times.length ? times[known] : end).toPrecision(3));
        const low = Number(k.toPrecision(3));
        return { outside: `outside the table: no hazard at ${low} standard deviations from a t = ${from} on`, survival };
      }
      return { value: (curvature * exits) / exposure, error: errors / exits, survival };
    }

    // The rate up to the horizon, or, where the table ends before it, up to the last of its times at which it has a rate:
    // {value, error, until, survival} or {outside, survival}.
    function furthestRate(problem) {
      const whole = rate(problem);
      if (whole.value) return { ...whole, until: problem.horizon };
      for (const time of [...nodes.times].reverse()) {
        const horizon = time / problem.curvature;
        const found = horizon < problem.horizon ? rate({ ...problem, horizon }) : {};
        if (found.value) return { ...found, until: horizon };
      }
      return whole;
    }

    // Pickands' limit of high barriers: {value} or {outside}.
    function pickands(problem) {
      const k = deviations(problem);
      if (k < FIRST_KNOWN) return { outside: `below ${FIRST_KNOWN} standard deviations no limit of high barriers` };
      return { value: problem.curvature * Math.exp(logPickands(problem.hurst, k)) };
    }

    // Kramers' formula with the prefactor of H = 1/2: {value} or {outside}.
    function kramers(problem) {
      const k = deviations(problem);
      if (k < FIRST_KNOWN) return { outside: `below ${FIRST_KNOWN} standard deviations no limit of high barriers` };
      return { value: (problem.curvature * k * Math.exp((-k * k) / 2)) / Math.sqrt(2 * Math.PI) };
    }

    // The smallest eigenvalue at H = 1/2, which is exact at late times: {value} or {outside}.
    function exact(problem) {
      if (problem.hurst !== 0.5) return { outside: "known at H = 0.5 only" };
      const k = deviations(problem);
      const { deviations: at, logs, slopes } = tables.exact;
      if (!(k >= at[0] && k <= at[at.length - 1])) return { outside: `written down from ${at[0]} to ${at[at.length - 1]} s.d.` };
      return { value: problem.curvature * Math.exp(hermite(at, logs, slopes, k)) };
    }

    const shift = (hurst) => tables.shifts[entry(hurst)];
    return { deviations, rate, furthestRate, pickands, kramers, exact, shift };
  }

  // ---- noise and paths

  // Fast Fourier transform of a complex array whose length is a power of two, in place.
  function fourier(re, im) {
    const n = re.length;
    for (let i = 1, j = 0; i < n; i++) {
      let bit = n >> 1;
      for (; j & bit; bit >>= 1) j ^= bit;
      j ^= bit;
      if (i < j) {
        [re[i], re[j]] = [re[j], re[i]];
        [im[i], im[j]] = [im[j], im[i]];
      }
    }
    const cos = new Float64Array(n / 2);
    const sin = new Float64Array(n / 2);
    for (let j = 0; j < n / 2; j++) {
      cos[j] = Math.cos((2 * Math.PI * j) / n);
      sin[j] = -Math.sin((2 * Math.PI * j) / n);
    }
    for (let half = 1; half < n; half *= 2) {
      const stride = n / (2 * half);
      for (let start = 0; start < n; start += 2 * half) {
        for (let j = 0; j < half; j++) {
          const [c, s] = [cos[j * stride], sin[j * stride]];
          const [a, b] = [start + j, start + j + half];
          const real = re[b] * c - im[b] * s;
          const imag = re[b] * s + im[b] * c;
          re[b] = re[a] - real;
          im[b] = im[a] - imag;
          re[a] += real;
          im[a] += imag;
        }
      }
    }
  }

  // Standard normal numbers of a seed: xoshiro128** (Blackman and Vigna) and the transformation of Box and Muller.
  function normals(seed) {
    const words = new Uint32Array(4);
    for (let j = 0, state = seed >>> 0; j < 4; j++) {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      words[j] = mixed ^ (mixed >>> 16);
    }
    const rotated = (x, k) => (x << k) | (x >>> (32 - k));
    const uniform = () => {
      const out = Math.imul(rotated(Math.imul(words[1], 5), 7), 9) >>> 0;
      const shifted = words[1] << 9;
      words[2] ^= words[0];
      words[3] ^= words[1];
      words[1] ^= words[2];
      words[0] ^= words[3];
      words[2] ^= shifted;
      words[3] = rotated(words[3], 11);
      return (out + 0.5) / 4294967296;
    };
    return () => {
      const radius = Math.sqrt(-2 * Math.log(uniform()));
      const angle = 2 * Math.PI * uniform();
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    };
  }

  // The roots of the eigenvalues of the circulant matrix whose corner is the covariance of fractional Gaussian noise.
  function circulantRoots(hurst, steps) {
    const covariance = (k) =>
      (Math.pow(k + 1, 2 * hurst) - 2 * Math.pow(k, 2 * hurst) + Math.pow(Math.abs(k - 1), 2 * hurst)) / 2;
    const re = Float64Array.from({ length: 2 * steps }, (_, j) => covariance(Math.min(j, 2 * steps - j)));
    fourier(re, new Float64Array(2 * steps));
    return re.map((eigenvalue) => Math.sqrt(Math.max(eigenvalue, 0) / (2 * steps)));
  }

  // Two independent paths of noise from 2 * steps pairs of normal numbers (Davies and Harte 1987): the law is exact.
  function twoPaths(roots, draw) {
    const re = new Float64Array(roots.length);
    const im = new Float64Array(roots.length);
    for (let j = 0; j < roots.length; j++) {
      const [a, b] = draw(j);
      re[j] = roots[j] * a;
      im[j] = roots[j] * b;
    }
    fourier(re, im);
    return [re.subarray(0, roots.length / 2), im.subarray(0, roots.length / 2)];
  }

  // Increments of fractional Brownian motion over steps of length 1; `steps` is a power of two.
  function fractionalNoise(hurst, steps, paths, seed) {
    const roots = circulantRoots(hurst, steps);
    const draw = normals(seed);
    const out = [];
    while (out.length < paths) out.push(...twoPaths(roots, draw));
    return out.slice(0, paths);
  }

  // Positions after each step, from 0 at the minimum, until the step that ends beyond the rim. The rim is lowered by what
  // a grid misses on average, beta_H sigma dt^H, so that exits are those of continuous time in leading order.
  function follow(increments, problem, dt, shift) {
    const scale = problem.sigma * Math.pow(dt, problem.hurst);
    const rim = problem.barrier - shift * scale;
    const positions = [0];
    for (let n = 0, x = 0; n < increments.length && x < rim; n++) {
      x += -problem.curvature * x * dt + scale * increments[n];
      positions.push(x);
    }
    return { positions, left: positions[positions.length - 1] >= rim };
  }

  const escape = { makeLaw, logTail, varianceShare, circulantRoots, twoPaths, fractionalNoise, follow };
  if (typeof module === "object") module.exports = escape;
  else root.fbmsdeEscape = escape;
})(this);
