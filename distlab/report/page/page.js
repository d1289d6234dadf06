"use strict";
// Makes a picture live when it comes near the screen: plotly.js comes gzipped inside the page and is
// run once inflated. Without scripts, or where a browser cannot inflate, the pictures stay.
(() => {
  const figures = [...document.querySelectorAll("figure")];
  const packed = document.getElementById("plotly");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const live = [];

  const inflate = async () => {
    const bytes = Uint8Array.from(atob(packed.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };

  const theme = (plot) => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const [ink, soft, line, band] = ["--ink", "--soft", "--line", "--band"].map(colour);
    const axes = Object.keys(plot.layout).filter((key) => /^[xy]axis/.test(key));
    const grid = axes.map((axis) => [[`${axis}.gridcolor`, line], [`${axis}.linecolor`, soft]]);
    return { "font.color": ink, "hoverlabel.font.color": ink, "hoverlabel.bgcolor": band,
      ...Object.fromEntries(grid.flat()) };
  };

  // What is 0 in a matrix is near the paper's colour, in the dark, too.
  const show = async (plot) => {
    await Plotly.relayout(plot, theme(plot));
    const heat = plot.data.flatMap((trace, place) => (trace.type === "heatmap" ? [place] : []));
    if (heat.length) await Plotly.restyle(plot, { reversescale: dark.matches }, heat);
  };

  // Without a pointer the tool bar would stand on the legend for good.
  const hasRoom = () => matchMedia("(hover: hover) and (min-width: 40rem)").matches;

  const draw = async (figure) => {
    const plot = figure.querySelector(".plot");
    const { data, layout } = JSON.parse(plot.querySelector("script").textContent);
    const options = { responsive: true, displaylogo: false, displayModeBar: hasRoom() && "hover",
      modeBarButtonsToRemove: ["lasso2d", "select2d"] };
    figure.classList.add("live");
    await Plotly.newPlot(plot, data, layout, options);
    await show(plot);
    live.push(plot);
    figure.dataset.drawn = "";
  };

  const start = async () => {
    const script = document.createElement("script");
    script.textContent = await inflate();
    document.head.append(script);
    const near = new IntersectionObserver((entries) => {
      for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
        near.unobserve(target);
        draw(target);
      }
    }, { rootMargin: "800px" });
    figures.forEach((figure) => near.observe(figure));
    dark.addEventListener("change", () => live.forEach(show));
    document.documentElement.dataset.ready = "";
  };

  // Printed pages show what a click would.
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
  if (packed && "DecompressionStream" in window) start();
})();

// Tables: a click on a title sorts, and what is shown can be copied.
(() => {
  const escapes = JSON.parse(document.getElementById("latex").textContent);

  // The first figure of a cell, as in "−30.1 [−32.7, −27.4]" or "< 0.001"; text where there is none.
  const figure = (text) => {
    const found = text.replaceAll("−", "-").match(/^(< )?[-+]?[0-9.]+/);
    return found ? parseFloat(found[0].replace("< ", "")) - (found[1] ? 1e-9 : 0) : NaN;
  };

  const compare = (isNumber) => (one, two) => {
    if (!isNumber) return one.localeCompare(two, "en", { numeric: true });
    const [a, b] = [figure(one), figure(two)];
    return isNaN(a) - isNaN(b) || a - b || 0;
  };

  const sort = (table, title, place) => {
    const isDown = title.getAttribute("aria-sort") === "ascending";
    for (const each of table.querySelectorAll("th")) each.removeAttribute("aria-sort");
    title.setAttribute("aria-sort", isDown ? "descending" : "ascending");
    const order = compare(title.classList.contains("number"));
    const text = (row) => row.cells[place].textContent;
    const rows = [...table.tBodies[0].rows].sort((one, two) => order(text(one), text(two)));
    table.tBodies[0].append(...(isDown ? rows.reverse() : rows));
  };

  const shown = (table) => [...table.rows].map((row) =>
    [...row.cells].filter((cell) => cell.checkVisibility()));

  // As `distlab.escape.spreadsheet` has it: no cell is run as a formula.
  const csvCell = (cell) => {
    const isNumber = cell.matches("td.number");
    const text = isNumber ? cell.textContent.replaceAll("−", "-") : cell.textContent;
    const isFormula = !isNumber && /^\s*[=+\-@|%＝＋－＠]/.test(text);
    return `"${isFormula ? "'" : ""}${text.replaceAll('"', '""')}"`;
  };

  const csv = (table) => shown(table).map((row) => row.map(csvCell).join(",") + "\r\n").join("");

  const latexText = (cell) => [...cell.textContent].map((character) =>
    escapes[character] ?? (character <= "~" ? character
      : `(U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")})`)).join("");

  const latex = (table) => {
    const [head, ...rows] = shown(table).map((row) => `${row.map(latexText).join(" & ")} \\\\\n`);
    const align = shown(table)[0].map((cell) => (cell.classList.contains("number") ? "r" : "l"));
    return `% needs \\usepackage{booktabs,textcomp} and \\usepackage[T1]{fontenc}\n` +
      `\\begin{tabular}{${align.join("")}}\n\\toprule\n${head}\\midrule\n${rows.join("")}` +
      "\\bottomrule\n\\end{tabular}\n";
  };

  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  };

  const copied = (name, text) => {
    const made = button(`Copy as ${name}`, async () => {
      await navigator.clipboard.writeText(text());
      made.textContent = `Copied as ${name}`;
    });
    return made;
  };

  for (const box of document.querySelectorAll(".table")) {
    const table = box.querySelector("table");
    [...table.tHead.rows[0].cells].forEach((title, place) => {
      const sorts = button(title.textContent, () => sort(table, title, place));
      title.replaceChildren(sorts);
    });
    const tools = document.createElement("span");
    tools.className = "copy";
    tools.append(copied("CSV", () => csv(table)), copied("LaTeX", () => latex(table)));
    box.insertBefore(tools, box.querySelector(".scroll"));
  }
})();
