/** Styles of the run's page besides those that all pages share. Colours of the stages differ in lightness too. */
export const style = `
:root { --conversion: #2f6fb5; --calibration: #b35c00; --imaging: #6d3fc0; --validation: #17796b; --simulation: #6e7781; --waiting: #8c959f; }
@media screen and (prefers-color-scheme: dark) { :root { --conversion: #6cb6ff; --calibration: #f0a85a; --imaging: #c297ff; --validation: #4fd0bb; --simulation: #8b949e; --waiting: #6e7681; } }
.stage-conversion { --c: var(--conversion); } .stage-calibration { --c: var(--calibration); } .stage-imaging { --c: var(--imaging); } .stage-validation { --c: var(--validation); } .stage-simulation { --c: var(--simulation); }
.timeline { width: 100%; min-width: 800px; height: auto; display: block; }
svg .bar { fill: var(--c); } svg .waiting { fill: var(--waiting); } svg .phase { fill: transparent; } svg .phase.pale { fill: var(--page); fill-opacity: 0.3; }
svg .hatch { fill: var(--page); fill-opacity: 0.75; } svg .hatch-lines { stroke: var(--page); stroke-width: 2.4; } svg .break { stroke: var(--ink); stroke-dasharray: 4 4; stroke-width: 1.2; }
svg text.grade { fill: var(--tone); }
.key { display: flex; flex-wrap: wrap; gap: 2px 18px; max-width: none; font-size: 0.9rem; color: var(--soft); } .key span { display: inline-flex; align-items: center; gap: 6px; } .key .swatch { width: 18px; height: 12px; }
.share { display: block; position: relative; width: 7rem; height: 8px; margin: 3px 0 0 auto; background: var(--panel); border: 1px solid var(--muted); border-radius: 2px; }
.share i { display: block; height: 100%; background: var(--main); } .share.over i { background: var(--bad); }
.thumb { width: 88px; height: 88px; object-fit: cover; background: #000; display: block; color: #fff; font-size: 11px; line-height: 1.2; }
.thumb.none { background: var(--panel); border: 1px solid var(--line); color: var(--soft); height: 40px; text-align: center; padding-top: 12px; }
.what { min-width: 17rem; width: 40%; } .what p, .what ul, .what .links { font-weight: 400; margin-top: 2px; } .what .grade { margin-left: 8px; }
.problem { border: 1px solid var(--line); border-left: 8px solid var(--tone); background: var(--panel); padding: 10px 16px; margin: 10px 0; border-radius: 4px; break-inside: avoid; } .problem h3 { margin: 0 0 4px; }
.problem dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 4px 0 0; } .problem dt { color: var(--soft); } .problem dd { margin: 0; overflow-wrap: anywhere; }
.links a { white-space: nowrap; margin-right: 8px; } .reason { min-width: 13rem; } .id { white-space: nowrap; }
table ul { margin: 0; padding-left: 1.1rem; }
tr.changed th, tr.changed td { font-weight: 600; } td code { font-size: 0.9em; }
.settings td { overflow-wrap: anywhere; } .hash { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 0.85em; }
@media (max-width: 480px) { .problem dl { grid-template-columns: 1fr; } .problem dt { margin-top: 4px; } }
@media print { .timeline { min-width: 0; } .thumb { width: 64px; height: 64px; } .reason { min-width: 0; } .share { print-color-adjust: exact; } svg { print-color-adjust: exact; } }
`
