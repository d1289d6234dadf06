"use strict";
// Makes the pictures live: plotly.js comes gzipped inside the page and is run once inflated.
// Without scripts, or where a browser cannot inflate, the pictures stay.
(() => {
  const plots = [...document.querySelectorAll(".plot")];
  const packed = document.getElementById("plotly");

  const inflate = async () => {
    const bytes = Uint8Array.from(atob(packed.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };

  const theme = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { gridcolor: colour("--line"), linecolor: colour("--soft") };
    return { "font.color": colour("--ink"), "xaxis.gridcolor": axis.gridcolor,
      "yaxis.gridcolor": axis.gridcolor, "xaxis.linecolor": axis.linecolor,
      "yaxis.linecolor": axis.linecolor, "hoverlabel.font.color": colour("--ink"),
      "hoverlabel.bgcolor": colour("--band") };
  };

  const draw = async (plot) => {
    const figure = JSON.parse(plot.querySelector("script").textContent);
    const options = { responsive: true, displaylogo: false,
      modeBarButtonsToRemove: ["lasso2d", "select2d"] };
    await Plotly.newPlot(plot, figure.data, figure.layout, options);
    await Plotly.relayout(plot, theme());
  };

  const start = async () => {
    const script = document.createElement("script");
    script.textContent = await inflate();
    document.head.append(script);
    document.documentElement.classList.add("live");
    for (const plot of plots) await draw(plot);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => plots.forEach((p) => Plotly.relayout(p, theme())));
    document.documentElement.dataset.drawn = plots.length;
  };

  // Printed pages show what a click would.
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
  if (plots.length && "DecompressionStream" in window) start();
})();
