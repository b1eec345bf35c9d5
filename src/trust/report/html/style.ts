/**
 * Colours of text on their grounds have a contrast of 4.5 or more, in light and in dark (WCAG 2.2 §1.4.3). Names of properties begin
 * with `c-`, so that none looks like a flag of a command.
 */
export const STYLE = `
:root{color-scheme:light dark;--c-ground:#fff;--c-raised:#f5f6f8;--c-line:#d0d5dd;--c-text:#1a1f27;--c-quiet:#545d6b;--c-link:#0b57d0;
--c-critical:#8c1d18;--c-high:#b3401a;--c-medium:#7a5600;--c-low:#2a5b8c;--c-negligible:#545d6b;--c-unknown:#545d6b;--c-warn:#fff4d6;--c-warn-line:#d9a400}
@media (prefers-color-scheme:dark){:root{--c-ground:#14171c;--c-raised:#1d2229;--c-line:#3a424e;--c-text:#e6e9ee;--c-quiet:#a5afbd;--c-link:#8ab4f8;
--c-critical:#ff9a92;--c-high:#ffab7a;--c-medium:#f0c75e;--c-low:#8fc1f2;--c-negligible:#a5afbd;--c-unknown:#a5afbd;--c-warn:#332a10;--c-warn-line:#a67f00}}
*{box-sizing:border-box}
body{margin:0;background:var(--c-ground);color:var(--c-text);font:16px/1.5 system-ui,"Segoe UI",Roboto,sans-serif}
main,header,footer{max-width:72rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2rem}h1{font-size:1.6rem;line-height:1.25;margin:0;overflow-wrap:anywhere}h2{font-size:1.25rem;margin:2.5rem 0 .75rem}
h3{font-size:1rem;margin:1.5rem 0 .5rem}p{margin:.5rem 0}a{color:var(--c-link)}code{font:.9em ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.quiet,footer{color:var(--c-quiet)}.status{font-size:1.15rem;font-weight:600;margin-top:1rem}
.notice{background:var(--c-warn);border-left:4px solid var(--c-warn-line);padding:.75rem 1rem;margin:1rem 0}.notice h3{margin:0 0 .25rem}.notice ul{margin:.25rem 0;padding-left:1.25rem}
.tiles{display:flex;flex-wrap:wrap;gap:.75rem;list-style:none;padding:0;margin:1rem 0}
.tiles li{flex:1 1 7rem;background:var(--c-raised);border:1px solid var(--c-line);border-top:4px solid var(--c-tone,var(--c-line));border-radius:6px;padding:.6rem .8rem}
.tiles b{display:block;font-size:1.6rem;line-height:1.2;color:var(--c-tone,inherit)}
.table{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}caption{text-align:left;color:var(--c-quiet);padding:.25rem 0 .5rem}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--c-line);overflow-wrap:anywhere}
thead th{border-bottom:2px solid var(--c-line);white-space:nowrap}.number{text-align:right;font-variant-numeric:tabular-nums}tbody th{min-width:9.5rem}
td.step{min-width:10rem}td.what{min-width:15rem}td.package{min-width:9rem}.severity{font-weight:600;color:var(--c-tone);white-space:nowrap}
.critical{--c-tone:var(--c-critical)}.high{--c-tone:var(--c-high)}.medium{--c-tone:var(--c-medium)}.low{--c-tone:var(--c-low)}.negligible{--c-tone:var(--c-negligible)}.unknown{--c-tone:var(--c-unknown)}
.mark{display:inline-block;border:1px solid currentColor;border-radius:3px;padding:0 .35em;font-size:.8em;white-space:nowrap}
details{margin:1rem 0}summary{cursor:pointer;font-size:1.05rem;font-weight:600;padding:.4rem 0}summary h3{display:inline;font-size:inherit;margin:0}
:focus-visible{outline:2px solid var(--c-link);outline-offset:2px}
footer{padding-top:1rem;padding-bottom:2rem;font-size:.85rem}
@media print{:root{--c-ground:#fff;--c-raised:#fff;--c-line:#999;--c-text:#000;--c-quiet:#333;--c-link:#000;--c-warn:#fff;--c-critical:#000;--c-high:#000;--c-medium:#000;--c-low:#000;--c-negligible:#000;--c-unknown:#000;color-scheme:light}
body{font-size:10pt}.table{overflow:visible}tr,.tiles li{break-inside:avoid}thead{display:table-header-group}
details::details-content{content-visibility:visible;display:block;height:auto}h2,h3,summary{break-after:avoid}}
`
