"use strict";
// Makes a picture live when it comes near the screen: plotly.js comes gzipped inside the page and is
// run once inflated. Without scripts, or where a browser cannot inflate, the pictures stay.
(() => {
  const figures = [...document.querySelectorAll("figure")];
  const packed = document.getElementById("plotly");
  const live = [];

  const inflate = async () => {
    const bytes = Uint8Array.from(atob(packed.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };

  const theme = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const [ink, soft, line, band] = ["--ink", "--soft", "--line", "--band"].map(colour);
    return { "font.color": ink, "xaxis.gridcolor": line, "yaxis.gridcolor": line,
      "xaxis.linecolor": soft, "yaxis.linecolor": soft, "hoverlabel.font.color": ink,
      "hoverlabel.bgcolor": band };
  };

  const draw = async (figure) => {
    const plot = figure.querySelector(".plot");
    const { data, layout } = JSON.parse(plot.querySelector("script").textContent);
    const options = { responsive: true, displaylogo: false,
      modeBarButtonsToRemove: ["lasso2d", "select2d"] };
    figure.classList.add("live");
    await Plotly.newPlot(plot, data, layout, options);
    await Plotly.relayout(plot, theme());
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
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => live.forEach((p) => Plotly.relayout(p, theme())));
    document.documentElement.dataset.ready = "";
  };

  // Printed pages show what a click would.
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
  if (figures.length && "DecompressionStream" in window) start();
})();
