/** Styles of the report besides those that all pages share. */
export const style = `
.mark-box { display: inline-block; padding: 1px 8px; border: 1px solid var(--bad); color: var(--bad); border-radius: 3px; font-weight: 600; margin-right: 8px; }
.mark-box.plain { border-color: var(--soft); color: var(--soft); }
.checks { table-layout: fixed; min-width: 860px; } .checks th:nth-child(1) { width: 16%; } .checks th:nth-child(2) { width: 18%; } .checks th:nth-child(3) { width: 14%; } .checks th:nth-child(4) { width: 5%; } .checks th:nth-child(5) { width: 9%; }
.limit { display: block; white-space: nowrap; }
.sky { position: relative; max-width: 860px; } .sky svg { width: 100%; height: auto; display: block; background: #000; }
.sky .match { stroke: #7cc4ff; } .sky .miss { stroke: #ffb454; } .sky .extra { stroke: #ff9ae0; }
.sky .outline { fill: none; stroke-width: 1.6; vector-effect: non-scaling-stroke; }
.sky text { fill: #ffffff; font-size: 13px; paint-order: stroke; stroke: #000; stroke-width: 3px; }
.key span { display: inline-flex; align-items: center; gap: 5px; margin-right: 16px; } .key svg { width: 18px; height: 18px; background: #000; border-radius: 3px; }
.thumbs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(260px, 100%), 1fr)); gap: 14px 22px; margin-top: 14px; } .thumbs img { width: 100%; height: auto; background: #000; display: block; }
.cut { width: 64px; height: 64px; image-rendering: pixelated; background: #000; }
@media print { .checks { min-width: 0; } .sky { max-width: 14cm; } }
`
