// Draws a bar chart as SVG, for light and dark themes.

const [barsWidth, right, top, step, thick] = [420, 70, 44, 26, 16];

/** The approximate width of a letter at 13 px. */
const letterWidth = 7.2;

/**
 * @param {{ title: string, unit: string, line?: number, digits?: number, bars: { label: string, value: number, ours: boolean }[] }} chart
 *   `line` is a value that is marked across all bars, `digits` are those behind the point
 */
export function plot({ title, unit, line, bars, digits = 2 }) {
  const most = Math.max(...bars.map(({ value }) => value), line ?? 0);
  const labelWidth = Math.ceil(Math.max(...bars.map(({ label }) => label.length)) * letterWidth) + 20;
  const x = (value) => labelWidth + (value / most) * barsWidth;
  const width = labelWidth + barsWidth + right;
  const height = top + bars.length * step + 14;
  const rows = bars.map(({ label, value, ours }, at) => {
    const y = top + at * step;
    return `  <text class="label" x="${labelWidth - 10}" y="${y + 12}">${escape(label)}</text>
  <rect class="${ours ? "ours" : "other"}" x="${labelWidth}" y="${y}" width="${(x(value) - labelWidth).toFixed(1)}" height="${thick}" rx="2"/>
  <text x="${(x(value) + 6).toFixed(1)}" y="${y + 12}">${value.toFixed(digits)}</text>`;
  });
  const mark = line === undefined ? "" : `  <line x1="${x(line).toFixed(1)}" x2="${x(line).toFixed(1)}" y1="${top - 8}" y2="${height - 14}"/>\n`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">
  <style>
    text { font: 13px system-ui, sans-serif; fill: #24292f; }
    .label { text-anchor: end; }
    .title { font-weight: 600; }
    .ours { fill: #0a7d5a; }
    .other { fill: #8c96a3; }
    line { stroke: #24292f; stroke-dasharray: 3 3; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .ours { fill: #2fbf8f; }
      .other { fill: #6e7a87; }
      line { stroke: #e6edf3; }
    }
  </style>
  <text class="title" x="10" y="20">${escape(title)}</text>
  <text x="${width - 10}" y="20" text-anchor="end">${escape(unit)}</text>
${rows.join("\n")}
${mark}</svg>
`;
}

function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
