/**
 * Styles that all pages share: light and dark by the reader's choice, black on white in print, contrast of text at least
 * 4.5, of marks at least 3.
 */
export const baseStyle = `
:root { color-scheme: light dark; --page: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --panel: #f6f8fa;
  --main: #0b5fae; --second: #b45309; --third: #6d3fc0; --muted: #6e7781; --good: #1a7f37; --uncertain: #8a5a00; --bad: #b3261e; --notrun: #57606a; }
@media screen and (prefers-color-scheme: dark) { :root { --page: #0d1117; --ink: #e6edf3; --soft: #9da7b1; --line: #30363d; --panel: #161b22;
  --main: #6cb6ff; --second: #f0a85a; --third: #c297ff; --muted: #8b949e; --good: #56d364; --uncertain: #e3b341; --bad: #ff8880; --notrun: #9da7b1; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main, header.banner, footer { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header.banner { padding-top: 22px; } main:focus { outline: none; }
.skip { position: absolute; left: -999rem; } .skip:focus { left: 12px; top: 8px; background: var(--page); padding: 4px 10px; border: 2px solid var(--main); border-radius: 4px; z-index: 1; }
h1 { font-size: 1.55rem; margin: 0 0 4px; overflow-wrap: anywhere; } h2 { font-size: 1.2rem; margin: 36px 0 8px; padding-bottom: 4px; border-bottom: 1px solid var(--line); } h3 { font-size: 1rem; margin: 18px 0 6px; }
section { scroll-margin-top: 8px; }
p { margin: 6px 0; max-width: 75ch; overflow-wrap: break-word; } a { color: var(--main); } a:focus-visible, summary:focus-visible { outline: 2px solid var(--main); outline-offset: 2px; border-radius: 2px; }
code { font: 0.92em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
pre { font: 0.88rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: 10px 14px; margin: 8px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.verdict { border: 1px solid var(--line); border-left: 8px solid var(--tone); background: var(--panel); padding: 12px 16px; margin: 14px 0; border-radius: 4px; }
.verdict strong { color: var(--tone); font-size: 1.15rem; } .verdict ul { margin: 4px 0; padding-left: 1.3rem; }
.tone-of-good { --tone: var(--good); } .tone-of-uncertain { --tone: var(--uncertain); } .tone-of-bad { --tone: var(--bad); } .tone-of-not-run { --tone: var(--notrun); }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 4px 22px; margin: 12px 0; padding: 0; }
.facts div { border-bottom: 1px dotted var(--line); padding: 3px 0; } .facts dt { color: var(--soft); font-size: 0.84rem; } .facts dd { margin: 0; overflow-wrap: anywhere; }
nav ul { list-style: none; padding: 0; margin: 8px 0; display: flex; flex-wrap: wrap; gap: 4px 16px; } nav a { display: inline-block; padding: 2px 0; min-height: 24px; }
.scroll { overflow-x: auto; } .scroll + .scroll { margin-top: 20px; } .scroll:focus-visible { outline: 2px solid var(--main); }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; } caption { text-align: left; color: var(--soft); padding: 4px 0; } caption span { position: sticky; left: 0; display: inline-block; max-width: min(75ch, calc(100vw - 40px)); }
th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; } thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; } tbody th { font-weight: 600; }
td.number, th.number { padding-right: 16px; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.grade { color: var(--tone); font-weight: 600; white-space: nowrap; } .shown { color: var(--soft); }
details { margin: 10px 0; } summary { cursor: pointer; color: var(--main); padding: 2px 0; } 
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 14px 22px; }
figure { margin: 0; break-inside: avoid; } figcaption { color: var(--soft); font-size: 0.88rem; padding: 2px 0 6px; }
.plot svg:not(.swatch) { width: 100%; height: auto; display: block; }
svg .grid line { stroke: var(--line); stroke-width: 0.7; } svg .frame { fill: none; stroke: var(--muted); } svg .ticks text { fill: var(--soft); font-size: 12px; } svg .label { fill: var(--ink); font-size: 13px; }
.tone-main { --c: var(--main); } .tone-second { --c: var(--second); } .tone-third { --c: var(--third); } .tone-muted { --c: var(--muted); }
.tone-good { --c: var(--good); } .tone-uncertain { --c: var(--uncertain); } .tone-bad { --c: var(--bad); }
svg .mark { fill: var(--c); fill-opacity: 0.75; } svg .stroke { fill: none; stroke: var(--c); stroke-width: 1.6; } svg .dashed .stroke, .dashed svg .stroke, svg.dashed .stroke { stroke-dasharray: 5 4; }
svg .bars { fill: var(--c); fill-opacity: 0.55; } svg .band { fill: var(--c); fill-opacity: 0.16; } svg .error { stroke: var(--c); stroke-width: 1; stroke-opacity: 0.65; }
svg .plane { image-rendering: pixelated; }
.legend { display: inline-flex; flex-wrap: wrap; gap: 2px 14px; margin-left: 12px; } .legend .swatch { width: 18px; height: 10px; }
footer { color: var(--soft); font-size: 0.85rem; padding-top: 24px; padding-bottom: 30px; }
@media (max-width: 480px) { svg .ticks text { font-size: 14px; } svg .label { font-size: 15px; } h1 { font-size: 1.35rem; } }
@media print { caption span { max-width: none; } p { max-width: none; } :root { font-size: 11px; color-scheme: light; --page: #fff; --ink: #000; --panel: #fff; } body { font-size: 11px; } main, header.banner, footer { max-width: none; padding-left: 0; padding-right: 0; } nav, .skip { display: none; }
  .scroll { overflow: visible; } table { font-size: 9.5px; } td.number, th.number { white-space: normal; } h2, h3 { break-after: avoid; } tr, figure { break-inside: avoid; } thead { display: table-header-group; break-after: avoid; } tfoot { display: table-row-group; } .facts { grid-template-columns: repeat(4, 1fr); } .plots { grid-template-columns: 1fr 1fr; } a { text-decoration: none; } }
`
