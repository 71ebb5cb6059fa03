// The page on which escapes can be tried out: sliders, figures and numbers. escape_law.js computes.

"use strict";

(function () {
  const { makeLaw, fractionalNoise, follow } = window.fbmsdeEscape;
  const [STEPS, PATHS, SHOWN, STRIDE] = [4096, 200, 12, 8]; // steps of a path, paths, paths drawn, steps between points
  const FEWEST = 20; // simulated paths inside at 2 / a of which a share is worth drawing
  const SPAN = 80; // the time axis in units of 1 / the curvature of the sharp well; the table ends at 100
  const SECONDS = 12; // of the animation
  const WELLS = ["sharp", "flat"];
  const SLIDERS = ["hurst", "height", "sigma", "sharp", "flat"];
  const ROWS = [
    ["furthestRate", "table of exit rates", "fou_exit_rate"],
    ["pickands", "Pickands", "pickands"],
    ["kramers", "Kramers with the prefactor of H = 1/2", "kramers_brownian_prefactor"],
    ["exact", "eigenvalue at H = 1/2", "ou_eigenvalue"],
  ];

  const tables = JSON.parse(document.getElementById("escape-tables").textContent);
  const law = makeLaw(tables);
  const part = (name) => document.getElementById(`explore-${name}`);
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const state = { seed: 1, progress: 1, playing: false };
  let noise = { key: "", increments: [] };
  let runs = {};
  let rates = { key: "" };
  let reveal = [];

  // ---- problems

  function problem(well, height = state.height) {
    const curvature = state[well];
    const barrier = Math.sqrt((2 * height) / curvature);
    return { hurst: state.hurst, curvature, barrier, sigma: state.sigma, horizon: SPAN / state.sharp };
  }

  // All paths of both wells, and for each the step at which it has left, or Infinity.
  function simulate() {
    const key = `${state.hurst} ${state.seed}`;
    if (noise.key !== key) noise = { key, increments: fractionalNoise(state.hurst, STEPS, PATHS, state.seed) };
    const dt = SPAN / state.sharp / STEPS;
    for (const well of WELLS) {
      const followed = noise.increments.map((x) => follow(x, problem(well), dt, law.shift(state.hurst)));
      const ends = followed.map(({ positions, left }) => (left ? positions.length - 1 : Infinity));
      runs[well] = { dt, ends, paths: followed.slice(0, SHOWN).map(({ positions }) => positions) };
    }
  }

  // Exits after 2 / a and the time spent inside after it, of the paths that were inside then.
  function counted(well) {
    const { dt, ends } = runs[well];
    const first = 2 / state[well];
    const times = ends.map((n) => Math.min(n, STEPS) * dt).filter((t) => t > first);
    const exits = ends.filter((n) => n * dt > first && n <= STEPS).length;
    return { exits, value: exits / times.reduce((sum, t) => sum + t - first, 0) };
  }

  // ---- text

  // So many digits of a number, and as many as it needs of one that was chosen.
  function digits(x, n = 3) {
    if (x === 0) return "0";
    const [mantissa, exponent] = x.toExponential(n - 1).split("e");
    return exponent > 3 || exponent < -3 ? `${mantissa} × ${power(+exponent)}` : x.toPrecision(Math.max(n, +exponent + 1));
  }

  const POWERS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

  function power(n) {
    return `10${[...String(n)].map((c) => POWERS[c]).join("")}`;
  }

  function verdict(found) {
    const [sharp, flat] = WELLS.map((well) => found[well].furthestRate);
    const box = part("verdict");
    const say = (first, headline, reason) => {
      box.dataset.first = first;
      box.replaceChildren(element("strong", headline), ` ${reason}`);
    };
    const faster = (ratio) => `${digits(Math.max(ratio, 1 / ratio))} times as fast`;
    const headline = { sharp: "The sharp well empties first.", flat: "The flat well empties first." };
    if (sharp.value && flat.value) {
      const ratio = sharp.value / flat.value;
      const error = Math.hypot(sharp.error, flat.error);
      const percent = `${digits(100 * error, 2)} %`;
      const first = ratio > 1 ? "sharp" : "flat";
      if (Math.abs(Math.log(ratio)) > 2 * error) say(first, headline[first], `By the table it does so ${faster(ratio)}, with a standard error of ${percent}.`);
      else say("", "Both wells empty equally fast,", `as far as the table can tell: the rates differ by a factor of ${digits(ratio)}, with a standard error of ${percent}.`);
      return;
    }
    const reasons = WELLS.filter((well) => found[well].furthestRate.outside).map((well) => [`The ${well} well is`, found[well].furthestRate.outside]);
    const same = reasons.length === 2 && reasons[0][1] === reasons[1][1];
    const which = same ? `Both wells are ${reasons[0][1]}.` : reasons.map(([who, why]) => `${who} ${why}.`).join(" ");
    const ordered = (name, ending) => {
      const [high, low] = WELLS.map((well) => found[well][name].value);
      if (!high || !low) return false;
      const first = high > low ? "sharp" : "flat";
      say(first, headline[first], `${which} ${ending(faster(high / low))}`);
      return true;
    };
    if (ordered("exact", (ratio) => `By the eigenvalues, which are exact at late times, it does so ${ratio}.`)) return;
    if (ordered("pickands", (ratio) => `By Pickands' limit of high barriers it does so ${ratio}, with an error that is not known here.`)) return;
    say("", "The order is not known here.", which);
  }

  function numbers(found) {
    const h = state.hurst;
    const cell = (value, text, note, until) => {
      const td = element("td", text);
      if (value !== undefined) td.dataset.value = value;
      if (until !== undefined) td.dataset.until = until;
      if (note) td.append(element("small", note));
      return td;
    };
    const row = (name, title, note, cells) => {
      const tr = element("tr");
      const th = element("th", title);
      th.scope = "row";
      th.append(element("small", note));
      tr.dataset.row = name;
      tr.append(th, ...cells);
      return tr;
    };
    const ratio = ([a, b]) => (a && b ? cell(a / b, digits(a / b)) : cell(undefined, "–"));
    const distances = WELLS.map((well) => law.deviations(problem(well)));
    const rows = [row("deviations", "distance of the rim", "in stationary standard deviations", [...distances.map((k) => cell(k, digits(k))), ratio(distances)])];
    for (const [name, title, formula] of ROWS) {
      const values = WELLS.map((well) => found[well][name]);
      const status = tables.statuses[formula][h === 0.5 ? "brownian" : "fractional"];
      const note = ({ error, until }) => error && `± ${digits(100 * error, 2)} %, until t = ${digits(until)}`;
      const cells = values.map((one) => (one.outside ? cell(undefined, "–", one.outside) : cell(one.value, digits(one.value, 4), note(one), one.until)));
      rows.push(row(name, title, status, [...cells, ratio(values.map(({ value }) => value))]));
    }
    const seen = WELLS.map(counted);
    const cells = seen.map(({ value, exits }) => cell(value, exits ? digits(value, 2) : "–", `${exits} exits after 2/a`));
    rows.push(row("paths", `${PATHS} paths of this page`, "simulated", [...cells, ratio(seen.map(({ value }) => value))]));
    part("numbers").replaceChildren(...rows);
  }

  function python(found) {
    const { hurst, height, sigma } = state;
    const wells = WELLS.map((well) => `(${state[well]}, ${found[well].furthestRate.until ?? SPAN / state.sharp})`);
    part("python").textContent = [
      "from fbmsde.theory import FORMULAS",
      "",
      `for curvature, horizon in (${wells.join(", ")}):`,
      `    rate = FORMULAS["fou_exit_rate"].evaluate(`,
      `        hurst=${hurst}, curvature=curvature, barrier=(2 * ${height} / curvature) ** 0.5, sigma=${sigma}, horizon=horizon`,
      "    )",
      "    print(rate)",
    ].join("\n");
  }

  // ---- figures

  function element(name, text) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function shape(name, attributes, parent, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }

  function ticks({ low, high, log }) {
    if (log) {
      const every = Math.ceil((high - low) / 6);
      const first = Math.ceil(low / every) * every;
      return Array.from({ length: Math.floor((high - first) / every) + 1 }, (_, j) => [first + j * every, power(first + j * every)]);
    }
    const rough = (high - low) / 5;
    const unit = 10 ** Math.floor(Math.log10(rough));
    const step = unit * [1, 2, 5, 10].find((m) => m * unit >= rough);
    const first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, j) => [(first + j) * step, String(Number(((first + j) * step).toPrecision(6)))]);
  }

  // An empty figure with axes. Logarithmic axes take and show logarithms to the base 10.
  function plot(name, { x, y, height, label }) {
    const box = part(name);
    const width = Math.max(box.clientWidth, 200);
    const edge = { left: 52, right: 10, top: 10, bottom: 40 };
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [key, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label })) svg.setAttribute(key, value);
    const px = (value) => edge.left + ((value - x.low) / (x.high - x.low)) * (width - edge.left - edge.right);
    const py = (value) => height - edge.bottom - ((value - y.low) / (y.high - y.low)) * (height - edge.top - edge.bottom);
    for (const [at, text] of ticks(y)) {
      shape("path", { class: "grid", d: `M${px(x.low)} ${py(at)}H${px(x.high)}` }, svg);
      shape("text", { x: px(x.low) - 6, y: py(at) + 4, "text-anchor": "end" }, svg, text);
    }
    for (const [at, text] of ticks(x)) {
      shape("path", { class: "axis", d: `M${px(at)} ${py(y.low)}v4` }, svg);
      shape("text", { x: px(at), y: py(y.low) + 17, "text-anchor": "middle" }, svg, text);
    }
    shape("path", { class: "axis", d: `M${px(x.low)} ${py(y.high)}V${py(y.low)}H${px(x.high)}` }, svg);
    shape("text", { x: (px(x.low) + px(x.high)) / 2, y: height - 6, "text-anchor": "middle" }, svg, x.label);
    const middle = (py(y.low) + py(y.high)) / 2;
    shape("text", { x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})` }, svg, y.label);
    const clip = shape("clipPath", { id: `explore-clip-${name}` }, svg);
    const frame = { x: edge.left, y: 0, width: width - edge.left - edge.right, height: height - edge.bottom + 1 };
    const window = shape("rect", frame, clip);
    const inner = shape("g", { "clip-path": `url(#explore-clip-${name})` }, svg);
    box.replaceChildren(svg);
    const trace = (points) => points.map(([u, v], j) => `${j ? "L" : "M"}${px(u).toFixed(1)} ${py(v).toFixed(1)}`).join("");
    const line = (kind, points) => points.length && shape("path", { class: kind, d: trace(points) }, inner);
    return { svg, inner, window, frame, px, py, line, trace };
  }

  const TIME = "time (units of the equation)";

  function drawWells() {
    const far = Math.max(...WELLS.map((well) => problem(well).barrier));
    const top = 1.25 * state.height;
    const wells = WELLS.map((well) => `${well} well with curvature ${state[well]} and its rim at ${digits(problem(well).barrier)}`);
    const figure = plot("wells", {
      x: { low: -1.15 * far, high: 1.15 * far, label: "position x" },
      y: { low: 0, high: top, label: "energy U" },
      height: 250,
      label: `The two wells: ${wells.join(", ")}; both are ${state.height} high.`,
    });
    figure.line("mark", [[-2 * far, state.height], [2 * far, state.height]]);
    const dots = {};
    for (const well of WELLS) {
      const { barrier, curvature } = problem(well);
      const points = Array.from({ length: 81 }, (_, j) => barrier * (j / 40 - 1) * (j > 40 ? 1 : 1.12));
      figure.line(`line ${well}`, points.map((x) => [x, (curvature * x * x) / 2]));
      shape("circle", { class: `dot fill ${well}`, cx: figure.px(barrier), cy: figure.py(state.height), r: 3.5 }, figure.inner);
      dots[well] = runs[well].paths.map(() => shape("circle", { class: `dot fill ${well}`, r: 4 }, figure.inner));
    }
    reveal.push((progress) => {
      for (const well of WELLS) {
        runs[well].paths.forEach((positions, j) => {
          const at = Math.round(progress * STEPS);
          const x = positions[Math.min(at, positions.length - 1)];
          dots[well][j].setAttribute("visibility", at > runs[well].ends[j] ? "hidden" : "visible");
          dots[well][j].setAttribute("cx", figure.px(x));
          dots[well][j].setAttribute("cy", figure.py((state[well] * x * x) / 2));
        });
      }
    });
  }

  function drawPaths(well) {
    const { dt, ends, paths } = runs[well];
    const { barrier, horizon } = problem(well);
    const far = 1.15 * problem("flat").barrier;
    const low = Math.min(-far, ...WELLS.flatMap((one) => runs[one].paths.map((positions) => Math.min(...positions))));
    const gone = ends.filter((n) => n <= STEPS).length;
    const figure = plot(`paths-${well}`, {
      x: { low: 0, high: horizon, label: TIME },
      y: { low, high: far, label: "position x" },
      height: 250,
      label: `Twelve paths in the ${well} well until they reach its rim at ${digits(barrier)}; ${gone} of ${PATHS} leave.`,
    });
    shape("path", { class: "rim", d: figure.trace([[0, barrier], [horizon, barrier]]) }, figure.svg);
    shape("text", { x: figure.px(horizon), y: figure.py(barrier) - 5, "text-anchor": "end" }, figure.svg, "rim");
    paths.forEach((positions, j) => {
      const last = positions.length - 1;
      const points = [];
      for (let n = 0; n < last; n += STRIDE) points.push([n * dt, positions[n]]);
      const left = ends[j] <= STEPS;
      points.push([last * dt, left ? barrier : positions[last]]);
      figure.line(`path ${well}`, points);
      if (left) shape("circle", { class: `dot fill ${well}`, cx: figure.px(last * dt), cy: figure.py(barrier), r: 3.5 }, figure.inner);
    });
    reveal.push((progress) => {
      figure.window.setAttribute("width", progress < 1 ? progress * figure.frame.width : figure.frame.width);
      const now = ends.filter((n) => n <= progress * STEPS).length;
      part(`left-${well}`).textContent = `${now} of ${PATHS} have left by t = ${digits(progress * horizon)}.`;
    });
  }

  // The share still inside of the simulated paths at 201 times, with its 95 % interval by Wilson's formula.
  function shares(well) {
    const { dt, ends } = runs[well];
    const first = 2 / state[well];
    const inside = ends.filter((n) => n * dt > first).length;
    const z = 1.96;
    return Array.from({ length: inside < FEWEST ? 0 : 201 }, (_, j) => {
      const t = first + ((STEPS * dt - first) * j) / 200;
      const p = ends.filter((n) => n * dt > t).length / inside;
      const middle = (p + (z * z) / (2 * inside)) / (1 + (z * z) / inside);
      const half = (z / (1 + (z * z) / inside)) * Math.sqrt((p * (1 - p)) / inside + (z * z) / (4 * inside * inside));
      return { t, p, low: middle - half, high: middle + half };
    });
  }

  function drawSurvival(found) {
    const { horizon } = problem("sharp");
    const told = WELLS.map((well) => {
      const { outside, survival } = found[well].furthestRate;
      const last = survival.times.length - 1;
      return `${well} well ${last < 1 ? outside : `${digits(survival.inside[last])} at t = ${digits(survival.times[last])}`}`;
    });
    const simulated = Object.fromEntries(WELLS.map((well) => [well, shares(well)]));
    const few = WELLS.filter((well) => !simulated[well].length).map((well) => ` Of the ${well} well fewer than ${FEWEST} simulated paths are inside at 2/a; they are not drawn.`);
    const label = `Still inside by the table: ${told.join("; ")}.${few.join("")}`;
    part("told").textContent = label;
    const drawn = WELLS.flatMap((well) => [...simulated[well].map(({ low }) => low), ...found[well].furthestRate.survival.inside]);
    const least = drawn.length ? Math.min(...drawn) : 0;
    const figure = plot("survival", {
      x: { low: 0, high: horizon, label: TIME },
      y: { low: Math.max(0, Math.min(0.9, Math.floor(10 * least) / 10)), high: 1, label: "share still inside" },
      height: 300,
      label,
    });
    WELLS.forEach((well, j) => {
      const seen = simulated[well];
      const band = [...seen.map(({ t, high }) => [t, high]), ...[...seen].reverse().map(({ t, low }) => [t, low])];
      if (band.length) shape("path", { class: `band fill ${well}`, d: `${figure.trace(band)}Z` }, figure.inner);
      const steps = seen.flatMap(({ t, p }, i) => (i ? [[t, seen[i - 1].p], [t, p]] : [[t, p]]));
      figure.line(`steps ${well}`, steps);
      const { survival } = found[well].furthestRate;
      figure.line(`line ${well}`, survival.times.map((t, i) => [t, survival.inside[i]]));
      const text = survival.times.length ? well : `${well}: outside the table`;
      const where = { x: figure.px(horizon) - 4, y: figure.py(1) + 14 + 16 * j, "text-anchor": "end" };
      shape("text", { ...where, class: survival.times.length ? `label-${well}` : "outside" }, figure.svg, text);
      if (survival.times.length) shape("path", { class: `line ${well}`, d: `M${where.x - 62} ${where.y - 4}h22` }, figure.svg);
    });
  }

  // Rates against the height of the barrier, as logarithms to the base 10; they are kept while only the height changes.
  function rateCurves() {
    const key = [state.hurst, state.sigma, state.sharp, state.flat].join(" ");
    if (rates.key !== key) {
      const { min, max } = part("height");
      const heights = Array.from({ length: 79 }, (_, j) => +min + ((max - min) * j) / 78);
      const curve = (well, name) => heights.map((v) => [v, Math.log10(law[name](problem(well, v)).value)]).filter(([, r]) => Number.isFinite(r));
      rates = { key };
      for (const well of WELLS) rates[well] = { table: curve(well, "furthestRate"), pickands: curve(well, "pickands") };
    }
    return rates;
  }

  function drawRates(found) {
    const curves = rateCurves();
    const seen = WELLS.flatMap((well) => [...curves[well].table, ...curves[well].pickands]).map(([, r]) => r);
    const high = Math.ceil(Math.max(...seen, -1));
    const low = Math.max(Math.floor(Math.min(...seen, high - 1)), high - 10);
    const { min, max } = part("height");
    const told = WELLS.map((well) => `${well} ${found[well].furthestRate.value ? digits(found[well].furthestRate.value) : found[well].furthestRate.outside}`);
    const figure = plot("rates", {
      x: { low: 0, high: +max, label: "barrier height ΔV (units of the equation)" },
      y: { low, high, log: true, label: "exit rate (per unit of time)" },
      height: 300,
      label: `Exit rates against barrier heights from ${min} to ${max}. By the table at ${state.height}: ${told.join(", ")}.`,
    });
    figure.line("mark", [[state.height, low], [state.height, high]]);
    WELLS.forEach((well, j) => {
      figure.line(`dashed ${well}`, curves[well].pickands);
      figure.line(`line ${well}`, curves[well].table);
      const { value } = found[well].furthestRate;
      if (value) shape("circle", { class: `dot fill ${well}`, cx: figure.px(state.height), cy: figure.py(Math.log10(value)), r: 4.5 }, figure.inner);
      const where = { x: figure.px(+max) - 4, y: figure.py(high) + 14 + 16 * j, "text-anchor": "end" };
      shape("text", where, figure.svg, well);
      shape("path", { class: `line ${well}`, d: `M${where.x - 62} ${where.y - 4}h22` }, figure.svg);
    });
  }

  // ---- movement

  function show(progress) {
    state.progress = progress;
    for (const update of reveal) update(progress);
    part("play").textContent = state.playing ? "Pause" : "Play";
  }

  function play() {
    state.playing = true;
    if (state.progress >= 1) state.progress = 0;
    let before = null;
    const advance = (now) => {
      if (!state.playing) return;
      const step = before === null ? 0 : (now - before) / 1000 / SECONDS;
      before = now;
      const progress = Math.min(1, state.progress + step);
      state.playing = progress < 1;
      show(progress);
      if (state.playing) requestAnimationFrame(advance);
    };
    requestAnimationFrame(advance);
  }

  function pause() {
    state.playing = false;
    show(state.progress);
  }

  // ---- everything

  function read() {
    for (const name of SLIDERS) {
      const slider = part(name);
      state[name] = Number(slider.value);
      document.querySelector(`output[for="${slider.id}"]`).textContent = slider.value;
    }
  }

  function draw() {
    const found = {};
    for (const well of WELLS) {
      found[well] = {};
      for (const [name] of ROWS) found[well][name] = law[name](problem(well));
    }
    reveal = [];
    verdict(found);
    numbers(found);
    python(found);
    drawWells();
    WELLS.forEach(drawPaths);
    drawSurvival(found);
    drawRates(found);
    show(state.progress);
  }

  let waiting = 0;

  function refresh() {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      simulate();
      draw();
    });
  }

  for (const name of SLIDERS) {
    part(name).addEventListener("input", () => {
      read();
      refresh();
    });
  }
  for (const button of document.querySelectorAll("[data-hurst]")) {
    button.addEventListener("click", () => {
      part("hurst").value = button.dataset.hurst;
      read();
      refresh();
      if (!calm.matches) replay();
    });
  }

  function replay() {
    state.progress = 0;
    if (!state.playing) play();
  }

  part("play").addEventListener("click", () => (state.playing ? pause() : play()));
  part("again").addEventListener("click", () => {
    state.seed += 1;
    refresh();
    if (!calm.matches) replay();
  });
  calm.addEventListener("change", () => calm.matches && state.playing && (state.playing = false, show(1)));
  let seenWidth = 0;
  new ResizeObserver(() => {
    if (part("wells").clientWidth === seenWidth) return;
    seenWidth = part("wells").clientWidth;
    if (runs.sharp) draw();
  }).observe(part("wells"));

  read();
  simulate();
  draw();
  if (!calm.matches) replay();
})();
